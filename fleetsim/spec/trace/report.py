"""What an import read, kept and dropped, and where the dropped rows stand."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

REASONS = {
    "missing_columns": "fewer cells than the header has columns",
    "extra_columns": "more cells than the header has columns",
    "unreadable_row": "no row of this format",
    "not_utf8": "bytes that are not UTF-8",
    "unreadable_time": "the time cannot be read",
    "unreadable_number": "a token count is no whole number",
    "no_class": "the traffic class is empty",
    "negative": "a time or a token count below zero",
    "too_large": "more tokens than 2,147,483,647",
    "zero_prompt": "a prompt of no tokens",
    "zero_output": "an output of no tokens",
}
"""Why a row is dropped; of several reasons the first in this order counts."""
MOST_SHOWN = 10
"""Rows of each reason whose place is kept."""
MOST_CHARACTERS = 60
"""Of a bad value that is shown."""


@dataclass(frozen=True)
class BadRow:
    """One dropped row."""

    line: int
    """Its line in the file, from 1."""
    value: str
    """What stands there."""


@dataclass
class RowReport:
    """Counts of any import; read = kept + dropped."""

    reasons: ClassVar[Mapping[str, str]]
    """Why a row may be dropped."""
    format: str
    source: str
    """Name of the file, without its folder."""
    sha256: str = ""
    """Of the file's bytes."""
    read: int = 0
    """Rows, without the header and empty lines."""
    kept: int = 0
    dropped: dict[str, int] = field(default_factory=dict)
    """Rows by reason."""
    bad_rows: dict[str, list[BadRow]] = field(default_factory=dict)
    """The first ten of each reason."""
    out_of_order: int = 0
    """Kept rows that came after a later one; they were sorted in."""
    start: str | None = None
    """First arrival, ISO 8601 in UTC; null when the file has no calendar."""
    span_s: float = 0.0
    """First to last arrival, seconds."""

    def drop(self, reason: str, line: int, value: str) -> None:
        """One row is not used."""
        self.drop_many(reason, 1, [BadRow(line, shortened(value))])

    def drop_many(self, reason: str, count: int, first: list[BadRow]) -> None:
        """`count` rows are not used; `first` are the first of them."""
        self.dropped[reason] = self.dropped.get(reason, 0) + count
        shown = self.bad_rows.setdefault(reason, [])
        shown.extend(first[:MOST_SHOWN - len(shown)])

    def shown(self, reason: str) -> int:
        """How many rows of this reason can still be shown."""
        return MOST_SHOWN - len(self.bad_rows.get(reason, ()))

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON has it, reasons in their own order."""
        data = asdict(self)
        for key in ("dropped", "bad_rows"):
            data[key] = {reason: data[key][reason] for reason in self.reasons if reason in data[key]}
        return data


@dataclass
class ImportReport(RowReport):
    """Counts of an import of requests."""

    reasons: ClassVar[Mapping[str, str]] = REASONS
    duplicates: int = 0
    """Kept rows that equal an earlier one in time, tokens and class; they stay."""
    classes: dict[str, int] = field(default_factory=dict)
    """Kept rows by traffic class, in order of appearance."""


def shortened(text: str) -> str:
    """The start of a long text."""
    text = text.strip()
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}..."
