"""What an import of jobs read, kept and dropped."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from fleetsim.spec.trace.report import RowReport

REASONS = {
    "missing_columns": "fewer cells than the header has columns, or a key is not there",
    "extra_columns": "more cells than the header has columns",
    "unreadable_row": "no row of this format",
    "not_utf8": "bytes that are not UTF-8",
    "unreadable_time": "a time cannot be read",
    "unreadable_number": "GPUs, seconds, nodes or priority are no number",
    "no_id": "the job's id is empty",
    "negative": "a number below zero, or an end before the start",
    "too_large": "more GPUs than 2,147,483,647, or a number beyond 64 bits",
    "no_gpu": "no GPU: a job of CPUs alone",
    "no_run": "no start, no end or no run time is recorded: it did not run, or still ran",
    "zero_run": "a run of 0 s",
    "duplicate_id": "an id that an earlier job has",
}
"""Why a job is dropped; of several reasons the first in this order counts."""
REMARKS = {
    "fraction": "a fraction of a GPU is asked for, and whole ones are held",
    "duration_differs": "the file has another run time than end - start, which counts",
    "queue_below_zero": "the start is before the submission, so that no wait is known",
    "attempts_without_times": "attempts without a start or an end are passed over",
    "gpus_change": "GPUs change from attempt to attempt; those of the last one count",
}
"""What is counted of jobs that are kept."""


@dataclass
class JobReport(RowReport):
    """Counts of an import of jobs."""

    reasons: ClassVar[Mapping[str, str]] = REASONS
    remarks: dict[str, int] = field(default_factory=dict)
    """Kept jobs with something to know about: counts by key of REMARKS."""
    gpu_hours: float = 0.0
    """Of the kept jobs, whole GPUs times run time."""
    teams: int = 0
    """Different teams."""
    states: dict[str, int] = field(default_factory=dict)
    """Kept jobs by outcome, in order of appearance."""

    def remark(self, keys: tuple[str, ...]) -> None:
        """Count what is to be known about a kept job."""
        for key in keys:
            self.remarks[key] = self.remarks.get(key, 0) + 1
