"""What a file of requests looks like: which column holds what, in which unit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fleetsim.errors import UsageError

TimeUnit = Literal["iso", "s", "ms", "us", "ns"]
UNITS: dict[TimeUnit, int] = {"s": 9, "ms": 6, "us": 3, "ns": 0}
"""Decimal places of a nanosecond in each unit of a number; `iso` is a calendar time instead."""


@dataclass(frozen=True)
class Layout:
    """The columns of one file. Names are matched exactly, in any order; other columns are ignored."""

    name: str
    """Name of the format."""
    time: str
    """Column with the arrival."""
    prompt: str
    """Column with the prompt's tokens."""
    output: str
    """Column with the output's tokens."""
    unit: TimeUnit
    """ISO 8601 (UTC where no zone is written), or a number of these."""
    class_column: str | None = None
    """Column with the traffic class; none: all requests are of one class."""
    lines: Literal["csv", "json"] = "csv"
    """CSV with a header, or one JSON object per line."""

    def columns(self) -> list[str]:
        """The columns that a file must have."""
        named = (self.time, self.prompt, self.output, self.class_column)
        return [column for column in named if column is not None]


@dataclass(frozen=True)
class Format:
    """A public format."""

    layout: Layout | None
    """Its columns; none when the caller names them (`generic`)."""
    about: str
    """What publishes it, in one line."""


def named_columns(options: Mapping[str, str | None], format_: str) -> list[str]:
    """The columns that options name; UsageError when one names none, or two the same."""
    columns = [column for column in options.values() if column is not None]
    missing = [option for option, column in options.items() if column is None]
    if missing:
        raise UsageError(f"--format {format_} needs {', '.join(missing)}")
    for column in columns:
        twins = [option for option, its in options.items() if its == column]
        if len(twins) > 1:
            raise UsageError(f"{' and '.join(twins)} are both {column!r}; name the column of each")
    return columns
