"""Budgets beside charges, month by month."""

from collections.abc import Mapping
from datetime import timedelta
from fractions import Fraction
from typing import Any

import numpy as np

from fleetsim.ledger.charges import Charges
from fleetsim.ledger.money import MICRO
from fleetsim.ledger.periods import by_month
from fleetsim.model.base import at
from fleetsim.model.budget import Budget
from fleetsim.timebase import EPOCH, HOUR_US, add_months


def budget_columns(budgets: Mapping[str, Budget], charges: Charges, hour_us: Any) -> dict[str, Any]:
    """Columns of `fact_budget_monthly`; a month that is billed in part has its part of the budget."""
    rows: dict[str, list[Any]] = {"month": [], "budget": [], "budget_usd": [], "spent_usd": []}
    for month in by_month(hour_us // 1_000_000):
        first, last = int(hour_us[month.start]), int(hour_us[month.stop - 1]) + HOUR_US
        begins = (EPOCH + timedelta(microseconds=first)).replace(day=1, hour=0)
        whole = (add_months(begins, 1) - begins) // timedelta(microseconds=1)
        inside = (charges.hour_us >= first) & (charges.hour_us < last)
        for name, budget in budgets.items():
            own = inside & _counted(budget, charges)
            spent = getattr(charges, f"{budget.ledger}_micro_usd")[own]
            allowed = Fraction(at(budget.usd_per_month, begins)) * MICRO * (last - first) / whole
            rows["month"].append(begins.date())
            rows["budget"].append(name)
            rows["budget_usd"].append(round(allowed))
            rows["spent_usd"].append(int(spent.sum()))
    return {**rows, **{name: np.array(rows[name], dtype=np.int64) for name in ("budget_usd", "spent_usd")}}


def _counted(budget: Budget, charges: Charges) -> Any:
    """Of each row: whether the budget covers it."""
    covered = [(not budget.fleets or line.fleet in budget.fleets)
               and (not budget.contracts or line.contract in budget.contracts) for line in charges.lines]
    return np.array(covered, dtype=bool)[charges.line]
