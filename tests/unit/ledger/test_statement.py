"""Monthly statements: signs, exactness, credits, cash and when it is used up."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetsim.ledger.recorded_month import recorded_months
from fleetsim.ledger.revenue import Served
from fleetsim.ledger.runway import LONGEST_US, MONTH_US, Runway, extrapolated
from fleetsim.ledger.statement import Entry, FleetBill, Month, RunningStatement, statement
from fleetsim.model.costs import MonthlyCost
from fleetsim.model.finance import Finance, Round
from fleetsim.model.revenue import MonthlyRevenue
from fleetsim.timebase import epoch_us

ROLES = {"azure": "serving", "lab": "training"}
MILLION = 1_000_000


def day(month: int, number: int) -> datetime:
    return datetime(2024, month, number, tzinfo=UTC)


JANUARY = day(1, 1)


def run(finance: Finance, bills: list[dict[str, FleetBill]], start: datetime = JANUARY) -> list[list[Entry]]:
    """The statement of so many months, month by month."""
    end = day(start.month + len(bills), 1)
    found = recorded_months(start, end)
    served = Served(hour_us=np.zeros(0, dtype=np.int64))
    entries = statement(finance, ROLES, [Month(period, served, bill)
                                         for period, bill in zip(found, bills, strict=True)])
    return [[entry for entry in entries if entry.period == period] for period in found]


def line(entries: list[Entry], name: str) -> Entry:
    return next(entry for entry in entries if entry.line == name)


def cost(usd: object) -> dict[str, Any]:
    return {"other": MonthlyCost(usd_per_month=Decimal(str(usd)))}


BILLS = {"azure": FleetBill(300, 500), "lab": FleetBill(7, 0)}


def test_lines_are_signed_and_each_says_its_section() -> None:
    licence = MonthlyRevenue(usd_per_month=Decimal("0.001"))
    finance = Finance(revenue={"licence": licence}, costs=cost("0.0002"))
    found, = run(finance, [BILLS])
    assert [(each.line, each.section, each.role, each.accrual_micro_usd, each.cash_micro_usd)
            for each in found] == [
        ("revenue/licence", "revenue", "input", 1_000, 1_000),
        ("compute/azure", "inference", "computed", -300, -500),
        ("compute/lab", "training", "computed", -7, 0),
        ("cost/other", "other", "input", -200, -200),
        ("balance", "balance", "computed", 0, 0),
    ]


def test_without_any_cash_there_is_no_balance() -> None:
    balance = line(run(Finance(costs=cost(1)), [BILLS])[0], "balance")
    assert (balance.cash_balance_micro_usd, balance.credits_balance_micro_usd, balance.cash_out_us) == (
        None, None, None)
    assert (balance.quantity, balance.unit) == (1.0, "month")


def test_cash_is_what_was_there_plus_every_line() -> None:
    finance = Finance(opening_cash_usd=Decimal(10), costs=cost(2),
                      funding={"a": Round(date=day(2, 10), usd=Decimal(5))})
    months = run(finance, [BILLS] * 3)
    balances = [line(month, "balance").cash_balance_micro_usd for month in months]
    flows = [sum(each.cash_micro_usd for each in month) for month in months]
    assert balances == [10 * MILLION + sum(flows[: n + 1]) for n in range(3)]
    assert line(months[1], "funding/a").cash_micro_usd == 5 * MILLION
    assert line(months[1], "funding/a").accrual_micro_usd == 0
    assert not any(each.section == "funding" for month in (months[0], months[2]) for each in month)


def test_credits_pay_for_compute_alone_until_they_are_gone() -> None:
    finance = Finance(opening_cash_usd=Decimal(100), opening_credits_usd=Decimal("0.000400"), costs=cost(1),
                      funding={"a": Round(date=day(2, 1), usd=Decimal("0.001"), as_credits_frac=0.25)})
    months = run(finance, [BILLS] * 3)
    assert [line(month, "credits/drawn").cash_micro_usd if month is not months[2] else 0
            for month in months] == [400, 250, 0]
    assert line(months[1], "funding/a").cash_micro_usd == 750
    assert [line(month, "balance").credits_balance_micro_usd for month in months] == [0, 0, 0]
    assert line(months[0], "balance").cash_balance_micro_usd == 100 * MILLION - MILLION - 500 + 400


def test_cash_is_used_up_inside_the_month() -> None:
    finance = Finance(opening_cash_usd=Decimal(29), costs=cost(58))
    months = run(finance, [{}, {}], start=day(2, 1))
    assert line(months[0], "balance").cash_out_us == epoch_us(datetime(2024, 2, 15, 12, tzinfo=UTC))
    assert line(months[1], "balance").cash_out_us == epoch_us(day(3, 1))


def test_a_round_comes_at_its_date() -> None:
    early = Finance(opening_cash_usd=Decimal(29), costs=cost(58),
                    funding={"a": Round(date=day(2, 15), usd=Decimal(100))})
    assert line(run(early, [{}], start=day(2, 1))[0], "balance").cash_out_us is None
    late = Finance(opening_cash_usd=Decimal(29), costs=cost(58),
                   funding={"a": Round(date=day(2, 16), usd=Decimal(100))})
    assert line(run(late, [{}], start=day(2, 1))[0], "balance").cash_out_us == epoch_us(
        datetime(2024, 2, 15, 12, tzinfo=UTC))


def test_a_round_on_the_first_day_is_there_from_the_start() -> None:
    finance = Finance(costs=cost(1), funding={"a": Round(date=day(1, 1), usd=Decimal(5))})
    assert line(run(finance, [{}])[0], "balance").cash_out_us is None


def test_a_year_of_months_is_the_year() -> None:
    finance = Finance(costs=cost(100))
    months = run(finance, [{}] * 11)
    assert sum(line(month, "cost/other").accrual_micro_usd for month in months) == -1_100 * MILLION


@given(st.lists(st.tuples(*[st.integers(-10**12, 10**15)] * 4), min_size=1, max_size=6),
       st.decimals(0, 10**9, places=6), st.decimals(0, 10**9, places=6),
       st.floats(0, 1), st.decimals(0, 10**9, places=6))
def test_nothing_is_lost_between_charges_and_cash(
    amounts: list[tuple[int, int, int, int]], opening: Decimal, credits_there: Decimal, share: float,
    raised: Decimal,
) -> None:
    bills = [{"azure": FleetBill(a, b), "lab": FleetBill(c, d)} for a, b, c, d in amounts]
    finance = Finance(opening_cash_usd=opening, opening_credits_usd=credits_there, costs=cost("123.456789"),
                      revenue={"r": MonthlyRevenue(usd_per_month=Decimal("77.7777777"))},
                      funding={"a": Round(date=day(1, 20), usd=raised, as_credits_frac=share)})
    months = run(finance, bills)
    for month, bill in zip(months, bills, strict=True):
        for fleet in ROLES:
            entry = line(month, f"compute/{fleet}")
            assert -entry.accrual_micro_usd == bill[fleet].effective_micro_usd
            assert -entry.cash_micro_usd == bill[fleet].billed_micro_usd
        assert (line(month, "balance").credits_balance_micro_usd or 0) >= 0
    last = line(months[-1], "balance")
    in_and_out = sum(each.cash_micro_usd for month in months for each in month)
    assert last.cash_balance_micro_usd == int(opening * MILLION) + in_and_out
    drawn = sum(each.cash_micro_usd for month in months for each in month if each.section == "credits")
    got = sum(each.cash_micro_usd for month in months for each in month if each.section == "funding")
    granted = int(raised * MILLION) - got
    assert last.credits_balance_micro_usd == int(credits_there * MILLION) + granted - drawn


@pytest.mark.parametrize(("cash", "left", "burn", "drawn", "months"), [
    (10.0, 0.0, 2.0, 0.0, 5),
    (10.0, 0.0, 0.0, 0.0, None),
    (10.0, 0.0, -1.0, 0.0, None),
    (10.0, 4.0, 2.0, 4.0, 1 + 8 / 6),      # a month on credits, then both
    (10.0, 100.0, 5.0, 1.0, 2),            # credits outlast the cash
    (10.0, 4.0, -1.0, 2.0, 2 + 12),        # it grows until credits end
    (10.0, 0.0, 0.001, 0.0, None),         # longer than a hundred years
])
def test_runway_beyond_the_run(cash: float, left: float, burn: float, drawn: float,
                               months: float | None) -> None:
    found = extrapolated(0, cash, left, burn, drawn)
    assert found == Runway(None, None) if months is None else found == (round(months * MONTH_US),
                                                                       "extrapolated")
    assert found.time_us is None or found.time_us <= LONGEST_US


def test_credits_without_cash_have_a_balance_and_cash_has_none() -> None:
    months = run(Finance(opening_credits_usd=Decimal("0.0007")), [BILLS, BILLS])
    balances = [line(month, "balance") for month in months]
    assert [each.credits_balance_micro_usd for each in balances] == [200, 0]
    assert [each.cash_balance_micro_usd for each in balances] == [None, None]


def test_what_was_paid_before_is_used_up_and_takes_no_cash() -> None:
    """300 + 7 micro-dollars a month cost, 500 are billed: 193 more are paid ahead each month."""
    served = Served(hour_us=np.zeros(0, dtype=np.int64))
    running = RunningStatement(Finance(opening_cash_usd=Decimal(1)), ROLES, 4_000)
    found = [line(running.close(Month(period, served, BILLS)), "balance")
             for period in recorded_months(JANUARY, day(3, 1))]
    assert [each.prepaid_balance_micro_usd for each in found] == [4_193, 4_386]
    assert [each.cash_balance_micro_usd for each in found] == [MILLION - 500, MILLION - 1_000]
