"""Variance: a run's monthly bill beside what was really paid, compared by what both know."""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.experiments.actuals import Actual, read_actuals
from fleetsim.timebase import add_months

if TYPE_CHECKING:
    from fleetsim.experiments.rebill import Rebilled
    from fleetsim.output.run import Run
    from fleetsim.output.window import Window

Sums = dict[tuple[date, tuple[str, ...]], tuple[Decimal, ...]]
"""By month and key: the amounts."""


@dataclass(frozen=True)
class VarianceRow:
    """One month of one provider, fleet or contract, as far as the actuals tell them apart."""

    month: date
    key: tuple[str, ...]
    amount: str
    """billed_usd or effective_usd."""
    simulated_usd: Decimal
    actual_usd: Decimal | None
    """None in a month of which the actuals have no row."""

    @property
    def difference_usd(self) -> Decimal | None:
        """Actual - simulated: above 0 it cost more than planned."""
        return None if self.actual_usd is None else self.actual_usd - self.simulated_usd


@dataclass(frozen=True)
class Variance:
    """Every month, then the total, per amount that the actuals have."""

    keys: tuple[str, ...]
    rows: tuple[VarianceRow, ...]
    notes: tuple[str, ...] = ()
    """What was left out, and names that the run does not have."""

    def total(self, amount: str) -> VarianceRow:
        """The sum over the months that both have."""
        own = [(row.simulated_usd, row.actual_usd) for row in self.rows
               if row.amount == amount and row.actual_usd is not None]
        simulated, actual = (sum(amounts, Decimal(0)) for amounts in zip(*own, strict=True))
        return VarianceRow(self.rows[0].month, ("total",), amount, simulated, actual)

    @property
    def amounts(self) -> list[str]:
        """The amounts that are compared."""
        return list(dict.fromkeys(row.amount for row in self.rows))

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON; amounts as decimal strings."""
        def row_of(row: VarianceRow, month: str) -> dict[str, Any]:
            difference = row.difference_usd
            return {"month": month, **dict(zip(self.keys, row.key, strict=False)), "amount": row.amount,
                    "simulated_usd": str(row.simulated_usd), "actual_usd": _text(row.actual_usd),
                    "difference_usd": _text(difference),
                    "difference_frac": float(difference / row.simulated_usd)
                    if difference is not None and row.simulated_usd else None}

        return {"keys": list(self.keys),
                "rows": [row_of(row, row.month.isoformat()[:7]) for row in self.rows],
                "totals": [row_of(self.total(amount), "total") for amount in self.amounts],
                "notes": list(self.notes)}


def variance(run: "Run | Rebilled", actuals: str | os.PathLike[str]) -> Variance:
    """The run's bill against a file of actual costs; UsageError when the file cannot be used.

    Names are compared without regard to case. Months that the run does not have are left out, and months
    that the file does not have are not compared; notes tell both.
    """
    paid = read_actuals(actuals)
    simulated = _simulated(run, paid.keys, paid.amounts)
    window = _window(run)
    months = _months(window)
    inside = [row for row in paid.rows if row.month in months]
    outside = [row for row in paid.rows if row.month not in months]
    first, last = f"{min(months):%Y-%m}", f"{max(months):%Y-%m}"
    if not inside:
        raise UsageError(f"{os.fspath(actuals)}: no row is of a month of the run, {first} to {last}")
    notes = []
    if outside:
        left = " and ".join(f"{name} {sum(row.amounts[place] for row in outside):,.2f}"
                            for place, name in enumerate(paid.amounts))
        notes.append(f"{len(outside)} of the {len(paid.rows)} rows left out, of months outside the run "
                     f"({first} to {last}): {left}")
    given = {row.month for row in inside}
    missing = sorted(months - given)
    if missing:
        notes.append(f"the actuals have no row of {', '.join(f'{month:%Y-%m}' for month in missing)}: "
                     "left out of the total")
    notes += _cut(window)
    spelled, unknown = _spelling(paid.keys, inside, simulated)
    zero = (Decimal(0),) * len(paid.amounts)
    actual: Sums = {}
    for row in inside:
        place = (row.month, tuple(spelled[key, name] for key, name in zip(paid.keys, row.key, strict=True)))
        actual[place] = tuple(a + b for a, b in zip(actual.get(place, zero), row.amounts, strict=True))
    together = sorted(set(actual) | set(simulated))
    return Variance(paid.keys, tuple(
        VarianceRow(month, key, amount, simulated.get((month, key), zero)[place],
                    actual.get((month, key), zero)[place] if month in given else None)
        for place, amount in enumerate(paid.amounts) for month, key in together), tuple(notes + unknown))


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _window(run: "Run | Rebilled") -> "Window":
    """The recorded hours."""
    return run.window if hasattr(run, "window") else run.run.window


def _months(window: "Window") -> set[date]:
    """First days of the calendar months that have recorded hours."""
    found, at = set(), datetime(window.start.year, window.start.month, 1, tzinfo=UTC)
    while at < window.end:
        found.add(at.date())
        at = add_months(at, 1)
    return found


def _cut(window: "Window") -> list[str]:
    """Months of which the run has a part."""
    notes = []
    for month in sorted(_months(window)):
        start = datetime(month.year, month.month, 1, tzinfo=UTC)
        end = add_months(start, 1)
        hours = (min(end, window.end) - max(start, window.start)).total_seconds() / 3_600
        whole = (end - start).total_seconds() / 3_600
        if hours < whole:
            notes.append(f"the run has {hours:,.0f} of the {whole:,.0f} hours of {month:%Y-%m}")
    return notes


def _spelling(keys: Sequence[str], rows: Iterable[Actual], simulated: Mapping[Any, Any],
              ) -> tuple[dict[tuple[str, str], str], list[str]]:
    """By key and name in the file: the run's name for it, or its own; and notes on names nobody knows."""
    from fleetsim.output.export.plain_text import ascii_of

    spelled: dict[tuple[str, str], str] = {}
    notes = []
    for place, key in enumerate(keys):
        known = sorted({names[place] for _, names in simulated})
        folded = {form.casefold(): name for name in known for form in (ascii_of(name), name)}
        for name in dict.fromkeys(row.key[place] for row in rows):
            spelled[key, name] = folded.get(name.casefold(), name)
            if name.casefold() not in folded:
                notes.append(f"the run has no {key} {name!r} ({did_you_mean(name, known)})")
    return spelled, notes


def _simulated(run: "Run | Rebilled", keys: Sequence[str], amounts: Sequence[str]) -> Sums:
    """The run's sums by month and keys."""
    import duckdb

    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    connection.register("charges", run.arrow("fact_cost_hourly"))
    groups = ["date_trunc('month', hour)::date", *(f"coalesce({key}::varchar, '')" for key in keys)]
    sums = [f"sum({amount}::decimal(38, 6))" for amount in amounts]
    rows = connection.execute(f"select {', '.join([*groups, *sums])} from charges "
                              f"group by {', '.join(groups)}").fetchall()
    connection.close()
    return {(row[0], tuple(row[1:len(groups)])): tuple(Decimal(value or 0) for value in row[len(groups):])
            for row in rows}
