"""The P&L says what the charges say, to the micro-dollar, and its cash is the sum of its lines."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from random_scenarios import scenarios
from whole_run import WholeRun

from fleetsim.model.costs import Staff
from fleetsim.model.finance import Finance, Round
from fleetsim.model.revenue import MonthlyRevenue, StreamShare, Subscription, TokenRevenue
from fleetsim.model.scenario import Scenario

MONEY = st.decimals(0, 10**7, places=6)


@st.composite
def finances(draw: st.DrawFn, scenario: Scenario) -> Finance:
    """Streams, costs and a round for a scenario."""
    classes = tuple(scenario.traffic)
    start, end = scenario.horizon.start, scenario.horizon.end
    streams = {
        "paid": Subscription(subscribers=draw(st.floats(0, 1e6)), usd_per_month=draw(MONEY)),
        "api": TokenRevenue(traffic_classes=classes, usd_per_million_prompt_tokens=Decimal("2.5"),
                            usd_per_million_output_tokens={start: Decimal(10), start + (end - start) / 2:
                                                           Decimal(30)}),
        "licence": MonthlyRevenue(usd_per_month=draw(MONEY)),
        "cut": StreamShare(of=("paid", "api"), share_frac=draw(st.floats(0, 1))),
    }
    return Finance(
        opening_cash_usd=draw(MONEY), opening_credits_usd=draw(MONEY), revenue=streams,
        costs={"staff": Staff(headcount=draw(st.floats(0, 1e4)), usd_per_head_per_year=draw(MONEY))},
        funding={"a": Round(date=start, usd=draw(MONEY), as_credits_frac=draw(st.floats(0, 1)))})


@given(scenarios(), st.data())
def test_compute_is_what_the_contracts_charge(scenario: Scenario, data: st.DataObject) -> None:
    run = WholeRun(replace(scenario, finance=data.draw(finances(scenario))))
    pnl, cost = run.frame("fact_pnl_monthly"), run.frame("fact_cost_hourly")
    charged = cost.assign(month=[hour.date().replace(day=1) for hour in cost["hour"]])
    for row in pnl[pnl["line"].str.startswith("compute/")].itertuples():
        fleet = row.line.removeprefix("compute/")
        own = charged[(charged["fleet"] == fleet) & (charged["month"] == row.month)]
        assert -row.accrual_usd == sum(own["effective_usd"], start=Decimal(0))
        assert -row.cash_usd == sum(own["billed_usd"], start=Decimal(0))
    compute = pnl[pnl["section"].isin(["inference", "training"])]
    assert -sum(compute["accrual_usd"]) == sum(cost["effective_usd"], start=Decimal(0))
    assert -sum(compute["cash_usd"]) == sum(cost["billed_usd"], start=Decimal(0))


@given(scenarios(), st.data())
def test_cash_is_the_sum_of_the_lines(scenario: Scenario, data: st.DataObject) -> None:
    finance = data.draw(finances(scenario))
    run = WholeRun(replace(scenario, finance=finance))
    pnl = run.frame("fact_pnl_monthly")
    balances = list(pnl[pnl["line"] == "balance"]["cash_balance_usd"])
    flows = [sum(month["cash_usd"]) for _, month in pnl.groupby("month", sort=True)]
    cash = finance.opening_cash_usd or Decimal(0)
    assert balances == [cash + sum(flows[: n + 1]) for n in range(len(flows))]
    assert not pnl.duplicated(["month", "line"]).any()


@given(scenarios(), st.data())
def test_tokens_are_those_of_the_traffic_table(scenario: Scenario, data: st.DataObject) -> None:
    run = WholeRun(replace(scenario, finance=data.draw(finances(scenario))))
    pnl, traffic = run.frame("fact_pnl_monthly"), run.frame("fact_traffic_hourly")
    sold = sum(pnl[pnl["line"] == "revenue/api"]["quantity"])
    served = traffic["prompt_tokens"].sum() + traffic["output_tokens"].sum()
    # Tokens are sold whole: at most half a one is lost or won by month, class, kind and price.
    assert abs(sold - served) <= 2 * len(scenario.traffic) * len(set(pnl["month"])) + 1e-9 * served
