"""Price lists equal plain loops over hours: on demand, negotiated, volume tiers, spot with its market."""

import math
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metered import billed, block, delivery, effective, gpu_s, hours, rows, usage, utc
from naive import graduated, micro, months_after, seconds_in, stepped
from random_usage import Metered, fleets, instants, prices, seeds
from scipy.stats import norm

from fleetsim.ledger.contracts import Negotiated, OnDemand, Reserved, Spot, VolumeTiers
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.contracts.escalator import Escalator
from fleetsim.ledger.contracts.volume_tiers import Tier
from fleetsim.ledger.rating import Biller, rate
from fleetsim.rng import Streams
from fleetsim.timebase import epoch_us

START, END = utc(2024, 1, 20), utc(2024, 3, 10)


@given(
    fleet=fleets(elastic=10**6, elastic_contract="c"),
    price=prices,
    later=prices,
    step=instants(START, END),
    term=st.tuples(instants(START, END), instants(START, END)),
    ended=st.none() | instants(START, END),
)
def test_on_demand(
    fleet: Metered,
    price: Decimal,
    later: Decimal,
    step: datetime,
    term: tuple[datetime, datetime],
    ended: datetime | None,
) -> None:
    start, end = min(term), max(term) + timedelta(minutes=1)
    contract = OnDemand(
        fleet="azure",
        usd_per_gpu_hour={utc(2024, 1, 1): price, step: later},
        start=start,
        end=end,
        list_usd_per_gpu_hour=Decimal(30),
        termination=None if ended is None else EarlyTermination(date=ended),
    )
    charges = rate({"c": contract}, [fleet.usage])
    at, until = stepped(price, [(step, later)]), end if ended is None else min(ended, end)
    due = listed = 0
    for hour, within, extra in zip(fleet.hours, fleet.allocated, fleet.elastic, strict=True):
        seconds = seconds_in(hour, start, until)
        taken = within * seconds // 3_600 + extra * seconds // 3_600
        due += micro(taken, at(hour))
        listed += micro(taken, 30)
    assert billed(charges) == effective(charges) == int(charges.contracted_micro_usd.sum()) == due
    assert int(charges.list_micro_usd.sum()) == listed


@given(fleet=fleets(), price=prices, later=prices, step=instants(START, END), off=st.integers(0, 1_000))
def test_negotiated(fleet: Metered, price: Decimal, later: Decimal, step: datetime, off: int) -> None:
    contract = Negotiated(
        fleet="azure",
        discount_frac=Decimal(off) / 1_000,
        list_usd_per_gpu_hour={utc(2024, 1, 1): price, step: later},
    )
    charges = rate({"c": contract}, [fleet.usage])
    at, factor = stepped(price, [(step, later)]), 1 - Fraction(off, 1_000)
    hourly = list(zip(fleet.hours, fleet.allocated, strict=True))
    assert billed(charges) == sum(micro(use, Fraction(at(hour)) * factor) for hour, use in hourly)
    assert int(charges.list_micro_usd.sum()) == sum(micro(use, at(hour)) for hour, use in hourly)


tiers = st.lists(
    st.tuples(st.integers(1, 400_000), prices), min_size=1, max_size=3, unique_by=lambda tier: tier[0]
).map(sorted)


@given(
    fleet=fleets(days=170),
    first=prices,
    more=tiers,
    months=st.integers(1, 6),
    start=instants(START, utc(2024, 3, 1)),
    mode=st.sampled_from(["graduated", "all_units"]),
)
def test_volume_tiers(
    fleet: Metered, first: Decimal, more: list[tuple[int, Decimal]], months: int, start: datetime, mode: str
) -> None:
    """Periods of one or more months from a start inside a month and an hour; the last one is cut."""
    contract = VolumeTiers(
        fleet="azure",
        start=start,
        period_months=months,
        mode=mode,
        tiers=(Tier(0, first), *(Tier(*tier) for tier in more)),
    )
    last_us = epoch_us(fleet.hours[-1] + timedelta(hours=1))
    biller = Biller({"c": contract}, last_us=last_us)
    charges = biller.bill([fleet.usage]).charges
    quantity: dict[int, int] = {}
    for hour, use in zip(fleet.hours, fleet.allocated, strict=True):
        period = 0
        while months_after(start, months * (period + 1)) <= hour:
            period += 1
        quantity[period] = quantity.get(period, 0) + use * seconds_in(hour, start, None) // 3_600
    bounds, quoted = [0, *(3_600 * many for many, _ in more)], [first, *(price for _, price in more)]
    if mode == "graduated":
        due = sum(graduated(many, bounds, quoted) for many in quantity.values())
        assert abs(billed(charges) - due) <= Fraction(len(charges), 2)
    else:
        reached = [max(k for k, bound in enumerate(bounds) if bound <= many) for many in quantity.values()]
        assert billed(charges) == sum(
            micro(many, quoted[k]) for many, k in zip(quantity.values(), reached, strict=True)
        )
    assert billed(charges) == effective(charges)
    assert int(charges.gpu_s.sum()) == sum(quantity.values())
    cuts = [
        0,
        *(i for i, hour in enumerate(fleet.hours) if hour.day == 1 and hour.hour == 0),
        len(fleet.hours),
    ]
    again = Biller({"c": contract}, last_us=last_us)
    assert rows(*(again.bill([block(fleet.usage, *cut)]).charges for cut in pairwise(cuts))) == rows(charges)


def test_each_slice_is_a_charge_of_its_own() -> None:
    contract = VolumeTiers(
        fleet="azure",
        start=utc(2024, 1, 1),
        tiers=(Tier(0, Decimal(4)), Tier(10, Decimal(3)), Tier(15, Decimal(1))),
    )
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 1, 3))
    charges = rate({"c": contract}, [usage(hour_us, delivery(utc(2024, 1, 1), 8))])
    assert [(row[4], row[5] // 3_600, row[8]) for row in rows(charges)] == [
        ("on_demand", 8, 32_000_000),
        ("on_demand", 2, 8_000_000),
        ("on_demand_tier_2", 5, 15_000_000),
        ("on_demand_tier_3", 1, 1_000_000),
        ("on_demand_tier_3", 8, 8_000_000),
    ]


def test_all_units_can_drop_at_a_threshold() -> None:
    contract = VolumeTiers(
        fleet="azure",
        start=utc(2024, 1, 1),
        mode="all_units",
        tiers=(Tier(0, Decimal(4)), Tier(10, Decimal(3))),
    )
    hour_us = hours(utc(2024, 1, 1), utc(2024, 2, 1))

    def bill(gpu_hours: int) -> int:
        use = np.zeros_like(hour_us)
        use[:gpu_hours] = 3_600
        return billed(rate({"c": contract}, [usage(hour_us, delivery(utc(2024, 1, 1), 1), allocated=use)]))

    assert [bill(9), bill(10), bill(11)] == [36_000_000, 30_000_000, 33_000_000]


def test_all_units_follow_a_price_that_rises_inside_the_period() -> None:
    """Each GPU-hour costs the price of its own hour at the tier that the period reaches."""
    contract = VolumeTiers(
        fleet="azure",
        start=utc(2024, 1, 1),
        mode="all_units",
        period_months=2,
        tiers=(Tier(0, Decimal(4)), Tier(100, Decimal(2))),
        escalator=Escalator(frac_per_step=Decimal("0.5"), start=utc(2023, 2, 1)),
    )
    hour_us = hours(utc(2024, 1, 1), utc(2024, 3, 1))
    charges = rate({"c": contract}, [usage(hour_us, delivery(utc(2024, 1, 1), 1))])
    assert billed(charges) == 744 * 2_000_000 + 696 * 3_000_000


@given(
    fleet=fleets(elastic=10**6, elastic_contract="c"),
    price=prices,
    seed=seeds,
    cv=st.sampled_from([0.0, 0.1, 0.8]),
    memory_h=st.sampled_from([1.0, 24.0, 300.0]),
)
def test_spot_follows_its_market(
    fleet: Metered, price: Decimal, seed: int, cv: float, memory_h: float
) -> None:
    """Rented GPU-hours of the tranches, allocated ones of the elastic part, at the price of the hour."""
    contract = Spot(fleet="azure", usd_per_gpu_hour=price, price_cv_frac=cv, price_correlation_h=memory_h)
    charges = Biller({"c": contract}, streams=Streams(seed)).bill([fleet.usage]).charges
    normal = norm.ppf(Streams(seed).uniforms("fleet/azure/spot-price", len(fleet.hours))).tolist()
    sigma, kept, z, due = math.sqrt(math.log(1 + cv * cv)), math.exp(-1 / memory_h), 0.0, 0
    exact = True
    for i, (held, extra) in enumerate(zip(fleet.committed, fleet.elastic, strict=True)):
        fresh = normal[i]
        z = fresh if i == 0 else kept * z + math.sqrt(1 - kept * kept) * fresh
        dollars = float(price) * math.exp(sigma * z - sigma * sigma / 2) * 1e6
        exact = exact and abs(dollars % 1 - 0.5) > 1e-4
        due += micro(held + extra, Fraction(round(dollars), 1_000_000))
    assert abs(billed(charges) - due) <= (0 if exact else len(fleet.hours) * 10**4)
    assert billed(charges) == effective(charges) == billed(charges, "spot")
    assert gpu_s(charges, "spot") == sum(fleet.committed) + sum(fleet.elastic)


def test_the_market_price_has_the_mean_and_spread_that_were_asked_for() -> None:
    hour_us = hours(utc(2000, 1, 1), utc(2030, 1, 1))
    contract = Spot(fleet="azure", usd_per_gpu_hour=Decimal(1), price_cv_frac=0.3, price_correlation_h=6.0)
    metered = usage(hour_us, delivery(utc(1999, 1, 1), 1))
    paid = Biller({"c": contract}, streams=Streams(1)).bill([metered]).charges.billed_micro_usd / 1e6
    independent = len(hour_us) / 12  # hours / (2 x correlation time)
    assert paid.mean() == pytest.approx(1, abs=4 * 0.3 / math.sqrt(independent))
    assert paid.std() / paid.mean() == pytest.approx(0.3, abs=0.02)
    logs = np.log(paid) - np.log(paid).mean()
    assert float(np.mean(logs[6:] * logs[:-6]) / logs.var()) == pytest.approx(math.exp(-1), abs=0.03)


def test_two_contracts_on_one_market_see_one_price_block_by_block() -> None:
    hour_us = hours(utc(2024, 1, 1), utc(2024, 3, 1))
    metered = usage(
        hour_us, delivery(utc(2024, 1, 1), 10), elastic=[3_600] * len(hour_us), elastic_contract="b"
    )
    contracts = {name: Spot(fleet="azure", usd_per_gpu_hour=Decimal(1), price_cv_frac=0.3) for name in "ab"}
    whole = Biller(contracts, streams=Streams(1)).bill([metered]).charges
    mine = [row[8] / row[5] for row in rows(whole) if row[2] == "a"]
    other = [row[8] / row[5] for row in rows(whole) if row[2] == "b"]
    assert mine == pytest.approx(other, abs=1e-3)
    biller = Biller(contracts, streams=Streams(1))
    parts = [biller.bill([block(metered, *cut)]).charges for cut in pairwise([0, 744, len(hour_us)])]
    assert rows(*parts) == rows(whole)


def test_spot_charges_only_what_others_leave() -> None:
    """Of 10 rented GPUs 4 are reserved; a spot contract charges the other 6, an on-demand one none twice."""
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 1, 1))
    metered = usage(hour_us, delivery(utc(2024, 1, 1), 10), allocated=[7 * 3_600])
    reserved = Reserved(fleet="azure", usd_per_gpu_hour=Decimal(1), gpus=4)
    spot, dear = (
        Spot(fleet="azure", usd_per_gpu_hour=Decimal(2)),
        OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(3)),
    )
    cheap = OnDemand(fleet="azure", usd_per_gpu_hour=Decimal("1.5"))
    first = rate({"r": reserved, "s": spot, "o": dear}, [metered])
    assert (gpu_s(first, "spot"), gpu_s(first, "on_demand")) == (6 * 3_600, 0)
    second = rate({"r": reserved, "s": spot, "o": cheap}, [metered])
    assert (gpu_s(second, "spot"), gpu_s(second, "on_demand")) == (3 * 3_600, 3 * 3_600)


@given(
    fleet=fleets(),
    share=st.integers(0, 1_000),
    price=prices,
    term=st.tuples(instants(START, END), instants(START, END)),
    reserved=st.integers(0, 3_000),
)
def test_a_share_of_spot(
    fleet: Metered, share: int, price: Decimal, term: tuple[datetime, datetime], reserved: int
) -> None:
    """At most the share of what the fleet has allocated, of what reservations leave; the rest on demand."""
    start, end = min(term), max(term) + timedelta(minutes=1)
    contracts = {
        "spot": Spot(
            fleet="azure", usd_per_gpu_hour=price, share_frac=Decimal(share) / 1_000, start=start, end=end
        ),
        "rest": OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(0)),
        "held": Reserved(fleet="azure", usd_per_gpu_hour=Decimal(0), gpus=reserved),
    }
    charges = rate(contracts, [fleet.usage])
    quantity = due = 0
    for hour, use in zip(fleet.hours, fleet.allocated, strict=True):
        seconds = seconds_in(hour, start, end)
        left = max(use - 3_600 * reserved, 0)
        taken = min(left * seconds // 3_600, (use * share // 1_000) * seconds // 3_600)
        quantity += taken
        due += micro(taken, price)
    assert (gpu_s(charges, "spot"), billed(charges, "spot")) == (quantity, due)
    assert gpu_s(charges, "used") + gpu_s(charges, "spot") + gpu_s(charges, "on_demand") == sum(
        fleet.allocated
    )
