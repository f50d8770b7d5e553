"""What the summary says of budgets, of cash and credits, and of the cost of capital."""

from typing import Any

import pytest

from fleetsim.report.finance import budgets, runway
from fleetsim.report.table import BAD, GOOD, Cell
from fleetsim.report.text import levelised

FIGURES: dict[str, Any] = {"finance.cash_usd": 2e6, "finance.credits_usd": None, "finance.prepaid_usd": 0.0,
                           "finance.burn_usd_per_month": 1e6, "finance.runway": "2024-08-25T05:17:00Z"}


def said(basis: str | None = None, **figures: Any) -> list[str]:
    changed = {f"finance.{name}": value for name, value in figures.items()}
    return [str(line.text if isinstance(line, Cell) else line)
            for line in runway({**FIGURES, **changed}, basis)]


def test_a_budget_that_a_month_exceeds_stands_out() -> None:
    of = {"budget_usd": 100.0, "spent_usd": 90.0, "used_frac": 0.9}
    figures = {f"budgets.{name}.{key}": value for name, over in (("all", 0), ("minimum", 2))
               for key, value in {**of, "months_over": over}.items()}
    table = budgets({"figures": {"cost.total_usd": 1.0, **figures}})
    assert [str(row[0]) for row in table.rows] == ["all", "minimum"]
    assert [[cell.style for cell in row if isinstance(cell, Cell)] for row in table.rows] == [
        [GOOD, GOOD], [BAD, BAD]]
    assert [[cell.text for cell in row if isinstance(cell, Cell)] for row in table.rows] == [
        ["90.0", "0"], ["90.0", "2"]]


def test_without_a_budget_there_is_no_table() -> None:
    assert budgets({"figures": {"cost.total_usd": 1.0}}).rows == []


def test_credits_without_cash_are_told() -> None:
    assert said(cash_usd=None) == []
    assert said(cash_usd=None, credits_usd=5e6) == ["Cloud credits at the end: $5.000M."]


@pytest.mark.parametrize("basis", [None, "recorded", "extrapolated"])
def test_what_is_paid_ahead_is_told(basis: str | None) -> None:
    assert "Paid ahead" not in said(basis)[0]
    assert said(basis, prepaid_usd=3e6)[0].endswith(" Paid ahead for compute at the end: $3.000M.")
    assert said(cash_usd=None, prepaid_usd=3e6) == ["Paid ahead for compute at the end: $3.000M."]


def test_the_cost_of_capital_of_owned_hardware_is_told() -> None:
    figures = {"contracts.own.levelised_usd_per_gpu_hour": 0.8498,
               "contracts.own.capital_charge_usd": 426.3e6,
               "contracts.rent.levelised_usd_per_gpu_hour": None, "contracts.rent.capital_charge_usd": None}
    assert levelised({"figures": figures, "contracts": {"rent": {}, "own": {}}}) == [
        "own: $0.8498 per GPU-hour with the cost of capital, $426.3M beyond the cost."]
