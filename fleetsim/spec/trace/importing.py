"""A file of requests to a canonical trace: read in blocks, sorted, written, every row accounted for."""

from datetime import timedelta
from pathlib import Path

import numpy as np

from fleetsim.errors import UsageError
from fleetsim.spec.checks.names import NAME
from fleetsim.spec.file import no_file
from fleetsim.spec.trace.blocks import Block, LineBlocks
from fleetsim.spec.trace.by_column import read_columns
from fleetsim.spec.trace.canonical import write_trace
from fleetsim.spec.trace.cells import EPOCH, NS_PER_S
from fleetsim.spec.trace.csv_lines import CsvLines
from fleetsim.spec.trace.json_lines import JsonLines
from fleetsim.spec.trace.layout import Layout, TimeUnit
from fleetsim.spec.trace.line_by_line import is_utf8, read_lines
from fleetsim.spec.trace.report import ImportReport, RowReport
from fleetsim.spec.trace.rows import ClassNames, Rows

ONE_CLASS = "requests"
"""Class of every request of a file without a class column."""
BINARY = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "a zip archive", b"PAR1": "Parquet",
          b"\x28\xb5\x2f\xfd": "zstd"}
NAMED = ("generic", "jobs")
"""Formats whose columns and units the caller names."""
BOM = b"\xef\xbb\xbf"


def import_trace(source: Path, layout: Layout, out: Path, *, class_name: str | None = None) -> ImportReport:
    """Write the good rows of `source` to `out`, sorted by arrival, and say what became of every row.

    `class_name` is the class of all requests, instead of the layout's class column. UsageError when the
    file is not there, its header is not the layout's, or no row is good. `out` is written in place: give a
    temporary path for a file that appears whole or not at all.
    """
    if class_name is not None and not NAME.fullmatch(class_name):
        raise UsageError(f"{class_name!r} is no name of a traffic class: use letters, digits, '-' and '_'")
    check_source(source)
    report = ImportReport(layout.name, source.name)
    if class_name is not None:
        layout = Layout(layout.name, layout.time, layout.prompt, layout.output, layout.unit,
                        lines=layout.lines)
    names = ClassNames(f"{source}: column {layout.class_column!r}")
    rows = read_rows(source, layout, names, report)
    if not rows.count:
        raise UsageError(nothing_good(source, layout.unit, report))
    words = list(names.numbers) or [class_name or ONE_CLASS]
    report.kept, report.out_of_order = rows.count, rows.out_of_order
    first, last = int(rows.time_ns.min()), int(rows.time_ns.max())
    report.span_s = (last - first) / NS_PER_S
    report.start = instant(first) if layout.unit == "iso" else None
    counts = np.bincount(rows.class_index, minlength=len(words))
    report.classes = dict(zip(words, counts.tolist(), strict=True))
    write_trace(rows, words, report, out)
    return report


def check_source(source: Path) -> None:
    """UsageError for a file that is not there, with the name of one that is."""
    if not source.is_file():
        message, hint = no_file(source, "*")
        raise UsageError(f"{message} ({hint})" if hint else message)


def read_rows(source: Path, layout: Layout, names: ClassNames, report: ImportReport) -> Rows:
    """The good rows of a file; the report gets the bad ones and the file's hash."""
    rows, blocks = Rows(), LineBlocks(source)
    json_lines = JsonLines(layout) if layout.lines == "json" else None
    csv_lines: CsvLines | None = None
    for block in blocks:
        if block.line == 1:
            block = Block(1, text_of(source, block.data))
        if json_lines is not None:
            read_lines(block, json_lines, layout.unit, names, rows, report)
            continue
        if csv_lines is None:
            header, _, data = block.data.partition(b"\n")
            if not is_utf8(header):
                raise UsageError(f"{source}:1: error: the header is not UTF-8")
            csv_lines = CsvLines(source, layout, header.decode("utf-8").strip("\r\n"))
            block = Block(2, data)
        read_csv(block, csv_lines, layout.unit, names, rows, report)
    if not report.read and csv_lines is None:
        raise UsageError(f"{source}:1: error: the file is empty")
    report.sha256 = blocks.digest
    return rows


def read_csv(block: Block, lines: CsvLines, unit: TimeUnit, names: ClassNames, rows: Rows,
             report: ImportReport) -> None:
    """The rows of a block, by column where it is plain."""
    if block.data and not read_columns(block, lines, unit, names, rows, report):
        read_lines(block, lines, unit, names, rows, report)


def text_of(source: Path, data: bytes) -> bytes:
    """A file's start without its byte order mark; UsageError when it is no text."""
    for start, kind in BINARY.items():
        if data.startswith(start):
            raise UsageError(f"{source}:1: error: the file is {kind}, not text"
                             + ("" if kind == "Parquet" else "; unpack it first"))
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageError(f"{source}:1: error: the file is UTF-16, not UTF-8")
    return data.removeprefix(BOM)


def nothing_good(source: Path, unit: TimeUnit, report: RowReport) -> str:
    """Why no row of a file could be used, with the place of the first."""
    if not report.read:
        return f"{source}:1: error: the file has no rows"
    dropped = [reason for reason in report.reasons if reason in report.dropped]
    counts = ", ".join(f"{report.dropped[reason]:,} {reason}" for reason in dropped)
    first = min((row for rows in report.bad_rows.values() for row in rows), key=lambda row: row.line)
    reason = next(each for each, rows in report.bad_rows.items() if first in rows)
    hint = ""
    if report.format in NAMED and report.dropped.get("unreadable_time"):
        hint = f"; times are read as {unit}: say what they are with --time-unit"
    return (f"{source}:{first.line}: error: no row can be used ({counts}); the first: "
            f"{report.reasons[reason]}: {first.value!r}{hint}")


def instant(time_ns: int) -> str:
    """A time in ISO 8601 with its nanoseconds: 2023-11-16T18:15:46.680590000Z."""
    seconds, rest = divmod(time_ns, NS_PER_S)
    return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"
