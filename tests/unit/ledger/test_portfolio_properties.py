"""How bills move: with commitment, with use, when contracts are split; and totals without rows."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from metered import billed, effective, gpu_s, rows, utc
from random_contracts import FIRST, KINDS, LAST, contracts, portfolios
from random_usage import Metered, dear, fleets, instants, metered, prices, seeds

from fleetsim.ledger import totals as module
from fleetsim.ledger.contracts import (
    CapacityBlock,
    EnterpriseCommitment,
    Lease,
    OnDemand,
    Reserved,
    SavingsPlan,
    Spot,
    TakeOrPay,
    VolumeTiers,
)
from fleetsim.ledger.contracts.payment_schedule import PaymentSchedule
from fleetsim.ledger.contracts.savings_plan import PlanRate
from fleetsim.ledger.contracts.volume_tiers import Tier
from fleetsim.ledger.rating import rate
from fleetsim.ledger.totals import Total, totals
from fleetsim.model.base import values_of

START, END = utc(2024, 1, 20), utc(2024, 3, 10)
OF_USE = (Reserved, OnDemand, TakeOrPay, SavingsPlan, Lease, CapacityBlock)


def micro_per_gpu_s(price: Decimal) -> Fraction:
    return Fraction(price) * 1_000_000 / 3_600


@given(
    seed=seeds,
    price=dear,
    size=st.integers(0, 500),
    more=st.integers(1, 500),
    kind=st.sampled_from(["reserved", "plan", "minimum", "pot"]),
)
def test_more_commitment_never_lowers_the_bill_of_nobody(
    seed: int, price: Decimal, size: int, more: int, kind: str
) -> None:
    fleet = metered(START, END, [(START, 1_000)], seed, load=0)

    def bill(quantity: int) -> int:
        many = Decimal(quantity)
        contract: Any = {
            "reserved": lambda: Reserved(fleet="azure", usd_per_gpu_hour=price, gpus=max(quantity, 1)),
            "plan": lambda: SavingsPlan(
                usd_per_hour=many,
                rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=price, usd_per_gpu_hour=price)},
            ),
            "minimum": lambda: TakeOrPay(
                fleet="azure", usd_per_gpu_hour=price, minimum_frac=quantity / 1_000
            ),
            "pot": lambda: EnterpriseCommitment(fleets_=("azure",), usd=many, start=START, end=END),
        }[kind]()
        return billed(
            rate({"c": contract, "od": OnDemand(fleet="azure", usd_per_gpu_hour=price)}, [fleet.usage])
        )

    assert bill(size) <= bill(size + more)
    assert bill(size + more) > 0


def highest(portfolio: dict[str, Any]) -> Fraction:
    """The highest price of a GPU-second, micro-dollars."""
    found = [Decimal(0)]
    for contract in portfolio.values():
        if isinstance(contract, SavingsPlan):
            continue
        found += values_of(contract.usd_per_gpu_hour)
        found.append(getattr(contract, "overage_usd_per_gpu_hour", None) or Decimal(0))
    return max(micro_per_gpu_s(price) for price in found) * (Fraction(107, 100) ** 4)


@given(
    portfolio=portfolios(OF_USE, most=4),
    seed=seeds,
    hour=st.integers(0, 1_199),
    last=dear,
    seconds=st.integers(1, 36_000),
)
def test_more_use_costs_more_and_at_most_the_highest_rate(
    portfolio: dict[str, Any], seed: int, hour: int, last: Decimal, seconds: int
) -> None:
    """Without all-units tiers, pots and credits; on demand, without an end, is the last in order."""
    plain = {
        name: replace(contract, sla=None)
        for name, contract in portfolio.items()
        if not getattr(contract, "termination", None)
    }
    plain["zz"] = OnDemand(fleet="azure", usd_per_gpu_hour=last + 40)
    plain["zy"] = OnDemand(fleet="b", usd_per_gpu_hour=last + 40)
    before = [
        metered(FIRST, LAST, [(FIRST, 400)], seed + k, fleet=name).usage
        for k, name in enumerate(("azure", "b"))
    ]
    more = before[0].allocated_gpu_s.copy()
    more[hour] += seconds
    assume(more[hour] <= before[0].committed_gpu_s[hour])
    after = [replace(before[0], allocated_gpu_s=more), before[1]]
    change = billed(rate(plain, after)) - billed(rate(plain, before))
    plans = sum(isinstance(contract, SavingsPlan) for contract in plain.values())
    # Roundings of the charges of an hour, and a plan's whole GPU-seconds at the last price.
    slack = 2 * len(plain) + plans * micro_per_gpu_s(last + 40)
    assert change >= -slack
    assert change <= seconds * highest(plain) + slack


@given(
    fleet=fleets(),
    price=prices,
    gpus=st.integers(1, 2_000),
    ahead=st.sampled_from(["0", "0.4", "1"]),
    term=st.tuples(instants(START, END), instants(START, END)),
)
def test_a_reservation_in_two_halves(
    fleet: Metered, price: Decimal, gpus: int, ahead: str, term: Any
) -> None:
    start, end = min(term), max(term) + timedelta(minutes=1)

    def of(many: int) -> Reserved:
        return Reserved(
            fleet="azure",
            usd_per_gpu_hour=price,
            gpus=many,
            start=start,
            end=end,
            payment=PaymentSchedule(upfront_frac=Decimal(ahead)),
        )

    rest = OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(7))
    one = rate({"c": of(2 * gpus), "rest": rest}, [fleet.usage])
    two = rate({"a": of(gpus), "b": of(gpus), "rest": rest}, [fleet.usage])
    assert gpu_s(one, "used") == gpu_s(two, "used")
    assert billed(one, "on_demand") == billed(two, "on_demand")
    # Half a micro-dollar for each half's charge of an hour, and of what is paid ahead.
    assert abs(billed(one) - billed(two)) <= 1.5 * len(fleet.hours) + 2
    assert abs(effective(one, "unused") - effective(two, "unused")) <= 3 * len(fleet.hours)


@given(fleet=fleets(), public=dear, saving=st.integers(0, 900), dollars=st.integers(0, 20_000))
def test_a_plan_in_two_halves(fleet: Metered, public: Decimal, saving: int, dollars: int) -> None:
    def of(each: Decimal) -> SavingsPlan:
        return SavingsPlan(
            usd_per_hour=each,
            rates={
                "azure": PlanRate(
                    on_demand_usd_per_gpu_hour=public, usd_per_gpu_hour=public * (1_000 - saving) / 1_000
                )
            },
        )

    rest = OnDemand(fleet="azure", usd_per_gpu_hour=public)
    one = rate({"c": of(Decimal(dollars)), "rest": rest}, [fleet.usage])
    half = of(Decimal(dollars) / 2)
    two = rate({"a": half, "b": half, "rest": rest}, [fleet.usage])
    # Each half buys whole GPU-seconds: less than one an hour is left to on demand.
    assert 0 <= gpu_s(one, "used") - gpu_s(two, "used") <= len(fleet.hours)
    assert abs(billed(two) - billed(one)) <= len(fleet.hours) * (micro_per_gpu_s(public) + 2)
    assert billed(one, "recurring") == billed(two, "recurring")


@given(fleet=fleets(), price=prices, bound=st.integers(1, 200_000))
def test_graduated_tiers_of_one_price_are_that_price(fleet: Metered, price: Decimal, bound: int) -> None:
    tiers = VolumeTiers(fleet="azure", start=START, tiers=(Tier(0, price), Tier(bound, price)))
    flat = OnDemand(fleet="azure", usd_per_gpu_hour=price)
    months = 4  # a slice begins once a month: one rounding more
    assert abs(billed(rate({"c": tiers}, [fleet.usage])) - billed(rate({"c": flat}, [fleet.usage]))) <= months


@given(
    data=st.data(),
    seed=seeds,
    kinds=st.sampled_from([OF_USE[:2] + OF_USE[3:4], KINDS]),
    elastic=st.booleans(),
)
def test_totals_are_the_sums_of_the_rows(data: st.DataObject, seed: int, kinds: Any, elastic: bool) -> None:
    portfolio = data.draw(portfolios(kinds, most=5))
    more: dict[str, Any] = {"elastic": 10**5, "elastic_contract": next(iter(portfolio))} if elastic else {}
    usage = [
        metered(FIRST, LAST, [(FIRST, 300)], seed, **more).usage,
        metered(FIRST, LAST, [(FIRST, 200)], seed + 1, fleet="b").usage,
    ]
    # Spot prices stay at their level without a stream, in both.
    charges = rate(portfolio, usage)
    expected = {
        name: Total(
            sum(row[8] for row in rows(charges) if row[2] == name),
            sum(row[9] for row in rows(charges) if row[2] == name),
        )
        for name in portfolio
    }
    assert totals(portfolio, usage) == expected


@given(
    data=st.data(),
    seed=seeds,
    plan=st.booleans(),
    dollars=st.decimals(0, 900, places=6),
    own=prices,
    upfront=st.sampled_from(["0", "0.3", "1"]),
)
def test_plain_portfolios_need_no_rows(
    data: st.DataObject, seed: int, plan: bool, dollars: Decimal, own: Decimal, upfront: str
) -> None:
    """The kinds that a search tries first, without clauses, come out equal and never as rows."""
    drawn = data.draw(contracts(Reserved, "azure", "b").filter(lambda contract: contract.gpus is not None))
    contract = replace(drawn, termination=None, sla=None, delay_relief=None)
    portfolio: dict[str, Any] = {"r": contract, "od": OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(3))}
    if plan:
        portfolio["p"] = SavingsPlan(
            usd_per_hour=dollars,
            rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(5), usd_per_gpu_hour=own)},
            start=FIRST - timedelta(days=9),
            end=LAST + timedelta(days=9),
            payment=PaymentSchedule(upfront_frac=Decimal(upfront)),
        )
    usage = [metered(FIRST, LAST, [(FIRST, 300)], seed).usage]
    charges = rate(portfolio, usage)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_of_rows", lambda *_: pytest.fail("made rows"))
        found = totals(portfolio, usage)
    assert sum(each.billed_micro_usd for each in found.values()) == billed(charges)
    assert sum(each.effective_micro_usd for each in found.values()) == effective(charges)


def test_a_plan_price_that_rounds_on_a_tie_is_covered_as_the_pipeline_does() -> None:
    """$0.0018 a GPU-hour is half a micro-dollar a GPU-second: prices tie at every odd number of them."""
    from metered import delivery, hours, usage

    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 2))
    for dollars in ("0.000002", "0.000003", "0"):
        plan = SavingsPlan(
            usd_per_hour=Decimal(dollars),
            rates={
                "azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(5), usd_per_gpu_hour=Decimal("0.0018"))
            },
        )
        portfolio = {"p": plan, "od": OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(5))}
        metered_hours = usage(hour_us, delivery(utc(2024, 1, 1), 1), allocated=np.arange(24))
        found, charges = totals(portfolio, [metered_hours]), rate(portfolio, [metered_hours])
        assert found["od"].billed_micro_usd == billed(charges, "on_demand")


def test_nothing_has_no_total() -> None:
    contract = Spot(fleet="azure", usd_per_gpu_hour=Decimal(1))
    assert totals({"c": contract}, []) == {"c": Total(0, 0)}
    assert totals({}, []) == {}
