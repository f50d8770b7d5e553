"""Tables of text: aligned, with a title, as wide as the reader's terminal."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

GOOD, BAD, QUIET = "green", "red", "dim"
"""Styles of a cell; without colour they vanish and the words remain."""
FOLDED = 12
"""Columns that a text keeps at least where a table is too wide for the page."""


@dataclass(frozen=True)
class Cell:
    """A text with a style."""

    text: str
    style: str = ""


@dataclass
class Table:
    """Columns with their side, rows of texts or cells, and lines that stand before the table.

    A `|` in front of a heading marks a column of numbers: `|GPUs short`.
    """

    title: str
    headings: Sequence[str]
    rows: list[Sequence[str | Cell]] = field(default_factory=list)
    totals: int = 0
    """So many of the last rows are totals, set apart by a rule."""
    lead: Sequence[str | Cell] = ()
    foot: Sequence[str | Cell] = ()
    """Lines that stand below the table."""
    remarks: list[str] = field(default_factory=list)
    """One text per row that stands below it over the whole width; or none at all."""


def render(tables: Sequence[Table | str], *, width: int = 100, terminal: bool = False) -> str:
    """The tables and paragraphs below each other; plain ASCII and no colour unless for a terminal."""
    from rich.console import Console

    out = StringIO()
    console = Console(file=out, width=width, force_terminal=terminal, highlight=False, markup=False,
                      color_system="auto" if terminal else None, emoji=False, legacy_windows=False)
    for part in tables:
        if isinstance(part, str):
            print_text(console, part, width)
        else:
            print_table(console, part, terminal)
        console.print()
    return "\n".join(line.rstrip() for line in out.getvalue().rstrip("\n").split("\n")) + "\n"


def print_text(console: "Console", text: str, width: int) -> None:
    """A paragraph wrapped at words; several lines, such as commands to copy, stay as they are written."""
    from textwrap import fill

    if "\n" not in text:
        text = fill(text, width, break_long_words=False, break_on_hyphens=False)
    console.print(text, soft_wrap=True)


def print_table(console: "Console", table: Table, terminal: bool) -> None:
    """One table: title, lead lines, columns."""
    from rich.padding import Padding
    from rich.text import Text

    console.print(Text(table.title, style="bold"))
    for line in table.lead:
        console.print(Padding(rich_text(line), (0, 0, 0, 2)))
    if table.remarks:
        print_with_remarks(console, table)
    elif table.rows:
        print_grid(console, table, terminal)
    for line in table.foot:
        console.print(Padding(rich_text(line), (0, 0, 0, 2)))


def print_grid(console: "Console", table: Table, terminal: bool) -> None:
    """Columns under their headings, a rule before the totals."""
    from rich import box
    from rich.table import Table as RichTable

    ascii_head = box.Box("    \n    \n -- \n    \n -- \n -- \n    \n    \n", ascii=True)
    grid = RichTable(box=box.SIMPLE_HEAD if terminal else ascii_head, pad_edge=False, header_style="dim",
                     show_edge=False, padding=(0, 1, 0, 0))
    for heading in table.headings:
        side: Literal["left", "right"] = "right" if heading.startswith("|") else "left"
        grid.add_column(heading.removeprefix("|"), justify=side, overflow="fold", no_wrap=side == "right")
    for index, row in enumerate(table.rows):
        last_before_totals = table.totals and index == len(table.rows) - table.totals - 1
        grid.add_row(*(rich_text(cell) for cell in row), end_section=bool(last_before_totals))
    # Names are folded before numbers are cut; numbers that do not fit make the table wider than the page.
    longest = [max(len(rich_text(cell)) for cell in cells)
               for cells in zip(table.headings, *table.rows, strict=True)]
    narrowest = sum(2 + (width if heading.startswith("|") else min(width, FOLDED))
                    for heading, width in zip(table.headings, longest, strict=True))
    page, console.width = console.width, max(console.width, narrowest)
    console.print(grid)
    console.width = page


def print_with_remarks(console: "Console", table: Table) -> None:
    """The same, with a wrapped remark below each row."""
    from rich.padding import Padding
    from rich.text import Text

    rows = [[rich_text(cell) for cell in row] for row in table.rows]
    headings = [Text(heading.removeprefix("|"), style="dim") for heading in table.headings]
    widths = [max(len(cell) for cell in column) for column in zip(headings, *rows, strict=True)]
    for cells in (headings, *rows):
        for cell, width, heading in zip(cells, widths, table.headings, strict=True):
            cell.align("right" if heading.startswith("|") else "left", width)
    console.print(Text("  ").join(headings), no_wrap=True, overflow="ignore", crop=False)
    console.print(Text("-" * (sum(widths) + 2 * len(widths) - 2), style="dim"), no_wrap=True, crop=False)
    for cells, remark in zip(rows, table.remarks, strict=True):
        console.print(Text("  ").join(cells), no_wrap=True, overflow="ignore", crop=False)
        console.print(Padding(Text(remark, style="dim"), (0, 0, 0, 4)))


def rich_text(cell: str | Cell) -> "Text":
    """The cell as rich prints it."""
    from rich.text import Text

    return Text(cell) if isinstance(cell, str) else Text(cell.text, style=cell.style)


def plain_table(headings: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool]) -> str:
    """Any number of columns, as wide as they need to be; numbers to the right."""
    widths = [max([len(heading), *(len(row[index]) for row in rows)])
              for index, heading in enumerate(headings)]

    def line(cells: Sequence[str]) -> str:
        parts = [cell.rjust(width) if right else cell.ljust(width)
                 for cell, width, right in zip(cells, widths, numeric, strict=True)]
        return "  ".join(parts).rstrip()

    return "\n".join([line(headings), "  ".join("-" * width for width in widths), *map(line, rows)]) + "\n"
