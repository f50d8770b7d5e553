"""Rows one line at a time: what every row of a trace means, and why a bad one is dropped."""

from typing import Protocol

import numpy as np

from fleetsim.spec.trace.blocks import Block
from fleetsim.spec.trace.cells import fault_of, parse_count, parse_time
from fleetsim.spec.trace.csv_lines import Cells
from fleetsim.spec.trace.layout import TimeUnit
from fleetsim.spec.trace.report import ImportReport
from fleetsim.spec.trace.rows import ClassNames, Rows


class Lines(Protocol):
    """What takes a line apart."""

    def cells(self, line: str) -> Cells | str:
        """The cells of a line, or the reason why it has none."""
        ...


def read_lines(block: Block, lines: Lines, unit: TimeUnit, names: ClassNames, rows: Rows,
               report: ImportReport) -> None:
    """Add the good rows of a block and count the bad ones; empty lines are passed over."""
    good: list[tuple[int, int, int, int]] = []
    for line, raw in enumerate(block.data.split(b"\n"), block.line):
        text = raw.decode("utf-8", errors="replace").strip("\r\n ")
        if not text:
            continue
        report.read += 1
        if not is_utf8(raw):
            report.drop("not_utf8", line, text)
            continue
        found = lines.cells(text)
        if isinstance(found, str):
            report.drop(found, line, text)
            continue
        time_ns = parse_time(found.time, unit)
        prompt, output = parse_count(found.prompt), parse_count(found.output)
        name = None if found.class_ is None else found.class_.strip()
        reason = fault_of(time_ns, prompt, output, class_=name, calendar=unit == "iso")
        if reason is not None:
            report.drop(reason, line, text)
            continue
        assert time_ns is not None
        assert prompt is not None
        assert output is not None
        good.append((time_ns, prompt, output, 0 if name is None else names.number(name)))
    if good:
        table = np.array(good, np.int64)
        rows.append(table[:, 0], table[:, 1], table[:, 2], table[:, 3])


def is_utf8(data: bytes) -> bool:
    """Whether bytes are text."""
    try:
        data.isascii() or data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
