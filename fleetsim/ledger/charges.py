"""Charges: priced lines in columns, one row per hour, fleet, contract and clause."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]
    Int32 = np.ndarray[Any, np.dtype[np.int32]]

TextColumn = Literal["fleet", "contract", "charge_category", "clause"]

CLAUSES = {
    "used": "Usage that a commitment covers.",
    "unused": "Paid for by a commitment and not used, or lapsed.",
    "overage": "Usage above a commitment, at the price of its own contract.",
    "made_up": "Usage that was paid for in an earlier period and is taken now.",
    "on_demand": "Usage at a price list.",
    "spot": "Usage at the market's price.",
    "upfront": "Payment at the start of a commitment.",
    "recurring": "Payment of a month's commitment.",
    "make_up": "Payment for what was not taken and may be taken later.",
    "refund": "Prepayment that is given back.",
    "capex": "Purchase of hardware; negative: its sale at the end of its life.",
    "depreciation": "Hardware of one's own, written off; its GPU-hours.",
    "past_life": "GPU-hours of one's own hardware that is written off.",
    "power": "Electricity of one's own hardware.",
    "colocation": "Space for one's own hardware.",
    "maintenance": "Spares and repair of one's own hardware.",
    "staff": "Staff who run one's own hardware.",
    "tier_settlement": "Difference to the price of the tier that the period reached.",
    "drawdown": "Charges of other contracts paid from a pot.",
    "shortfall": "Commitment not reached at the end of its period.",
    "termination_fee": "Fee for ending a commitment early.",
    "sla_credit": "Credit for missed uptime.",
    "delay_credit": "Credit for a late delivery.",
    "revenue_share": "Share of revenue that is due to the provider.",
    "rounding": "Invoice rounded to whole cents.",
}
"""Every clause that a charge can name."""


class Line(NamedTuple):
    """What a charge is for."""

    fleet: str
    contract: str
    charge_category: str
    """Usage, Purchase, Credit or Adjustment, as FOCUS names them."""
    clause: str
    """What the contract charges for, one of CLAUSES; tiers after the first add `_tier_2` and on."""


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
    """Rows of one line: one value per hour of the block, or per hour of `at`; rows without any are left out.

    Amounts that are not given are 0; billed and effective are the contracted one unless given.
    """

    line: Line
    gpu_s: "Int64"
    list_micro_usd: "Int64 | None" = None
    contracted_micro_usd: "Int64 | None" = None
    billed_micro_usd: "Int64 | None" = None
    effective_micro_usd: "Int64 | None" = None
    at: "Int64 | None" = None
    """Index of the hour of each row; every hour in order when None."""

    def amounts(self) -> "dict[str, Int64]":
        """Quantity and the four amounts, by column."""
        nothing = np.zeros_like(self.gpu_s)
        contracted = nothing if self.contracted_micro_usd is None else self.contracted_micro_usd
        return {
            "gpu_s": self.gpu_s,
            "list_micro_usd": contracted if self.list_micro_usd is None else self.list_micro_usd,
            "contracted_micro_usd": contracted,
            "billed_micro_usd": contracted if self.billed_micro_usd is None else self.billed_micro_usd,
            "effective_micro_usd":
                contracted if self.effective_micro_usd is None else self.effective_micro_usd,
        }

    def by_hour(self, column: str, hours: int) -> "Int64":
        """One of `amounts` for each hour of a block of so many."""
        amounts = self.amounts()[column]
        if self.at is None:
            return amounts
        found = np.zeros(hours, dtype=np.int64)
        np.add.at(found, self.at, amounts)
        return found


def used(line: Line, gpu_s: "Int64", listed: "Int64", contracted: "Int64", effective: "Int64") -> Rows:
    """Usage that a commitment covers: billed with the commitment, not by itself."""
    return Rows(line, gpu_s, listed, contracted, np.zeros_like(gpu_s), effective)


def unused(line: Line, gpu_s: "Int64", effective: "Int64") -> Rows:
    """What a commitment paid for and nobody used."""
    nothing = np.zeros_like(gpu_s)
    return Rows(line, gpu_s, nothing, nothing, nothing, effective)


def purchase(line: Line, at: "Sequence[int] | Int64", gpu_s: Any, billed: Any) -> Rows:
    """A payment for a commitment: cash now, cost in the hours that it buys."""
    places = np.asarray(at, dtype=np.int64)
    nothing = np.zeros_like(places)
    quantity = np.asarray(gpu_s, dtype=np.int64)
    return Rows(line, quantity, nothing, nothing, np.asarray(billed, dtype=np.int64), nothing, places)


def single(line: Line, at: "Sequence[int] | Int64", amount: Any) -> Rows:
    """Credits, fees and settlements: billed and effective are the same, without a quantity."""
    places = np.asarray(at, dtype=np.int64)
    nothing = np.zeros_like(places)
    money = np.asarray(amount, dtype=np.int64)
    return Rows(line, nothing, nothing, nothing, money, money, places)


COLUMNS = ("gpu_s", "list_micro_usd", "contracted_micro_usd", "billed_micro_usd", "effective_micro_usd")


def collect(hour_us: "Int64", parts: Sequence[Rows]) -> Charges:
    """One table of all rows that charge something, in order of hour, then line; a key stands once."""
    lines = tuple(dict.fromkeys(part.line for part in parts))
    hours, codes = [], []
    columns: dict[str, list[Int64]] = {name: [] for name in COLUMNS}
    for part in parts:
        amounts = part.amounts()
        says = (part.gpu_s != 0) | (amounts["billed_micro_usd"] != 0) | (amounts["effective_micro_usd"] != 0)
        kept = np.flatnonzero(says)
        hours.append(kept if part.at is None else part.at[kept])
        codes.append(np.full(len(kept), lines.index(part.line), dtype=np.int32))
        for name, values in amounts.items():
            columns[name].append(values[kept])
    hour, line = _joined(hours), np.concatenate([np.zeros(0, dtype=np.int32), *codes])
    key = hour * max(len(lines), 1) + line  # the parts are sorted, so a stable sort only merges them
    order = np.argsort(key, kind="stable")
    line, hour, key = line[order], hour[order], key[order]
    fresh = np.ones(len(line), dtype=bool)
    fresh[1:] = key[1:] != key[:-1]
    amounts = {name: _joined(values)[order] for name, values in columns.items()}
    if not fresh.all():
        starts = np.flatnonzero(fresh)
        line, hour = line[starts], hour[starts]
        amounts = {name: np.add.reduceat(values, starts) for name, values in amounts.items()}
    return Charges(lines=lines, line=line, hour_us=hour_us[hour], **amounts)


def _joined(arrays: "Sequence[Int64]") -> "Int64":
    return np.concatenate([np.zeros(0, dtype=np.int64), *arrays])
