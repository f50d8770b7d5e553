"""The optimiser on cases whose answer is known: newsvendor, budget, lead time, expiry, spot, discounting."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_optimize import cost, offer, usage_of

from fleetsim.errors import UsageError
from fleetsim.experiments.estimate import Estimate
from fleetsim.experiments.judge import Answer, Judge
from fleetsim.experiments.optimize import best_portfolio
from fleetsim.experiments.orders import Rest, order_dates, orders_of, rests_of
from fleetsim.experiments.portfolio_lp import Problem
from fleetsim.experiments.stretches import Demand
from fleetsim.ledger.contracts import OnDemand
from fleetsim.model.contract import OfferTier
from fleetsim.report.portfolio import portfolio_text

YEAR = datetime(2024, 1, 1, tzinfo=UTC)
DEAR = offer(4.0, kind="on_demand")


def test_a_lone_reservation_is_the_newsvendors() -> None:
    demand = np.random.default_rng(3).integers(0, 60, 672).astype(np.float64)
    usage = usage_of(demand, YEAR)
    found = best_portfolio(usage, {"reserved": offer(1.7, term_months=12), "list": DEAR},
                           order_every_months=0)
    best = np.sort(demand)[int(np.ceil((1 - 1.7 / 4.0) * len(demand))) - 1]  # F^-1(1 - p_ri / p_od)
    assert found.chosen[0].gpus == best
    assert found.chosen[0].newsvendor_gpus == best
    assert found.chosen[0].break_even_frac == pytest.approx(1.7 / 4.0)
    assert found.ledger_usd == pytest.approx(found.solver_usd, abs=1e-3)
    assert found.gap_frac < 1e-9


def test_the_budget_on_upfront_payments_binds() -> None:
    usage = usage_of(np.full(48, 10.0), YEAR)
    offers = {"prepaid": offer(1.0, term_months=12, upfront_frac=Decimal(1)), "list": DEAR}
    free = best_portfolio(usage, offers, order_every_months=0)
    assert free.chosen[0].gpus == 10
    assert "are paid ahead for the time after it" in free.cautions[0]
    one_gpu = 1.0 * 8_784
    assert free.upfront_usd == pytest.approx(10 * one_gpu)
    bound = best_portfolio(usage, offers, order_every_months=0, budget_upfront_usd=3.5 * one_gpu)
    assert bound.chosen[0].gpus == 3
    assert bound.upfront_usd == pytest.approx(3 * one_gpu)
    assert best_portfolio(usage, offers, order_every_months=0, budget_upfront_usd=0.0).upfront_usd == 0.0


def test_of_a_long_term_the_horizons_part_counts_and_the_rest_is_owed() -> None:
    usage = usage_of(np.full(48, 10.0), YEAR)
    found = best_portfolio(usage, {"long": offer(1.0, term_months=36), "list": DEAR}, order_every_months=0)
    assert found.ledger_usd == pytest.approx(48 * 10 * 1.0)
    hours = (datetime(2027, 1, 1, tzinfo=UTC) - YEAR).days * 24
    assert found.remaining_usd == pytest.approx((hours - 48) * 10 * 1.0)
    assert found.cautions == (
        "long runs to 2027-01-01 and the run ends on 2024-01-03: $262,560 fall due after it; "
        "not in the cost above",)


def test_an_order_serves_after_its_lead_time() -> None:
    usage = usage_of(np.full(96, 10.0), YEAR)
    late = offer(1.0, term_months=12, lead_time_days=2)
    found = best_portfolio(usage, {"late": late, "list": DEAR}, order_every_months=0)
    assert found.chosen[0].start == "2024-01-03T00:00:00Z"
    assert found.ledger_usd == pytest.approx(48 * 10 * 4.0 + 48 * 10 * 1.0)


def test_an_offer_that_has_expired_is_not_signed_again() -> None:
    growing = np.repeat([2.0, 8.0], [31 * 24, 29 * 24])
    usage = usage_of(growing, YEAR)
    terms = {"term_months": 12, "lead_time_days": 0}
    found = best_portfolio(usage, {"base": offer(3.0, **terms), "list": DEAR}, order_every_months=1)
    assert [(each.contract, each.gpus) for each in found.chosen[:2]] == [
        ("base-2024-01-01", 2.0), ("base-2024-02-01", 6.0)]
    expired = best_portfolio(usage, {"base": offer(3.0, expires=datetime(2024, 1, 15, tzinfo=UTC), **terms),
                                     "list": DEAR}, order_every_months=1)
    assert [each.contract for each in expired.chosen] == ["base", "list"]
    assert all(each.signed == "2024-01-01T00:00:00Z" for each in expired.chosen)


@pytest.mark.parametrize("kind", ["reserved", "capacity_block"])
def test_a_term_shorter_than_the_usual_months_between_orders_is_renewed(kind: Any) -> None:
    usage = usage_of(np.full(24 * (31 + 29 + 31), 10.0), YEAR)
    offers = {"month": offer(1.0, kind=kind, term_months=1), "year": offer(3.5, term_months=12), "list": DEAR}
    found = best_portfolio(usage, offers)
    assert found.order_dates == ("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z")
    assert [each.contract for each in found.chosen[:3]] == [f"month-2024-0{month}-01" for month in (1, 2, 3)]
    assert found.ledger_usd == best_portfolio(usage, offers, order_every_months=1).ledger_usd
    assert found.ledger_usd < 0.5 * best_portfolio(usage, offers, order_every_months=3).ledger_usd


def test_the_bound_names_the_dates_that_it_holds_for() -> None:
    usage = usage_of(np.full(24 * 400, 10.0), YEAR)
    offers = {"year": offer(1.0, term_months=12), "list": DEAR}

    def text(every_months: int | None) -> str:
        found = best_portfolio(usage, offers, order_every_months=every_months)
        return portfolio_text(found.as_dict(), width=200)

    assert ("nothing ordered on these dates is cheaper: 2024-01-01, 2024-04-01, 2024-07-01 ... 2025-01-01 "
            "(5 dates)") in text(None)
    assert "nothing ordered on these dates is cheaper: 2024-01-01, 2024-08-01 (" in text(7)
    assert "nothing ordered on this date is cheaper: 2024-01-01 (" in text(0)


def test_spot_has_at_most_its_share() -> None:
    usage = usage_of(np.full(24, 10.0), YEAR)
    offers = {"spot": offer(1.0, kind="spot"), "list": DEAR}
    found = best_portfolio(usage, offers, spot_max_frac=0.3)
    assert {each.contract: each.gpu_hours for each in found.chosen} == {"spot": 72.0, "list": 168.0}
    assert found.ledger_usd == pytest.approx(72 * 1.0 + 168 * 4.0)
    none = best_portfolio(usage, offers, spot_max_frac=0.0)
    assert none.ledger_usd == pytest.approx(240 * 4.0)


def test_without_a_price_list_commitments_must_cover_the_peak() -> None:
    usage = usage_of([3.0, 7.2, 5.0], YEAR)
    found = best_portfolio(usage, {"only": offer(2.0, term_months=12)}, order_every_months=0)
    assert found.chosen[0].gpus == 8
    with pytest.raises(UsageError, match=r"2024-01-01 01:00 UTC: 7 GPUs.*at most 4.*on_demand"):
        best_portfolio(usage, {"only": offer(2.0, max_gpus=4)}, order_every_months=0)
    with pytest.raises(UsageError, match="at most 0 can be in service"):
        best_portfolio(usage_of(np.full(48, 5.0), YEAR), {"only": offer(2.0, lead_time_days=1)})


def test_smallest_orders_and_blocks() -> None:
    usage = usage_of(np.full(24, 11.0), YEAR)
    found = best_portfolio(usage, {"blocks": offer(2.0, block_gpus=8), "list": DEAR}, order_every_months=0)
    assert found.chosen[0].gpus == 8
    found = best_portfolio(usage, {"big": offer(2.0, min_gpus=30), "list": DEAR}, order_every_months=0)
    assert [each.contract for each in found.chosen] == ["list"]


def test_a_discount_rate_makes_paying_ahead_dearer() -> None:
    usage = usage_of(np.full(48, 10.0), YEAR)
    offers = {"ahead": offer(1.0, term_months=36, upfront_frac=Decimal(1)),
              "monthly": offer(1.1, term_months=36), "list": DEAR}
    assert best_portfolio(usage, offers, order_every_months=0).chosen[0].offer == "ahead"
    found = best_portfolio(usage, offers, order_every_months=0, discount_frac_per_year=0.10)
    assert found.chosen[0].offer == "monthly"
    worth = 1.1 ** (-np.arange(48) / 8_760)
    assert found.ledger_usd == pytest.approx(float((worth * 10 * 1.1).sum()), rel=1e-9)
    hours = 26_304
    annuity = (1 - 1.1 ** (-hours / 8_760)) / (1 - 1.1 ** (-1 / 8_760))
    paid = best_portfolio(usage, {"ahead": offers["ahead"], "list": DEAR}, order_every_months=0,
                          discount_frac_per_year=0.10)
    assert paid.ledger_usd == pytest.approx(float((worth * 10 * hours / annuity).sum()), rel=1e-9)


def test_the_estimate_is_what_the_ledger_says() -> None:
    draw = np.random.default_rng(11)
    usage = usage_of(draw.uniform(0, 40, 24 * 70), YEAR)
    offers = {
        "reserved": offer(2.0, term_months=1), "minimum": offer(1.5, kind="take_or_pay", minimum_frac=0.6),
        "block": offer(2.5, kind="capacity_block", term_months=1),
        "plan": offer(2.2, kind="savings_plan", term_months=12, list_usd_per_gpu_hour=Decimal(4)),
        "list": DEAR, "spot": offer(1.0, kind="spot"),
        "tiers": offer(4.2, kind="volume_tiers", tiers=(OfferTier(5_000, Decimal(3)),),
                       tier_mode="all_units"),
    }
    demand = Demand(usage.hour_us // 1_000_000, usage.allocated_gpu_s / 3_600.0)
    orders = orders_of(offers, order_dates(demand.start, demand.end, 1), demand.end)
    judge = Judge(Problem(demand, tuple(each for each in orders if each.offer.commits), 0.2), usage)
    estimate = Estimate(judge)
    for rest in rests_of(orders, 0.2):
        for _ in range(10):
            units = tuple(int(draw.integers(0, 12) * each.units_per_gpu)
                          for each in judge.problem.orders)
            answer = Answer(rest, units)
            # The ledger counts spot in whole GPU-seconds: at most one an hour, at the dearest price.
            assert estimate.cost(answer) == pytest.approx(judge.cost(answer), abs=24 * 70 * 4.2 / 3_600)


def test_never_dearer_than_price_lists_alone_and_written_as_a_contract_file(tmp_path: Path) -> None:
    usage = usage_of(np.linspace(5, 50, 24 * 40), YEAR)
    found = best_portfolio(usage, {"base": offer(3.9, term_months=12, lead_time_days=0.5),
                                   "list": DEAR}, order_every_months=1)
    assert found.without_commitments_usd == pytest.approx(
        cost({"list": OnDemand(fleet="main", usd_per_gpu_hour=Decimal(4))}, usage))
    assert found.ledger_usd < (found.without_commitments_usd or 0.0)
    assert sum(each.effective_usd for each in found.chosen) == pytest.approx(found.effective_usd)
    path = tmp_path / "portfolio.yaml"
    found.write(path)
    text = path.read_text()
    assert text.startswith("fleetsim: 1\n")
    assert "kind: on_demand" in text
    assert "gpus: " in text


@pytest.mark.parametrize("rate", [0.0, 0.08])
@pytest.mark.parametrize("lead_time_days", [0, 1])
def test_the_judge_says_what_the_full_bill_says(lead_time_days: int, rate: float) -> None:
    draw = np.random.default_rng(5)
    usage = usage_of(draw.uniform(0, 40, 24 * 40), YEAR)
    offers = {
        "list": DEAR, "later": offer(3.0, kind="on_demand", lead_time_days=7.3),
        "spot": offer(1.0, kind="spot"),
        "ahead": offer(2.0, term_months=1, upfront_frac=Decimal("0.3"), lead_time_days=lead_time_days),
        "plan": offer(2.2, kind="savings_plan", term_months=12, list_usd_per_gpu_hour=Decimal(4)),
        "minimum": offer(1.5, kind="take_or_pay", minimum_frac=0.6),
        "tiers": offer(4.2, kind="volume_tiers", tiers=(OfferTier(5_000, Decimal(3)),)),
    }
    demand = Demand(usage.hour_us // 1_000_000, usage.allocated_gpu_s / 3_600.0, rate)
    orders = orders_of(offers, order_dates(demand.start, demand.end, 1), demand.end)
    judge = Judge(Problem(demand, tuple(each for each in orders if each.offer.commits), 0.2), usage)
    rests = rests_of(orders, 0.2)
    assert [rest.tiers is None for rest in rests] == [True, False]
    for rest in (*rests, Rest(rests[0].lists)):
        for _ in range(5):
            answer = Answer(rest, tuple(int(draw.integers(0, 9) * each.units_per_gpu)
                                        for each in judge.problem.orders))
            bill = judge.bill(answer, by_month=True)
            assert judge.cost(answer) == judge.objective_usd(bill, judge.factors(answer))
