"""Take or pay: the Oracle lease to the dollar, months, overage, and agreement with the formula."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metered import billed, block, delivery, effective, gpu_s, hours, rows, usage, utc

from fleetsim.ledger.contracts import OnDemand, Reserved, SavingsPlan, TakeOrPay
from fleetsim.ledger.contracts.savings_plan import PlanRate
from fleetsim.ledger.rating import rate
from fleetsim.ledger.spans import derived_price, spans_of
from fleetsim.ledger.usage import HourlyUsage

ORACLE = TakeOrPay(fleet="azure", total_usd=Decimal("5.0e9"), term_months=24)
YEARS = hours(utc(2025, 1, 1), utc(2028, 1, 1))
ON_TIME = [(utc(2025, 7, 1), 100_000)]
LATE = [(utc(2025, 12, 1), 100_000)]
RAMPED = [(utc(2025, 7, 1), 50_000), (utc(2025, 8, 15), 50_000)]


@pytest.mark.parametrize("tranches", [ON_TIME, LATE, RAMPED], ids=["on time", "late", "ramped"])
def test_the_obligation_is_five_billion_whenever_it_comes(tranches: list[tuple[datetime, int]]) -> None:
    charges = rate({"oracle": ORACLE}, [usage(YEARS, *(delivery(*each) for each in tranches))])
    assert billed(charges) == 5_000_000_000_000_000
    assert int(charges.effective_micro_usd.sum()) == 5_000_000_000_000_000
    assert gpu_s(charges, "used") == 100_000 * 17_520 * 3_600


def test_a_late_delivery_shifts_the_bill() -> None:
    charges = rate({"oracle": ORACLE}, [usage(YEARS, *(delivery(*each) for each in LATE))])
    assert charges.hour_us[0] == hours(utc(2025, 12, 1), utc(2025, 12, 2))[0]
    assert charges.hour_us[-1] == hours(utc(2027, 11, 30), utc(2027, 12, 1))[-1]
    hourly = charges.effective_micro_usd[charges.effective_micro_usd > 0]
    assert set(np.diff(np.unique(charges.hour_us)).tolist()) == {3_600_000_000}
    assert len(hourly) == 17_520
    assert int(np.ptp(hourly)) <= 1
    assert [row[3:5] for row in rows(charges) if row[8]] == [("Purchase", "recurring")] * 24


def test_a_fixed_end_cuts_the_obligation_in_proportion() -> None:
    contract = TakeOrPay(fleet="azure", total_usd=Decimal("5.0e9"), term_months=24, fixed_end=utc(2027, 7, 1))
    late = rate({"oracle": contract}, [usage(YEARS, *(delivery(*each) for each in LATE))])
    assert billed(late) == round(Fraction(5_000_000_000_000_000 * 577, 730))
    assert billed(late) // 1_000_000_000_000 == 3_952
    on_time = rate({"oracle": contract}, [usage(YEARS, *(delivery(*each) for each in ON_TIME))])
    assert billed(on_time) == 5_000_000_000_000_000
    never = rate({"oracle": contract}, [usage(YEARS, delivery(utc(2027, 8, 1), 100_000))])
    assert len(never) == 0


def test_the_price_follows_from_the_total() -> None:
    spans = spans_of(ORACLE.primitive(), tuple(delivery(*each) for each in RAMPED))
    assert derived_price(spans).first == Decimal("2.853881")
    assert [each.micro_usd for each in spans] == [2_500_000_000_000_000] * 2
    assert spans_of(ORACLE.primitive(), ()) == []


def test_the_total_is_due_whether_used_or_not() -> None:
    unused = usage(YEARS, *(delivery(*each) for each in ON_TIME), allocated=np.zeros_like(YEARS))
    charges = rate({"oracle": ORACLE}, [unused])
    assert effective(charges, "unused") == billed(charges) == 5_000_000_000_000_000
    half = usage(YEARS, *(delivery(*each) for each in ON_TIME))
    half = usage(YEARS, *(delivery(*each) for each in ON_TIME), allocated=half.committed_gpu_s // 2)
    assert effective(rate({"oracle": ORACLE}, [half]), "used") == pytest.approx(2.5e15, abs=len(YEARS))


def test_a_minimum_is_settled_over_the_month() -> None:
    """100 GPUs, 60% minimum, $2: idle in the first half of June, full in the second, then idle in July."""
    contract = TakeOrPay(fleet="azure", usd_per_gpu_hour=Decimal(2), minimum_frac=0.6)
    hour_us = hours(utc(2024, 6, 1), utc(2024, 8, 1))
    busy = np.where(hour_us >= hours(utc(2024, 6, 16), utc(2024, 6, 17))[0], 360_000, 0)
    busy[720:] = 0
    charges = rate({"c": contract}, [usage(hour_us, delivery(utc(2024, 6, 1), 100), allocated=busy)])
    june = [row for row in rows(charges) if row[0] < hour_us[720]]
    assert sum(row[8] for row in june) == 100 * 720 * 6 // 10 * 2_000_000
    assert sum(row[9] for row in june) == sum(row[8] for row in june)
    assert sum(row[5] for row in june if row[4] == "used") == 100 * 360 * 3_600
    assert {row[4] for row in june if row[0] < hour_us[360]} == {"unused", "recurring"}
    assert billed(charges) - sum(row[8] for row in june) == 100 * 744 * 6 // 10 * 2_000_000


def bursts() -> HourlyUsage:
    """June, 20 GPUs: 10 in use, 0 in the first 6 hours, 20 in 10 others."""
    hour_us = hours(utc(2024, 6, 1), utc(2024, 7, 1))
    use = np.full_like(hour_us, 36_000)
    use[0:6] = 0
    use[10:20] = 72_000
    return usage(hour_us, delivery(utc(2024, 6, 1), 20), allocated=use)


TEN = {"fleet": "azure", "usd_per_gpu_hour": Decimal(2), "gpus": 10, "start": utc(2024, 6, 1)}


def test_use_above_the_commitment_of_the_month_is_overage() -> None:
    """Of the 100 GPU-hours above 10 GPUs, 60 are those that six idle hours left in the month."""
    contract = TakeOrPay(**TEN, overage_usd_per_gpu_hour=Decimal(5))
    charges = rate({"c": contract}, [bursts()])
    assert gpu_s(charges, "overage") == (100 - 60) * 3_600
    assert billed(charges) == 720 * 10 * 2_000_000 + 40 * 5_000_000
    assert gpu_s(charges, "used") == 720 * 36_000
    assert gpu_s(charges, "unused") == 0


def test_use_after_the_last_term_is_no_overage() -> None:
    """Tranches for a month from 1 January and from 5 January: from 5 February on the list has their use."""
    contract = TakeOrPay(fleet="azure", usd_per_gpu_hour=Decimal(2), term_months=1,
                         overage_usd_per_gpu_hour=Decimal(5))  # fmt: skip
    hour_us = hours(utc(2024, 1, 1), utc(2024, 3, 1))
    metered = usage(hour_us, delivery(utc(2024, 1, 1), 10), delivery(utc(2024, 1, 5), 10))
    charges = rate({"c": contract, "rest": OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(3))}, [metered])
    assert gpu_s(charges, "used") == 2 * 31 * 24 * 36_000
    assert gpu_s(charges, "overage") == 4 * 24 * 36_000  # the first 10 GPUs from 1 to 5 February
    assert gpu_s(charges, "on_demand") == 25 * 24 * 72_000


@pytest.mark.parametrize(("use", "unused"), [(72_000, 0), ([72_000, 0] * 732, 0), ([36_000, 0] * 732, 732)])
def test_what_a_month_makes_up_for_is_no_waste_of_a_total(use: Any, unused: int) -> None:
    """$1 a GPU-hour for 365 days of 10 GPUs: busy hours make up for idle ones of June and July."""
    contract = TakeOrPay(fleet="azure", total_usd=Decimal(365 * 240), term_months=12,
                         overage_usd_per_gpu_hour=Decimal(3))  # fmt: skip
    hour_us = hours(utc(2024, 6, 1), utc(2024, 8, 1))
    metered = usage(hour_us, delivery(utc(2024, 6, 1), 10), allocated=np.zeros_like(hour_us) + use)
    charges = rate({"c": contract}, [metered])
    assert gpu_s(charges, "unused") == unused * 36_000
    assert effective(charges, "unused") == unused * 10_000_000
    assert effective(charges, "used") == (1_464 - unused) * 10_000_000


def test_without_an_overage_price_use_above_the_commitment_falls_to_the_next_contract() -> None:
    rest = OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(5))
    contract = TakeOrPay(**TEN)
    charges = rate({"c": contract, "rest": rest}, [bursts()])
    assert gpu_s(charges, "on_demand") == 100 * 3_600
    assert gpu_s(charges, "unused") == 60 * 3_600
    assert billed(charges) == 720 * 10 * 2_000_000 + 100 * 5_000_000


def test_an_unused_price_list_beside_a_minimum_changes_nothing() -> None:
    metered = bursts()
    contract = TakeOrPay(**TEN, minimum_frac=0.5,
                         overage_usd_per_gpu_hour=Decimal(5))
    rest = OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(1))
    assert rows(rate({"c": contract, "rest": rest}, [metered])) == rows(rate({"c": contract}, [metered]))


def test_other_commitments_come_before_use_above_a_minimum() -> None:
    """4 GPUs reserved and a plan of $3 an hour at $1.50 take the burst's first 6 GPUs of 10."""
    contracts = {
        "c": TakeOrPay(**TEN, overage_usd_per_gpu_hour=Decimal(5)),
        "dear": Reserved(fleet="azure", usd_per_gpu_hour=Decimal(9), gpus=4),
        "plan": SavingsPlan(
            usd_per_hour=Decimal(3),
            rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(4), usd_per_gpu_hour=Decimal("1.5"))},
        ),
    }
    charges = rate(contracts, [bursts()])
    used = {name: sum(row[5] for row in rows(charges) if row[2] == name and row[3] == "Usage"
                      and row[4] != "unused") // 3_600 for name in contracts}
    assert used == {"dear": 10 * 4, "plan": 10 * 2, "c": 704 * 10 + 10 * (20 - 6)}
    assert gpu_s(charges, "overage") == 0  # the month has less than 7,200 GPU-hours


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({}, "one of the two"),
        ({"usd_per_gpu_hour": Decimal(1), "total_usd": Decimal(1)}, "one of the two"),
        ({"total_usd": Decimal(1)}, "needs term_months"),
        ({"total_usd": Decimal(1), "term_months": 1, "minimum_frac": 0.5}, "owed in full"),
    ],
)
def test_terms_that_contradict_each_other_are_refused(terms: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TakeOrPay(fleet="azure", **terms)  # wrong on purpose


prices = st.decimals(0, 20, places=3)


@st.composite
def quarters(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Shares used and used beyond, in thousandths, per hour from 20 January to 10 March 2024."""
    seed = draw(st.integers(0, 2**32))
    generator = np.random.default_rng(seed)
    ceiling = draw(st.integers(0, 1_000))
    bursts = draw(st.integers(0, 1_500))
    allocated, elastic = (generator.integers(0, top + 1, 1_200) for top in (ceiling, bursts))
    return allocated.tolist(), elastic.tolist()


@settings(max_examples=30, deadline=None)
@given(quarter=quarters(), gpus=st.integers(1, 100_000), price=prices, over=prices,
       minimum=st.integers(0, 100))  # fmt: skip
def test_months_equal_the_formula(
    quarter: tuple[list[int], list[int]], gpus: int, price: Decimal, over: Decimal, minimum: int
) -> None:
    hour_us = hours(utc(2024, 1, 20), utc(2024, 3, 10))
    accepted = delivery(utc(2024, 1, 25, 7, 30), gpus)
    committed = usage(hour_us, accepted).committed_gpu_s
    demand = committed * np.array(quarter[0]) // 1_000 + gpus * np.array(quarter[1])
    contract = TakeOrPay(
        fleet="azure", usd_per_gpu_hour=price, overage_usd_per_gpu_hour=over, minimum_frac=minimum / 100
    )
    metered = usage(hour_us, accepted, allocated=demand)
    charges = rate({"c": contract}, [metered])
    for start, end in pairwise([utc(2024, 1, 20), utc(2024, 2, 1), utc(2024, 3, 1), utc(2024, 3, 10)]):
        first, last = hours(start, start + timedelta(hours=1))[0], hours(end, end + timedelta(hours=1))[0]
        inside = (hour_us >= first) & (hour_us < last)
        held = Fraction(int(committed[inside].sum()), 3_600)
        use = Fraction(int(demand[inside].sum()), 3_600)
        due = Fraction(price) * max(Fraction(minimum, 100) * held, min(use, held))
        due += Fraction(over) * max(use - held, 0)
        month = [row for row in rows(charges) if first <= row[0] < last]
        # Half a micro-dollar for each charge, and half a GPU-second of the minimum.
        bound = Fraction(len(month), 2) + Fraction(price) * 1_000_000 / 7_200
        assert abs(sum(row[8] for row in month) - due * 1_000_000) <= bound
        assert sum(row[9] for row in month) == sum(row[8] for row in month)
        assert sum(row[5] for row in month if row[4] in ("used", "overage")) == use * 3_600
        assert all(row[8] >= 0 and row[9] >= 0 for row in month)
    cuts = [0, 12 * 24, (12 + 29) * 24, len(hour_us)]
    blocks = [rate({"c": contract}, [block(metered, start, stop)]) for start, stop in pairwise(cuts)]
    assert rows(*blocks) == rows(charges)


@settings(max_examples=30, deadline=None)
@given(
    total=st.integers(0, 10**16),
    months=st.integers(1, 4),
    tranches=st.lists(st.tuples(st.integers(0, 57_600), st.integers(1, 50_000)), min_size=1, max_size=4),
    cuts=st.sets(st.sampled_from([31, 60, 91, 121, 152]), max_size=5),
)
def test_a_total_is_paid_to_the_micro_dollar_in_any_months(
    total: int, months: int, tranches: list[tuple[int, int]], cuts: set[int]
) -> None:
    hour_us = hours(utc(2024, 1, 1), utc(2024, 7, 1))
    deliveries = [delivery(utc(2024, 1, 1) + timedelta(minutes=minutes), gpus) for minutes, gpus in tranches]
    contract = TakeOrPay(fleet="azure", total_usd=Decimal(total).scaleb(-6), term_months=months)
    whole = usage(hour_us, *deliveries)
    charges = rate({"c": contract}, [whole])
    assert billed(charges) == total
    assert effective(charges) == total
    edges = [0, *(day * 24 for day in sorted(cuts)), len(hour_us)]
    parts = [rate({"c": contract}, [block(whole, *cut)]) for cut in pairwise(edges)]
    assert rows(*parts) == rows(charges)
