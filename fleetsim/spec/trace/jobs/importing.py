"""A file of jobs to a canonical trace: read, sorted by submission, written, every row accounted for."""

import json
from collections.abc import Iterator
from pathlib import Path

from fleetsim.errors import UsageError
from fleetsim.spec.trace.blocks import Block, LineBlocks
from fleetsim.spec.trace.cells import NS_PER_S
from fleetsim.spec.trace.csv_lines import header_of, split_row
from fleetsim.spec.trace.importing import check_source, instant, nothing_good, text_of
from fleetsim.spec.trace.jobs.canonical import write_jobs
from fleetsim.spec.trace.jobs.job import Job, job_of
from fleetsim.spec.trace.jobs.layout import JobLayout
from fleetsim.spec.trace.jobs.philly import philly_job
from fleetsim.spec.trace.jobs.report import JobReport
from fleetsim.spec.trace.line_by_line import is_utf8
from fleetsim.spec.trace.report import shortened
from fleetsim.timebase import HOUR_S

BLANKS = " \t\r\n"


def import_jobs(source: Path, layout: JobLayout, out: Path) -> JobReport:
    """Write the good jobs of `source` to `out`, sorted by submission, and say what became of every row.

    Of jobs with one id the first in the file is kept. UsageError when the file is not there, is none of this
    format, or no row is good. `out` is written in place: give a temporary path for a file that appears whole
    or not at all.
    """
    check_source(source)
    report = JobReport(layout.name, source.name)
    jobs = read_jobs_of(source, layout, report)
    if not jobs:
        raise UsageError(nothing_good(source, layout.unit, report))
    report.kept = len(jobs)
    latest = jobs[0].submit_ns
    for job in jobs:
        report.out_of_order += job.submit_ns < latest
        latest = max(latest, job.submit_ns)
        report.remark(job.remarks)
        report.states[job.state] = report.states.get(job.state, 0) + 1
    first = min(job.submit_ns for job in jobs)
    report.span_s = (latest - first) / NS_PER_S
    report.start = instant(first) if layout.unit == "iso" else None
    report.gpu_hours = sum(job.gpus * job.duration_ns for job in jobs) / NS_PER_S / HOUR_S
    report.teams = len({job.team for job in jobs})
    jobs.sort(key=lambda job: job.submit_ns)
    write_jobs(jobs, first, report, out)
    return report


def read_jobs_of(source: Path, layout: JobLayout, report: JobReport) -> list[Job]:
    """The good jobs in the order of the file; the report gets the bad ones and the file's hash."""
    blocks = LineBlocks(source)
    read = (list_entries(source, blocks) if layout.lines == "list" else rows_of(source, layout, blocks))
    jobs: list[Job] = []
    seen: set[str] = set()
    for line, text, found in read:
        report.read += 1
        if isinstance(found, Job) and found.job_id in seen:
            found = "duplicate_id"
        if isinstance(found, str):
            report.drop(found, line, text)
            continue
        seen.add(found.job_id)
        jobs.append(found)
    report.sha256 = blocks.digest
    return jobs


def rows_of(source: Path, layout: JobLayout, blocks: LineBlocks) -> Iterator[tuple[int, str, Job | str]]:
    """Line, text and job (or reason) of each row of a CSV file; empty lines are passed over."""
    header: list[str] | None = None
    places: dict[str | None, int] = {}
    cells: list[str] = []

    def cell(column: str | None) -> str:
        return "" if column is None else cells[places[column]].strip()

    for block in blocks:
        if header is None:
            first, _, data = text_of(source, block.data).partition(b"\n")
            if not is_utf8(first):
                raise UsageError(f"{source}:1: error: the header is not UTF-8")
            header = header_of(source, layout, first.decode("utf-8").strip("\r\n"))
            places = {name: place for place, name in enumerate(header)}
            # A run time beside start and end is compared with them where it is there.
            places.setdefault(layout.duration, -1)
            block = Block(2, data)
        for line, raw in enumerate(block.data.split(b"\n"), block.line):
            text = raw.decode("utf-8", errors="replace").strip("\r\n ")
            if not text:
                continue
            found = split_row(text, len(header)) if is_utf8(raw) else "not_utf8"
            if isinstance(found, str):
                yield line, text, found
                continue
            cells = [*found, ""]
            yield line, text, job_of(cell, layout, line)
    if header is None:
        raise UsageError(f"{source}:1: error: the file is empty")


def list_entries(source: Path, blocks: LineBlocks) -> Iterator[tuple[int, str, Job | str]]:
    """The same of each entry of a JSON list; its line is that on which it begins."""
    data = text_of(source, b"".join(block.data for block in blocks))
    if not is_utf8(data):
        raise UsageError(f"{source}:1: error: the file is not UTF-8")
    text = data.decode("utf-8")
    decoder = json.JSONDecoder()
    at = after_blanks(text, 0)
    if text[at:at + 1] != "[":
        raise UsageError(f"{source}:1: error: the file is no JSON list of jobs, as philly has")
    line, counted, at = 1, 0, after_blanks(text, at + 1)
    while text[at:at + 1] != "]":
        line, counted = line + text.count("\n", counted, at), at
        try:
            found, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            raise UsageError(f"{source}:{line}: error: no JSON begins here: "
                             f"{shortened(text[at:at + 80])!r}") from None
        yield line, text[at:end], philly_job(found) if isinstance(found, dict) else "unreadable_row"
        at = after_blanks(text, end)
        if text[at:at + 1] == ",":
            at = after_blanks(text, at + 1)
        elif text[at:at + 1] != "]":
            line += text.count("\n", counted, at)
            raise UsageError(f"{source}:{line}: error: the list of jobs does not go on, and does not end")


def after_blanks(text: str, at: int) -> int:
    """The place of the next character that is no blank."""
    while text[at:at + 1] and text[at] in BLANKS:
        at += 1
    return at

