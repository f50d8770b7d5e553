"""Invoices in whole cents: one charge per provider and month takes its invoice there."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.charges import Line, Rows, single
from fleetsim.ledger.money import CENT, half_even
from fleetsim.ledger.periods import by_month

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


def rounding(charged: Sequence[Rows], hour_s: "Int64", providers: Mapping[str, str]) -> list[Rows]:
    """In the last hour of each month, on the contract and fleet that is billed most of the invoice then.

    `providers` by fleet. Of equal amounts the first by name has it.
    """
    starts = np.array([month.start for month in by_month(hour_s)], dtype=np.int64)
    billed: dict[str, dict[tuple[str, str], Int64]] = {}
    for rows in charged:
        if rows.line.fleet in providers:
            of_provider = billed.setdefault(providers[rows.line.fleet], {})
            key = rows.line.contract, rows.line.fleet
            of_provider[key] = of_provider.get(key, 0) + np.add.reduceat(
                rows.by_hour("billed_micro_usd", len(hour_s)), starts)
    last = [*(starts[1:] - 1).tolist(), len(hour_s) - 1]
    found = []
    for amounts in billed.values():
        for place, months in zip(last, zip(*(own.tolist() for own in amounts.values()), strict=True),
                                 strict=True):
            total = sum(months)
            missing = half_even(total, CENT) * CENT - total
            if missing:
                _, _, (contract, fleet) = min((-abs(amount), -amount, key)
                                              for key, amount in zip(amounts, months, strict=True))
                found.append(single(Line(fleet, contract, "Adjustment", "rounding"), [place], [missing]))
    return found
