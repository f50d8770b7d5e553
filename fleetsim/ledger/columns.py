"""A bill as columns of tables: hourly charges, hourly commitments, monthly invoices.

Times are int64 microseconds since 1970, money int64 micro-dollars, names coded.
"""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.charges import Charges
from fleetsim.ledger.commitment import Commitment
from fleetsim.ledger.rating import Bill
from fleetsim.timebase import EPOCH, HOUR_S
from fleetsim.units import Coded

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]

AMOUNTS = ("list", "contracted", "billed", "effective")


def cost_columns(charges: Charges, providers: Mapping[str, str]) -> dict[str, Any]:
    """Columns of `fact_cost_hourly`; `providers` by fleet."""
    return {
        "hour": charges.hour_us,
        **{name: Coded(*charges.text(name)) for name in ("fleet", "contract", "charge_category", "clause")},
        "provider": _providers(charges, providers),
        "gpu_hours": charges.gpu_s / HOUR_S,
        **{f"{name}_usd": getattr(charges, f"{name}_micro_usd") for name in AMOUNTS},
    }


def commitment_columns(commitments: list[Commitment], hour_us: "Int64",
                       providers: Mapping[str, str]) -> dict[str, Any]:
    """Columns of `fact_commitment_hourly`: the hours in which something was committed or a pot was open."""
    kept = [np.flatnonzero((each.committed_gpu_s > 0) | (each.committed_micro_usd > 0) |
                           (each.used_gpu_s > 0) if each.is_open is None else each.is_open)
            for each in commitments]
    hour = np.concatenate([np.zeros(0, dtype=np.int64), *kept])
    which = np.repeat(np.arange(len(commitments), dtype=np.int32), [len(rows) for rows in kept])
    order = np.lexsort((which, hour))

    def column(values: list[Any]) -> Any:
        parts = [array[rows] for array, rows in zip(values, kept, strict=True)]
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])[order]

    nothing = np.zeros_like(hour_us)
    owed = [nothing if each.remaining_micro_usd is None else each.remaining_micro_usd()
            for each in commitments]
    open_ended = [np.full(len(hour_us), each.remaining_micro_usd is None) for each in commitments]
    unused = [np.maximum(each.committed_gpu_s - each.used_gpu_s, 0) for each in commitments]
    return {
        "hour": hour_us[hour[order]],
        "contract": Coded(which[order], tuple(each.contract for each in commitments)),
        "provider": _coded([providers[each.fleet] for each in commitments], which[order]),
        "committed_gpu_hours": column([each.committed_gpu_s for each in commitments]) / HOUR_S,
        "used_gpu_hours": column([each.used_gpu_s for each in commitments]) / HOUR_S,
        "unused_gpu_hours": column(unused) / HOUR_S,
        "overage_gpu_hours": column([each.overage_gpu_s for each in commitments]) / HOUR_S,
        "committed_usd": column([each.committed_micro_usd for each in commitments]),
        "used_usd": column([each.used_micro_usd for each in commitments]),
        "unused_usd": column([each.committed_micro_usd - each.used_micro_usd for each in commitments]),
        "remaining_usd": np.ma.masked_array(column(owed), mask=column(open_ended).astype(bool)),
    }


def invoice_columns(bill: Bill, providers: Mapping[str, str]) -> dict[str, Any]:
    """Columns of `fact_invoice_monthly`: one row per month, provider and contract with a charge.

    A row whose charges add up to nothing stays: there is an invoice line behind it.
    """
    charges = bill.charges
    keys = [(providers[line.fleet], line.contract) for line in charges.lines]
    names = sorted(set(keys))
    place = np.array([names.index(key) for key in keys], dtype=np.int64)
    month = charges.hour_us.astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    first = int(month[0]) if len(month) else 0
    shape = (int(month[-1]) - first + 1 if len(month) else 0, len(names))
    sums = {}
    usage = np.array([line.charge_category == "Usage" for line in charges.lines], dtype=bool)
    for name in ("gpu_s", *(f"{amount}_micro_usd" for amount in AMOUNTS)):
        sums[name] = np.zeros(shape, dtype=np.int64)
        values = getattr(charges, name)
        if name == "gpu_s" and len(values):
            values = values * usage[charges.line]
        np.add.at(sums[name], (month - first, place[charges.line]) if len(month) else ([], []), values)
    charged = np.zeros(shape, dtype=bool)
    if len(month):
        charged[month - first, place[charges.line]] = True
    rows, columns = np.nonzero(charged)
    return {
        "month": [_first_day(first + int(row)) for row in rows],
        "provider": [names[column][0] for column in columns],
        "contract": [names[column][1] for column in columns],
        "gpu_hours": sums["gpu_s"][rows, columns] / HOUR_S,
        **{f"{name}_usd": sums[f"{name}_micro_usd"][rows, columns] for name in AMOUNTS},
    }


def _first_day(month_number: int) -> date:
    year, month = divmod(month_number, 12)
    return EPOCH.date().replace(year=1970 + year, month=month + 1)


def _providers(charges: Charges, providers: Mapping[str, str]) -> Coded:
    return _coded([providers[line.fleet] for line in charges.lines], charges.line)


def _coded(values: list[str], which: Any) -> Coded:
    """A text column: of each row the value at its place."""
    names = tuple(dict.fromkeys(values))
    codes = np.array([names.index(value) for value in values], dtype=np.int32)
    return Coded(codes[which] if len(codes) else np.zeros(0, dtype=np.int32), names)
