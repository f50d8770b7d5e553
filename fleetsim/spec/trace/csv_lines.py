"""Lines of a CSV file: its header, and the cells of one line."""

import csv
from pathlib import Path
from typing import NamedTuple

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.spec.trace.formats import format_of
from fleetsim.spec.trace.jobs.layout import JobLayout
from fleetsim.spec.trace.layout import Layout

MOST_CHARACTERS = 80
"""Of a name in a header that is shown."""


class Cells(NamedTuple):
    """What a row says, as text."""

    time: str
    prompt: str
    output: str
    class_: str | None
    """None when the layout has no class column."""


class CsvLines:
    """Reads the rows under one header. A row is one line: quotes are understood, line ends in them not."""

    def __init__(self, path: Path, layout: Layout, header: str) -> None:
        self.header = header_of(path, layout, header)
        places = [self.header.index(column) for column in layout.columns()]
        self.time, self.prompt, self.output = places[:3]
        self.class_ = places[3] if len(places) > 3 else None

    def cells(self, line: str) -> Cells | str:
        """The cells of a line, or the reason why it has none."""
        found = split_row(line, len(self.header))
        if isinstance(found, str):
            return found
        return Cells(found[self.time], found[self.prompt], found[self.output],
                     None if self.class_ is None else found[self.class_])


def split_row(line: str, width: int) -> list[str] | str:
    """The `width` cells of a line, or the reason why it has not as many."""
    if '"' in line:
        try:
            found = next(csv.reader([line], strict=True))
        except csv.Error:
            return "unreadable_row"
    else:
        found = line.split(",")
    if len(found) != width:
        return "missing_columns" if len(found) < width else "extra_columns"
    return found


def header_of(path: Path, layout: Layout | JobLayout, line: str) -> list[str]:
    """The names in a header; UsageError when it lacks a column of the layout or has one of them twice."""
    try:
        names = [name.strip() for name in next(csv.reader([line], strict=True), [])]
    except csv.Error:
        names = [line.strip()]
    for column in layout.columns():
        if column not in names:
            other = format_of(names, besides=layout.name)
            hint = (f"its columns are those of --format {other}" if other
                    else "the line is empty" if not names else one_cell(names[0]) if len(names) == 1
                    else did_you_mean(column, [cut(name) for name in names]))
            raise UsageError(f"{path}:1: error: the header has no column {column!r} of format "
                             f"{layout.name} ({hint})")
        if names.count(column) > 1:
            raise UsageError(f"{path}:1: error: the header has {names.count(column)} columns {column!r}")
    return names


def one_cell(name: str) -> str:
    """What is wrong with a header of one cell."""
    return f"it is one cell, {cut(name)!r}: is the delimiter a comma?"


def cut(text: str) -> str:
    """The start of a long name."""
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."
