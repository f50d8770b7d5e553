"""The P&L of a finished run under other charges: same traffic, same revenue, other compute and cash."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fleetsim.experiments.usage import deliveries_of
from fleetsim.ledger.bills import bills
from fleetsim.ledger.opening import opening_prepaid
from fleetsim.ledger.pnl_columns import pnl_columns
from fleetsim.ledger.recorded_month import RecordedMonth, recorded_months
from fleetsim.ledger.statement import BALANCE, Entry, RunningStatement
from fleetsim.timebase import epoch_s

if TYPE_CHECKING:
    from fleetsim.ledger.charges import Charges
    from fleetsim.model.scenario import Scenario
    from fleetsim.output.run import Run

KEPT = ("revenue/", "cost/")
"""The lines that do not depend on contracts."""


def rebilled_pnl(run: "Run", scenario: "Scenario", charges: "Charges") -> dict[str, Any] | None:
    """Columns of `fact_pnl_monthly` of a run with other charges; None without finance.

    `scenario` has the run's finance and fleets. With the run's own charges these are its own rows.
    """
    if scenario.finance is None:
        return None
    kept = _kept(run)
    roles = {name: fleet.role for name, fleet in scenario.fleets.items()}
    opening = opening_prepaid(scenario.contracts, deliveries_of(run), epoch_s(run.window.start))
    running = RunningStatement(scenario.finance, roles, opening)
    entries: list[Entry] = []
    for period in recorded_months(run.window.start, run.window.end):
        lines = [_entry(period, row) for row in kept[period.month]]
        revenue = [entry for entry in lines if entry.line.startswith(KEPT[0])]
        costs = [entry for entry in lines if entry.line.startswith(KEPT[1])]
        compute = running.compute(period, bills(charges, period))
        entries += running.settle(period, [*revenue, *compute, *costs])
    return pnl_columns(entries)


def revenue_of(run: "Run") -> dict[str, dict[int, int]]:
    """By stream and calendar month since January 1970: micro-dollars earned in the run."""
    found: dict[str, dict[int, int]] = {}
    for row in run.arrow("fact_pnl_monthly").to_pylist():
        if row["line"].startswith(KEPT[0]):
            month = (row["month"].year - 1970) * 12 + row["month"].month - 1
            stream = row["line"].removeprefix(KEPT[0])
            found.setdefault(stream, {})[month] = int(row["accrual_usd"].scaleb(6))
    return found


def _kept(run: "Run") -> Mapping[datetime, list[dict[str, Any]]]:
    """By month: the run's lines that stay."""
    found: dict[datetime, list[dict[str, Any]]] = {}
    for row in run.arrow("fact_pnl_monthly").to_pylist():
        month = datetime(row["month"].year, row["month"].month, 1, tzinfo=UTC)
        lines = found.setdefault(month, [])
        if row["line"] != BALANCE and row["line"].startswith(KEPT):
            lines.append(row)
    return found


def _entry(period: RecordedMonth, row: dict[str, Any]) -> Entry:
    def micro(usd: Decimal) -> int:
        return int(usd.scaleb(6))

    return Entry(period=period, line=row["line"], section=row["section"], role=row["role"],
                 accrual_micro_usd=micro(row["accrual_usd"]), cash_micro_usd=micro(row["cash_usd"]),
                 quantity=row["quantity"], unit=row["unit"] or "")
