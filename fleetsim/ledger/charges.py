"""Charges: priced lines in columns, one row per hour, fleet, contract and clause."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]
    Int32 = np.ndarray[Any, np.dtype[np.int32]]

TextColumn = Literal["fleet", "contract", "charge_category", "clause"]


class Line(NamedTuple):
    """What a charge is for."""

    fleet: str
    contract: str
    charge_category: str
    """Usage or Purchase, as FOCUS names them."""
    clause: str
    """used, unused (paid and not taken), overage (taken above the commitment), usage (of a rate card)."""


@dataclass(frozen=True, kw_only=True)
class Charges:
    """Rows in order of hour, then line. Amounts are whole micro-dollars.

    `list` is public price x quantity, `contracted` negotiated price x quantity, `billed` what the
    invoice says, `effective` what the hour costs. Over a contract's term billed and effective agree.
    """

    lines: tuple[Line, ...]
    line: "Int32"
    """Of each row: index into `lines`."""
    hour_us: "Int64"
    gpu_s: "Int64"
    list_micro_usd: "Int64"
    contracted_micro_usd: "Int64"
    billed_micro_usd: "Int64"
    effective_micro_usd: "Int64"

    def __len__(self) -> int:
        return len(self.line)

    def text(self, column: TextColumn) -> "tuple[Int32, tuple[str, ...]]":
        """A text column: per row a code, and the names that the codes stand for."""
        values = [getattr(line, column) for line in self.lines]
        names = tuple(dict.fromkeys(values))
        codes = np.array([names.index(value) for value in values], dtype=np.int32)
        return codes[self.line], names


class Rows(NamedTuple):
    """Rows of one line: one value per hour of the block, of which those with a quantity are kept."""

    line: Line
    gpu_s: "Int64"
    list_micro_usd: "Int64"
    contracted_micro_usd: "Int64"


def collect(hour_us: "Int64", parts: Sequence[Rows]) -> Charges:
    """One table of all rows that charge something, in order of hour, then line.

    Billed and effective equal the contracted amount: all that is paid is paid in the hour it buys.
    """
    kept = [np.flatnonzero((part.gpu_s > 0) | (part.contracted_micro_usd > 0)) for part in parts]
    counts = [len(rows) for rows in kept]
    line = np.repeat(np.arange(len(parts), dtype=np.int32), counts)
    hour = _joined([rows.astype(np.int64) for rows in kept])
    order = np.argsort(hour, kind="stable")

    def column(name: str) -> "Int64":
        return _joined([getattr(part, name)[rows] for part, rows in zip(parts, kept, strict=True)])[order]

    contracted = column("contracted_micro_usd")
    return Charges(
        lines=tuple(part.line for part in parts),
        line=line[order],
        hour_us=hour_us[hour[order]],
        gpu_s=column("gpu_s"),
        list_micro_usd=column("list_micro_usd"),
        contracted_micro_usd=contracted,
        billed_micro_usd=contracted,
        effective_micro_usd=contracted,
    )


def _joined(arrays: "Sequence[Int64]") -> "Int64":
    return np.concatenate([np.zeros(0, dtype=np.int64), *arrays])
