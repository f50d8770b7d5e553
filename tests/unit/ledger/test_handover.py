"""Contracts that follow each other inside an hour: every GPU-hour is billed once, and none is lost."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metered import delivery, gpu_s, hours, rows, usage, utc
from naive import seconds_in
from random_usage import Metered, fleets, instants

from fleetsim.ledger.contracts import Lease, OnDemand, Reserved, SavingsPlan, Spot, TakeOrPay
from fleetsim.ledger.contracts.savings_plan import PlanRate
from fleetsim.ledger.rating import rate
from fleetsim.ledger.totals import totals

FIRST, AT = utc(2024, 6, 1), utc(2024, 6, 1, 5, 30)
DAY = hours(FIRST, utc(2024, 6, 2))
TEN = delivery(utc(2024, 1, 1), 10)
OF_AZURE: dict[str, Any] = {"fleet": "azure", "usd_per_gpu_hour": Decimal(1)}


def gpu_h(contracts: Mapping[str, Any], *deliveries: Any) -> dict[str, Fraction]:
    """GPU-hours of use by contract."""
    charged = rows(rate(contracts, [usage(DAY, *(deliveries or (TEN,)))]))
    return {name: Fraction(sum(row[5] for row in charged if row[2] == name and row[3] == "Usage"
                               and row[4] != "unused"), 3_600) for name in contracts}  # fmt: skip


@pytest.mark.parametrize("first", [OnDemand, Reserved, Spot])
@pytest.mark.parametrize("second", [OnDemand, Reserved, Spot])
def test_one_contract_follows_another(first: type, second: type) -> None:
    contracts = {"a": first(**OF_AZURE, end=AT), "b": second(**OF_AZURE, start=AT)}
    assert gpu_h(contracts) == {"a": 55, "b": 185}


def test_a_price_list_without_a_start_has_what_a_term_leaves() -> None:
    contracts = {"a": Reserved(**OF_AZURE, end=AT), "b": OnDemand(**OF_AZURE)}
    assert gpu_h(contracts) == {"a": 55, "b": 185}


def test_tranches_whose_terms_end_inside_an_hour() -> None:
    """10 GPUs until 05:30 and 6 that go on: the price list from 05:30 has the 10."""
    six = delivery(utc(2024, 5, 20), 6)
    ten = delivery(utc(2024, 5, 1, 5, 30), 10)
    contracts = {"a": Lease(**OF_AZURE, term_months=1), "b": OnDemand(**OF_AZURE, start=AT)}
    assert gpu_h(contracts, ten, six) == {"a": 55 + 6 * 24, "b": 185}
    contracts["b"] = OnDemand(**OF_AZURE, start=AT, end=AT + timedelta(minutes=15))
    assert gpu_h(contracts, ten, six)["b"] == Fraction(5, 2)


def test_two_that_begin_in_one_hour_share_its_second_half() -> None:
    half = Spot(**OF_AZURE, share_frac=Decimal("0.5"), start=AT)
    contracts = {"a": half, "b": OnDemand(**OF_AZURE, start=AT)}
    assert gpu_h(contracts) == {"a": Fraction(185, 2), "b": Fraction(185, 2)}


def test_a_minimum_and_its_overage_end_before_the_list_begins() -> None:
    contracts = {
        "a": TakeOrPay(**OF_AZURE, gpus=4, start=FIRST, fixed_end=AT, overage_usd_per_gpu_hour=Decimal(3)),
        "b": OnDemand(**OF_AZURE, start=AT),
    }
    assert gpu_h(contracts) == {"a": 55, "b": 185}
    assert gpu_s(rate(contracts, [usage(DAY, TEN)]), "overage") == 33 * 3_600


def test_a_plan_that_ends_before_the_list_begins() -> None:
    plan = SavingsPlan(
        usd_per_hour=Decimal(4), start=FIRST, end=AT,
        rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(2), usd_per_gpu_hour=Decimal(1))},
    )  # fmt: skip
    contracts = {"a": plan, "b": OnDemand(**OF_AZURE, end=AT), "c": OnDemand(**OF_AZURE, start=AT)}
    assert gpu_h(contracts) == {"a": 22, "b": 33, "c": 185}


@given(
    fleet=fleets(),
    at=st.lists(instants(utc(2024, 1, 20), utc(2024, 3, 10)), min_size=2, max_size=4, unique=True),
    reserved=st.integers(0, 3_000),
)
def test_price_lists_one_after_the_other_bill_their_part_of_each_hour(
    fleet: Metered, at: list[datetime], reserved: int
) -> None:
    """Beside a reservation for all of the time; of each hour in the lists' terms less than a GPU-second each
    is lost. The totals are the same."""
    edges = sorted(at)
    lists = {f"list-{k}": OnDemand(**OF_AZURE, start=edges[k], end=edges[k + 1]) for k in range(len(at) - 1)}
    contracts = {**lists, "held": Reserved(fleet="azure", usd_per_gpu_hour=Decimal(1), gpus=reserved)}
    charges = rate(contracts, [fleet.usage])
    said = dict.fromkeys(fleet.hours, 0)
    for row in rows(charges):
        if row[4] == "on_demand":
            said[fleet.hours[(row[0] - int(fleet.usage.hour_us[0])) // 3_600_000_000]] += row[5]
    for hour, use in zip(fleet.hours, fleet.allocated, strict=True):
        due = Fraction(max(use - reserved * 3_600, 0) * seconds_in(hour, edges[0], edges[-1]), 3_600)
        inside = sum(hour < edge < hour + timedelta(hours=1) for edge in edges)
        assert due - inside - 1 < said[hour] <= due
    billed = {name: sum(row[8] for row in rows(charges) if row[2] == name) for name in contracts}
    summed = totals(contracts, [fleet.usage])
    assert billed == {name: total.billed_micro_usd for name, total in summed.items()}
