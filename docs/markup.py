"""Markdown that the reference pages are made of."""

from collections.abc import Iterable, Sequence


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table; `|` and line ends in cells are made harmless."""
    def line(cells: Sequence[object]) -> str:
        return "| " + " | ".join(cell(value) for value in cells) + " |"

    return "\n".join([line(head), "|" + "---|" * len(head), *(line(row) for row in rows)])


def cell(value: object) -> str:
    """A value as the text of one cell."""
    return " ".join(str(value).replace("|", "\\|").split())


def number(value: float) -> str:
    """A figure as a reader writes it."""
    return f"{value:,.10g}"
