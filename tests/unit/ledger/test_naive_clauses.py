"""Clauses that any kind may carry equal their formulas: prices over time, early end, uptime, delay."""

import math
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from metered import billed, block, delivery, effective, hours, rows, usage, utc
from naive import by_month, micro, months_after, seconds_in, spread_evenly, usd
from random_usage import Metered, dear, fleets, instants, metered, prices, seeds

from fleetsim.ledger.contracts import CostPassThrough, Lease, OnDemand, Reserved, TakeOrPay
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.contracts.escalator import Escalator
from fleetsim.ledger.contracts.most_favoured import MostFavoured
from fleetsim.ledger.contracts.payment_schedule import PaymentSchedule
from fleetsim.ledger.contracts.provider_delay import ProviderDelay
from fleetsim.ledger.contracts.sla_credit import SlaBracket, SlaCredit
from fleetsim.ledger.rating import Biller, rate
from fleetsim.ledger.usage import Delivery
from fleetsim.timebase import epoch_us

START, END = utc(2024, 1, 20), utc(2024, 3, 10)


@given(
    price=dear,
    rise=st.integers(0, 500),
    start=instants(utc(2023, 1, 1), END),
    every=st.integers(1, 14),
    fleet=fleets(),
)
def test_escalator(price: Decimal, rise: int, start: datetime, every: int, fleet: Metered) -> None:
    """p0 (1 + e)^k after k steps; a step inside an hour acts at the next one."""
    contract = OnDemand(
        fleet="azure",
        usd_per_gpu_hour=price,
        escalator=Escalator(frac_per_step=Decimal(rise) / 1_000, start=start, every_months=every),
    )
    due, scale = 0, 0
    for hour, use in zip(fleet.hours, fleet.allocated, strict=True):
        k = 0
        while months_after(start, every * (k + 1)) <= hour:
            k += 1
        exact = Fraction(price) * (1 + Fraction(rise, 1_000)) ** k
        due += micro(use, round(exact * 10**9) * Fraction(1, 10**9))
        scale += use
    # Prices are kept to a billionth of a dollar, and one rounding more may fall the other way.
    assert abs(billed(rate({"c": contract}, [fleet.usage])) - due) <= scale / 3_600 * 1e-3 + 1


def test_the_price_before_the_first_rise_and_the_first_date() -> None:
    """The rise of February 2024 comes before the first date of the price, which holds from the beginning."""
    contract = OnDemand(
        fleet="azure",
        usd_per_gpu_hour={utc(2024, 3, 1): Decimal(2), utc(2024, 4, 1): Decimal(4)},
        escalator=Escalator(frac_per_step=Decimal("0.5"), start=utc(2023, 2, 1)),
    )
    hour_us = hours(utc(2024, 1, 1), utc(2024, 5, 1))
    charges = rate({"c": contract}, [usage(hour_us, delivery(utc(2024, 1, 1), 1))])
    paid = {row[0]: row[8] for row in rows(charges)}
    said = [paid[epoch_us(utc(2024, month, 15))] for month in (1, 2, 3, 4)]
    assert said == [2_000_000, 3_000_000, 3_000_000, 6_000_000]


@given(
    price=dear,
    market=dear,
    decline=st.integers(0, 1_000),
    start=instants(utc(2023, 1, 1), END),
    every=st.integers(1, 3),
    share=st.integers(500, 1_200),
    fleet=fleets(),
)
def test_most_favoured_reset(
    price: Decimal, market: Decimal, decline: int, start: datetime, every: int, share: int, fleet: Metered
) -> None:
    """At each reset p = min(p, k x market exp(-lambda t)); in between the price stays."""
    contract = Reserved(
        fleet="azure",
        usd_per_gpu_hour=price,
        most_favoured=MostFavoured(
            market_usd_per_gpu_hour=market,
            decline_per_year=Decimal(decline) / 1_000,
            start=start,
            every_months=every,
            of_market_frac=Decimal(share) / 1_000,
        ),
    )
    due, quantity = 0.0, 0
    for hour, held in zip(fleet.hours, fleet.committed, strict=True):
        own, k = float(price), 1
        while (reset := months_after(start, every * k)) <= hour:
            years = (reset - start).total_seconds() / 3_600 / 8_760
            own, k = min(own, share / 1_000 * float(market) * math.exp(-decline / 1_000 * years)), k + 1
        due += held * own * 1e6 / 3_600
        quantity += held
    assert billed(rate({"c": contract}, [fleet.usage])) == pytest.approx(
        due, rel=1e-12, abs=quantity / 3_600 * 1e-3 + len(fleet.hours)
    )


@given(
    seed=seeds,
    price=dear,
    gpus=st.integers(1, 500),
    term=st.tuples(instants(START, END), instants(START, END)),
    ended=instants(START, END - timedelta(minutes=1)),
    fee=st.integers(0, 100),
    cap=st.none() | st.integers(0, 2_000_000),
    ahead=st.sampled_from(["0", "0.5", "1"]),
    refund=st.integers(0, 100),
    discount=st.sampled_from(["0", "0.12"]),
)
def test_a_reservation_that_is_ended_early(
    seed: int,
    price: Decimal,
    gpus: int,
    term: tuple[datetime, datetime],
    ended: datetime,
    fee: int,
    cap: int | None,
    ahead: str,
    refund: int,
    discount: str,
) -> None:
    """fee = min(cap, f x remaining payments or their present value); refund of what was paid ahead."""
    start, end = min(term), max(term) + timedelta(minutes=1)
    assume(ended < end)
    fleet = metered(START, END, [(START, 300)], seed)
    contract = Reserved(
        fleet="azure",
        usd_per_gpu_hour=price,
        gpus=gpus,
        start=start,
        end=end,
        payment=PaymentSchedule(upfront_frac=Decimal(ahead)),
        termination=EarlyTermination(
            date=ended,
            fee_frac=Decimal(fee) / 100,
            refund_frac=Decimal(refund) / 100,
            fee_cap_usd=None if cap is None else Decimal(cap),
            discount_frac_per_year=Decimal(discount),
        ),
    )
    charges = rate({"c": contract}, [fleet.usage])
    assert billed(charges) == effective(charges)
    rate_s = gpus * Fraction(price) * 1_000_000 / 3_600
    upfront = round(rate_s * seconds(start, end) * Fraction(ahead)) if ended > start else 0
    assert billed(charges, "upfront") == upfront
    accrual = spread_evenly(upfront, start, end, fleet.hours)
    cost = 0
    for hour, prepaid in zip(fleet.hours, accrual, strict=True):
        cost += micro(gpus * seconds_in(hour, start, ended), Fraction(price) * (1 - Fraction(ahead)))
        cost += prepaid if hour + timedelta(hours=1) <= ended else 0
    used_up = round(upfront * Fraction(seconds(start, max(start, ended)), seconds(start, end)))
    in_last_hour = used_up - sum(
        prepaid
        for hour, prepaid in zip(fleet.hours, accrual, strict=True)
        if hour + timedelta(hours=1) <= ended
    )
    back = round((upfront - used_up) * Fraction(refund, 100))
    assert billed(charges, "refund") == -back
    still, value = max(start, ended), Fraction(0)
    months = 0
    while still < end:
        months += 1
        until = min(months_after(max(start, ended), months), end)
        years = seconds(ended, still) / 3_600 / 8_760
        value += (
            rate_s * (1 - Fraction(ahead)) * seconds(still, until) * Fraction((1 + float(discount)) ** -years)
        )
        still = until
    due = value * Fraction(fee, 100)
    due = due if cap is None else min(due, Fraction(cap) * 1_000_000)
    assert float(billed(charges, "termination_fee")) == pytest.approx(float(due), rel=1e-9, abs=1)
    if discount == "0":
        assert billed(charges, "termination_fee") == round(due)
    assert effective(charges, "used") + effective(charges, "unused") == (
        cost + in_last_hour + upfront - used_up - back
    )
    keys = [row[:5] for row in rows(charges)]
    assert len(keys) == len(set(keys))


def seconds(left: datetime, right: datetime) -> int:
    return round((right - left).total_seconds())


def test_the_fee_of_a_minimum_is_of_the_minimum() -> None:
    """100 GPUs at $2, 60% minimum, ended after 1 of 3 months: half of 61 days x 24 h x 60 GPUs x $2."""
    contract = TakeOrPay(
        fleet="azure",
        usd_per_gpu_hour=Decimal(2),
        minimum_frac=0.6,
        term_months=3,
        termination=EarlyTermination(date=utc(2024, 7, 1), fee_frac=Decimal("0.5")),
    )
    hour_us = hours(utc(2024, 6, 1), utc(2024, 10, 1))
    charges = rate({"c": contract}, [usage(hour_us, delivery(utc(2024, 6, 1), 100))])
    assert billed(charges, "termination_fee") == 62 * 24 * 60 * 1_000_000
    assert billed(charges, "recurring") == 720 * 200_000_000
    assert billed(charges) == effective(charges)


def test_a_tranche_that_comes_after_the_end_is_not_paid_ahead() -> None:
    lease = Lease(
        fleet="azure",
        usd_per_gpu_hour=Decimal(1),
        term_months=2,
        payment=PaymentSchedule(upfront_frac=Decimal(1)),
        termination=EarlyTermination(date=utc(2024, 2, 1), fee_frac=Decimal(1), refund_frac=Decimal(1)),
    )
    hour_us = hours(utc(2024, 1, 1), utc(2024, 5, 1))
    charges = rate(
        {"l": lease}, [usage(hour_us, delivery(utc(2024, 1, 1), 10), delivery(utc(2024, 2, 2), 5))]
    )
    assert billed(charges, "upfront") == 60 * 24 * 10_000_000
    assert billed(charges, "refund") == -29 * 24 * 10_000_000
    assert billed(charges) == effective(charges) == 31 * 24 * 10_000_000


@pytest.mark.parametrize(
    ("floor", "cap", "due"),
    [
        # January from the 17th on is 15 of 31 days, and earned $310 in them; February to the 15th 14 of 29.
        (0, None, [62_000_000, round(Fraction(14, 29) * 58_000_000)]),
        (310, None, [150_000_000, round(Fraction(14, 29) * 310_000_000)]),
        (0, 31, [15_000_000, round(Fraction(14, 29) * 31_000_000)]),
    ],
)
def test_a_share_of_revenue_of_parts_of_months(floor: int, cap: int | None, due: list[int]) -> None:
    contract = CostPassThrough(
        fleet="azure",
        usd_per_gpu_hour=Decimal(0),
        revenue_share_frac=Decimal("0.2"),
        floor_usd_per_month=Decimal(floor),
        cap_usd_per_month=None if cap is None else Decimal(cap),
        termination=EarlyTermination(date=utc(2024, 2, 15)),
    )
    hour_us = hours(utc(2024, 1, 17), utc(2024, 4, 1))
    bill = Biller({"c": contract}).bill(
        [usage(hour_us, delivery(utc(2024, 1, 1), 1))],
        {"plus": {648: 310_000_000, 649: 290_000_000, 650: 10_000_000}},
    )
    shares = [(row[0], row[8]) for row in rows(bill.charges) if row[4] == "revenue_share"]
    assert shares == [
        (epoch_us(utc(2024, 1, 31, 23)), due[0]),
        (epoch_us(utc(2024, 2, 14, 23)), due[1]),
    ]


brackets = st.lists(
    st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)),
    min_size=1,
    max_size=3,
    unique_by=lambda bracket: bracket[0],
)


@given(
    seed=seeds,
    price=prices,
    minimum=st.booleans(),
    steps=brackets,
    cap=st.integers(0, 1_000),
    down=st.integers(0, 1_000),
)
def test_uptime_credits(
    seed: int, price: Decimal, minimum: bool, steps: list[tuple[int, int]], cap: int, down: int
) -> None:
    """Per month: credit of the lowest bracket that is missed x the month's fee, at most the cap."""
    hour_us, generator = hours(START, END), np.random.default_rng(seed)
    lost = generator.integers(0, 36 * down + 1, len(hour_us))
    fleet = metered(START, END, [(START, 10)], seed, lost_gpu_s=lost)
    sla = SlaCredit(
        cap_frac=Decimal(cap) / 1_000,
        brackets=tuple(SlaBracket(Decimal(below) / 1_000, Decimal(share) / 1_000) for below, share in steps),
    )
    contract: Any = Reserved(fleet="azure", usd_per_gpu_hour=price, sla=sla)
    if minimum:
        contract = TakeOrPay(fleet="azure", usd_per_gpu_hour=price, sla=sla)
    charges = rate({"c": contract}, [fleet.usage])
    fees = by_month(fleet.hours, [micro(held, price) for held in fleet.committed])
    gone, rented = by_month(fleet.hours, lost.tolist()), by_month(fleet.hours, fleet.committed)
    due = []
    for month, fee in fees.items():
        uptime = 1 - Fraction(gone[month], rented[month])
        missed = [(below, share) for below, share in steps if uptime < Fraction(below, 1_000)]
        share = min(min(missed)[1], cap) if missed else 0
        due.append(-round(Fraction(share * fee, 1_000)))
    said = [(row[3], row[8], row[9]) for row in rows(charges) if row[4] == "sla_credit"]
    assert said == [("Credit", amount, amount) for amount in due if amount]
    cuts = [
        0,
        *(i for i, hour in enumerate(fleet.hours) if hour.day == 1 and hour.hour == 0),
        len(fleet.hours),
    ]
    biller = Biller({"c": contract})
    assert rows(*(biller.bill([block(fleet.usage, *cut)]).charges for cut in pairwise(cuts))) == rows(charges)


@given(
    tranches=st.lists(
        st.tuples(
            instants(START, END - timedelta(minutes=1)), st.integers(-900, 40_000), st.integers(1, 500)
        ),
        min_size=1,
        max_size=4,
    ),
    per_day=prices,
    grace=st.integers(0, 20),
    cap=st.none() | st.integers(0, 100),
)
def test_delay_credits(
    tranches: list[tuple[datetime, int, int]], per_day: Decimal, grace: int, cap: int | None
) -> None:
    """Per tranche, at acceptance: whole days beyond the grace x GPUs x rate, at most the cap per GPU."""
    contract = Reserved(
        fleet="azure",
        usd_per_gpu_hour=Decimal(1),
        delay_relief=ProviderDelay(
            credit_usd_per_gpu_day=per_day,
            grace_days=grace,
            cap_usd_per_gpu=None if cap is None else Decimal(cap),
        ),
    )
    deliveries = [
        Delivery(
            accepted_us=epoch_us(accepted),
            gpus=gpus,
            promised_us=epoch_us(accepted - timedelta(minutes=late)),
        )
        for accepted, late, gpus in tranches
    ]
    charges = rate({"c": contract}, [usage(hours(START, END), *deliveries)])
    due: dict[int, int] = {}
    for accepted, late, gpus in tranches:
        days = max(math.floor(Fraction(late, 1_440)) - grace, 0)
        each = days * per_day if cap is None else min(days * per_day, Decimal(cap))
        at = epoch_us(accepted.replace(minute=0))
        due[at] = due.get(at, 0) - usd(each * gpus)
    said = [(row[0], row[3], row[8], row[9]) for row in rows(charges) if row[4] == "delay_credit"]
    assert said == [(at, "Credit", amount, amount) for at, amount in sorted(due.items()) if amount]


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"end": utc(2025, 1, 1), "term_months": 12}, "one of the two"),
        ({"gpus": 3, "term_months": 12}, "needs start"),
        ({"gpus": 3, "term_months": 12, "payment": PaymentSchedule(upfront_frac=Decimal(1))}, "needs start"),
        ({"payment": PaymentSchedule(upfront_frac=Decimal(1))}, "needs a term"),
    ],
)
def test_reservations_that_contradict_themselves_are_refused(terms: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Reserved(fleet="azure", usd_per_gpu_hour=Decimal(1), **terms)
