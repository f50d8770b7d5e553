"""The canonical trace of jobs: one Parquet file in order of submission, and the same as arrays."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetsim.errors import UsageError
from fleetsim.spec.trace.jobs.job import Job
from fleetsim.spec.trace.jobs.report import JobReport
from fleetsim.timebase import HOUR_S, SECOND_NS

VERSION = 1
KEY = b"fleetsim.jobs"
"""Under it the file's metadata hold the import's report as JSON."""
COLUMNS = ("job_id", "submit_ns", "gpus", "gpu_frac", "duration_s", "queue_s", "user", "team", "state",
           "nodes", "priority")
NO_NUMBER = -1
"""In the arrays, where the file has no nodes or no priority."""


@dataclass(frozen=True)
class Names:
    """A column of few different texts."""

    names: tuple[str, ...]
    """In order of appearance."""
    index: NDArray[np.int32]
    """Place of each job's text in `names`."""


@dataclass(frozen=True)
class JobTrace:
    """Jobs in order of submission; equal submissions in the order of the source file."""

    job_id: tuple[str, ...]
    """All different."""
    submit_ns: NDArray[np.int64]
    """From the first submission, nanoseconds; never falls."""
    gpus: NDArray[np.int64]
    """Whole GPUs that a job holds, at least 1."""
    gpu_frac: NDArray[np.float64]
    """Share of each of them that was asked for, above 0 and at most 1."""
    duration_s: NDArray[np.float64]
    """Run time, above 0."""
    queue_s: NDArray[np.float64]
    """Wait as recorded; NaN where it is not."""
    users: Names
    teams: Names
    states: Names
    """Outcomes."""
    nodes: NDArray[np.int64]
    """Number of nodes, -1 where it is not recorded."""
    priority: NDArray[np.int64]
    """0 is the most important, -1 where it is not recorded."""
    metadata: dict[str, Any]
    """Source and counts of the import: format, source, sha256, read, kept, dropped, start, ..."""

    def __len__(self) -> int:
        return self.submit_ns.size

    @property
    def span_s(self) -> float:
        """First to last submission, seconds."""
        return float(self.submit_ns[-1]) / SECOND_NS

    @property
    def duration_ns(self) -> NDArray[np.int64]:
        """Run time in whole nanoseconds, at least 1."""
        found: NDArray[np.int64] = np.maximum(1, np.rint(self.duration_s * SECOND_NS)).astype(np.int64)
        return found

    @property
    def gpu_hours(self) -> NDArray[np.float64]:
        """Held GPUs times run time of each job."""
        return self.gpus * self.duration_s / HOUR_S


def write_jobs(jobs: Sequence[Job], first_ns: int, report: JobReport, path: Path) -> None:
    """Write jobs that are sorted by submission, the first at `first_ns`; equal jobs give equal bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    words = pa.dictionary(pa.int32(), pa.string())
    fields = [("job_id", pa.string(), False), ("submit_ns", pa.int64(), False), ("gpus", pa.int64(), False),
              ("gpu_frac", pa.float64(), False), ("duration_s", pa.float64(), False),
              ("queue_s", pa.float64(), True), ("user", words, False), ("team", words, False),
              ("state", words, False), ("nodes", pa.int64(), True), ("priority", pa.int64(), True)]
    schema = pa.schema([pa.field(name, type_, nullable=nullable) for name, type_, nullable in fields])
    columns = {
        "job_id": [job.job_id for job in jobs],
        "submit_ns": [job.submit_ns - first_ns for job in jobs],
        "gpus": [job.gpus for job in jobs],
        "gpu_frac": [job.gpu_frac for job in jobs],
        "duration_s": [job.duration_ns / SECOND_NS for job in jobs],
        "queue_s": [None if job.queue_ns is None else job.queue_ns / SECOND_NS for job in jobs],
        "user": [job.user for job in jobs],
        "team": [job.team for job in jobs],
        "state": [job.state for job in jobs],
        "nodes": [job.nodes for job in jobs],
        "priority": [job.priority for job in jobs],
    }
    table = pa.table({name: pa.array(column, schema.field(name).type) for name, column in columns.items()},
                     schema=schema)
    with pq.ParquetWriter(path, schema, version="2.6", compression="zstd", compression_level=1) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({KEY: json.dumps({"version": VERSION, **report.as_dict()}).encode()})


def read_jobs(path: Path | str) -> JobTrace:
    """The jobs of a canonical file; UsageError when it is none or its rows break the rules of one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    if not path.is_file():
        raise UsageError(f"no trace {path}; make one with: fleetsim trace import FILE --format NAME "
                         "--out TRACE.parquet")
    try:
        with pq.ParquetFile(path) as file:
            stored = (file.metadata.metadata or {}).get(KEY)
            missing = [name for name in COLUMNS if name not in file.schema_arrow.names]
            if stored is None or missing:
                why = f"it has no column {missing[0]!r}" if missing else "it was not written by an import"
                raise UsageError(f"{path} is no trace of jobs: {why}; make one with: fleetsim trace import")
            metadata = json.loads(stored)
            if metadata.get("version") != VERSION:
                raise UsageError(f"{path} is a trace of version {metadata.get('version')}, this program "
                                 f"reads {VERSION}; import it again")
            return checked(trace_of(file.read(columns=list(COLUMNS)).unify_dictionaries(), metadata), path)
    except (pa.ArrowException, ValueError) as error:
        raise UsageError(f"{path} is no trace of jobs: {str(error).splitlines()[0]}; make one with: "
                         "fleetsim trace import") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None


def trace_of(table: Any, metadata: dict[str, Any]) -> JobTrace:
    """The columns of an Arrow table as arrays."""
    def column(name: str) -> Any:
        return table.column(name).combine_chunks()

    def names_of(name: str) -> Names:
        found = column(name)
        words = found.dictionary.to_pylist()
        return Names(tuple(words), found.indices.to_numpy().astype(np.int32))

    return JobTrace(
        tuple(column("job_id").to_pylist()), column("submit_ns").to_numpy(), column("gpus").to_numpy(),
        column("gpu_frac").to_numpy(), column("duration_s").to_numpy(),
        column("queue_s").to_numpy(zero_copy_only=False), names_of("user"), names_of("team"),
        names_of("state"), column("nodes").fill_null(NO_NUMBER).to_numpy(),
        column("priority").fill_null(NO_NUMBER).to_numpy(), metadata)


def checked(trace: JobTrace, path: Path) -> JobTrace:
    """The trace; UsageError when its rows break its rules."""
    submit = trace.submit_ns
    broken = ("it has no rows" if not len(trace)
              else "its submissions are not sorted from 0" if submit[0] != 0 or (np.diff(submit) < 0).any()
              else "a job has no GPU" if trace.gpus.min() < 1
              else "a share of a GPU is not above 0 and at most 1"
              if not ((trace.gpu_frac > 0) & (trace.gpu_frac <= 1)).all()
              else "a job has no run time" if not (trace.duration_s > 0).all()
              else "a wait is below 0" if (trace.queue_s < 0).any()
              else "an id occurs twice" if len(set(trace.job_id)) < len(trace) else "")
    if broken:
        raise UsageError(f"{path} is no trace of jobs: {broken}; make one with: fleetsim trace import")
    return trace
