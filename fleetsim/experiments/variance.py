"""Variance: a run's monthly bill beside what was really paid, from a FOCUS file or a plain table.

A plain table (CSV or Parquet) has `month`, `billed_usd` or `effective_usd` or both, and any of `provider`,
`fleet` and `contract`. A FOCUS file has its own column names. Months are compared by what both know.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetsim.errors import UsageError

if TYPE_CHECKING:
    from fleetsim.experiments.rebill import Rebilled
    from fleetsim.output.run import Run

FOCUS = {"BillingPeriodStart": "month", "BilledCost": "billed_usd", "EffectiveCost": "effective_usd",
         "ProviderName": "provider", "x_FleetName": "fleet", "CommitmentDiscountName": "contract"}
"""FOCUS column: its name here."""
AMOUNTS = ("billed_usd", "effective_usd")
KEYS = ("provider", "fleet", "contract")


@dataclass(frozen=True)
class VarianceRow:
    """One month of one provider, fleet or contract, as far as the actuals tell them apart."""

    month: date
    key: tuple[str, ...]
    amount: str
    """billed_usd or effective_usd."""
    simulated_usd: Decimal
    actual_usd: Decimal

    @property
    def difference_usd(self) -> Decimal:
        """Actual - simulated: above 0 it cost more than planned."""
        return self.actual_usd - self.simulated_usd


@dataclass(frozen=True)
class Variance:
    """Every month, then the total, per amount that the actuals have."""

    keys: tuple[str, ...]
    rows: tuple[VarianceRow, ...]

    def total(self, amount: str) -> VarianceRow:
        """The sum over all months."""
        own = [row for row in self.rows if row.amount == amount]
        simulated, actual = (sum((getattr(row, name) for row in own), Decimal(0))
                             for name in ("simulated_usd", "actual_usd"))
        return VarianceRow(own[0].month, ("total",), amount, simulated, actual)

    @property
    def amounts(self) -> list[str]:
        """The amounts that are compared."""
        return list(dict.fromkeys(row.amount for row in self.rows))

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON; amounts as decimal strings."""
        def row_of(row: VarianceRow, month: str) -> dict[str, Any]:
            return {"month": month, **dict(zip(self.keys, row.key, strict=False)), "amount": row.amount,
                    "simulated_usd": str(row.simulated_usd), "actual_usd": str(row.actual_usd),
                    "difference_usd": str(row.difference_usd),
                    "difference_frac": float(row.difference_usd / row.simulated_usd)
                    if row.simulated_usd else None}

        return {"keys": list(self.keys),
                "rows": [row_of(row, row.month.isoformat()[:7]) for row in self.rows],
                "totals": [row_of(self.total(amount), "total") for amount in self.amounts]}


def variance(run: "Run | Rebilled", actuals: str | os.PathLike[str]) -> Variance:
    """The run's bill against a file of actual costs; UsageError when the file cannot be used."""
    import duckdb

    path = Path(actuals)
    if not path.is_file():
        raise UsageError(f"no such file: {path}")
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    reader = "read_parquet" if path.suffix == ".parquet" else "read_csv_auto"
    try:
        name = str(path).replace("'", "''")
        rows: Any = connection.sql(f"select * from {reader}('{name}')").to_arrow_table()
        names = {FOCUS.get(name, name): name for name in rows.column_names}
        amounts = [name for name in AMOUNTS if name in names]
        if "month" not in names or not amounts:
            raise UsageError(f"{path}: actuals need a column `month` (or BillingPeriodStart) and "
                             "`billed_usd` or `effective_usd` (or BilledCost, EffectiveCost); it has "
                             f"{', '.join(rows.column_names)}")
        keys = tuple(key for key in KEYS if key in names)
        connection.register("actuals", rows)
        found = _sums(connection, "actuals", names, keys, amounts)
    except duckdb.Error as error:
        raise UsageError(f"{path} cannot be read as a table: {error}") from error
    connection.register("charges", run.arrow("fact_cost_hourly"))
    own = {name: name for name in (*keys, *amounts)} | {"month": "hour"}
    simulated = _sums(connection, "charges", own, keys, amounts)
    zero = (Decimal(0),) * len(amounts)
    together = sorted(set(found) | set(simulated))
    return Variance(keys, tuple(
        VarianceRow(month, key, amount, simulated.get((month, key), zero)[place],
                    found.get((month, key), zero)[place])
        for place, amount in enumerate(amounts) for month, key in together))


def _sums(connection: Any, table: str, names: dict[str, str], keys: Sequence[str],
          amounts: Sequence[str]) -> dict[tuple[date, tuple[str, ...]], tuple[Decimal, ...]]:
    """Sums by month and keys."""
    month = f"date_trunc('month', \"{names['month']}\"::timestamp)::date"
    groups = [f"coalesce(\"{names[key]}\"::varchar, '')" for key in keys]
    sums = [f"sum(\"{names[amount]}\"::decimal(38, 6))" for amount in amounts]
    query = (f"select {', '.join([month, *groups, *sums])} from {table} "
             f"group by {', '.join(str(k + 1) for k in range(1 + len(groups)))}")
    first = 1 + len(keys)
    return {(row[0], tuple(row[1:first])): tuple(Decimal(value or 0) for value in row[first:])
            for row in connection.execute(query).fetchall()}
