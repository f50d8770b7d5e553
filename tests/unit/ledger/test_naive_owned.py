"""Owned hardware equals a plain loop over hours: depreciation, power, colocation, spares, staff."""

from calendar import monthrange
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metered import billed, block, delivery, effective, gpu_s, hours, rows, usage, utc
from naive import micro, months_after, seconds_in, spread_evenly, stepped, usd
from random_usage import dear, instants, metered, prices, seeds

from fleetsim.ledger.contracts import Owned
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.rating import Biller, rate
from fleetsim.timebase import epoch_us

START, END = utc(2024, 1, 20), utc(2024, 4, 10)


@given(
    seed=seeds,
    tranches=st.lists(
        st.tuples(instants(START, utc(2024, 2, 5)), st.integers(1, 5_000)), min_size=1, max_size=3
    ),
    capex=st.integers(100, 50_000),
    left=st.integers(0, 100),
    months=st.integers(1, 2),
    kwh=prices,
    later=prices,
    step=instants(START, END),
    kw=dear,
    space=prices,
    opex=st.integers(0, 100),
    staff=prices,
)
def test_owned(
    seed: int,
    tranches: list[tuple[datetime, int]],
    capex: int,
    left: int,
    months: int,
    kwh: Decimal,
    later: Decimal,
    step: datetime,
    kw: Decimal,
    space: Decimal,
    opex: int,
    staff: Decimal,
) -> None:
    watt_hours = np.random.default_rng(seed).integers(0, 10**9, len(hours(START, END)))
    fleet = metered(START, END, tranches, seed, energy_wh=watt_hours)
    own = Owned(
        fleet="azure",
        capex_usd_per_gpu=Decimal(capex),
        residual_usd_per_gpu=Decimal(left),
        life_months=months,
        usd_per_kwh={utc(2024, 1, 1): kwh, step: later},
        kw_per_gpu=kw,
        colocation_usd_per_kw_month=space,
        opex_frac_per_year=Decimal(opex) / 1_000,
        staff_usd_per_gpu_year=staff,
    )
    charges = rate({"own": own}, [fleet.usage])
    at = stepped(kwh, [(step, later)])
    due = dict.fromkeys(("power", "colocation", "maintenance", "staff"), 0)
    for hour, held, wh in zip(fleet.hours, fleet.committed, watt_hours.tolist(), strict=True):
        days = monthrange(hour.year, hour.month)[1]
        due["power"] += round(Fraction(wh, 1_000) * Fraction(at(hour)) * 1_000_000)
        due["colocation"] += micro(held, Fraction(kw * space) / (24 * days))
        due["maintenance"] += micro(held, Fraction(opex * capex, 8_760_000))
        due["staff"] += micro(held, Fraction(staff) / 8_760)
    assert {clause: effective(charges, clause) for clause in due} == due
    assert {clause: billed(charges, clause) for clause in due} == due
    written_off = [0] * len(fleet.hours)
    for accepted, gpus in tranches:
        part = spread_evenly(
            usd((capex - left) * gpus), accepted, months_after(accepted, months), fleet.hours
        )
        written_off = [a + b for a, b in zip(written_off, part, strict=True)]
    said = {row[0]: row[9] for row in rows(charges) if row[4] == "depreciation"}
    assert [said.get(epoch_us(hour), 0) for hour in fleet.hours] == written_off
    assert billed(charges, "depreciation") == 0
    alive = [
        min(held, sum(gpus * seconds_in(hour, accepted, months_after(accepted, months))
                      for accepted, gpus in tranches))
        for hour, held in zip(fleet.hours, fleet.committed, strict=True)
    ]  # fmt: skip
    assert gpu_s(charges, "depreciation") == sum(alive)
    assert gpu_s(charges, "past_life") == sum(fleet.committed) - sum(alive)
    assert billed(charges, "capex") == usd((capex - left) * sum(gpus for _, gpus in tranches))
    assert billed(charges) == effective(charges)
    keys = [row[:5] for row in rows(charges)]
    assert len(keys) == len(set(keys))


def test_hardware_that_is_not_there_has_no_gpu_hours() -> None:
    """Of 10 GPUs in their life 4 are metered: 4 are written off as used, none is past its life."""
    own = Owned(fleet="azure", capex_usd_per_gpu=Decimal(100), life_months=12)
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 2))
    four = np.full_like(hour_us, 14_400)
    metered = replace(usage(hour_us, delivery(utc(2024, 1, 1), 10)), committed_gpu_s=four)
    charges = rate({"own": own}, [metered])
    assert (gpu_s(charges, "depreciation"), gpu_s(charges, "past_life")) == (24 * 14_400, 0)


def test_two_tranches_of_one_hour_are_one_purchase() -> None:
    own = Owned(fleet="azure", capex_usd_per_gpu=Decimal(100), life_months=12)
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 2))
    twice = usage(hour_us, delivery(utc(2024, 1, 1, 3), 4), delivery(utc(2024, 1, 1, 3, 30), 6))
    charges = rate({"own": own}, [twice])
    assert [row[8] for row in rows(charges) if row[4] == "capex"] == [1_000_000_000]


def test_the_residual_value_comes_in_the_last_hour_of_its_life() -> None:
    """So that a run which ends with it has sum of effective = sum of billed; and month by month."""
    own = Owned(
        fleet="azure",
        capex_usd_per_gpu=Decimal(100),
        residual_usd_per_gpu=Decimal(40),
        life_months=2,
        kw_per_gpu=Decimal(1),
        colocation_usd_per_kw_month=Decimal(31),
    )
    hour_us = hours(utc(2024, 1, 1), utc(2024, 3, 1))
    whole = usage(hour_us, delivery(utc(2024, 1, 1), 1))
    charges = rate({"own": own}, [whole])
    last = epoch_us(utc(2024, 3, 1) - timedelta(hours=1))
    assert [(row[0], row[8]) for row in rows(charges) if row[4] == "capex"] == [
        (int(hour_us[0]), 100_000_000),
        (last, -40_000_000),
    ]
    assert billed(charges) == effective(charges)
    assert effective(charges, "colocation") == pytest.approx(62_000_000, abs=1_440)
    biller = Biller({"own": own})
    parts = [biller.bill([block(whole, *cut)]).charges for cut in ((0, 744), (744, len(hour_us)))]
    assert rows(*parts) == rows(charges)


@pytest.mark.parametrize(
    ("listed", "negotiated", "at"),
    [
        (None, None, None),
        (Decimal(4), None, (4, 4)),
        (None, Decimal(3), (3, 3)),
        (Decimal(4), Decimal(3), (4, 3)),
    ],
)
def test_a_public_price_is_that_of_the_gpu_hours_alone(
    listed: Decimal | None, negotiated: Decimal | None, at: tuple[int, int] | None
) -> None:
    """2 GPUs for 60 days, written off after 31: $4 an hour is all of their public price."""
    own = Owned(
        fleet="azure",
        capex_usd_per_gpu=Decimal(744),
        life_months=1,
        opex_frac_per_year=Decimal(1),
        list_usd_per_gpu_hour=listed,
        contracted_usd_per_gpu_hour=negotiated,
    )
    hour_us = hours(utc(2024, 1, 1), utc(2024, 3, 1))
    charges = rate({"own": own}, [usage(hour_us, delivery(utc(2024, 1, 1), 2))])
    sums = [sum(row[column] for row in rows(charges)) for column in (6, 7)]
    prices = [2 * 60 * 24 * price * 1_000_000 for price in at] if at else [effective(charges)] * 2
    assert sums == prices
    assert effective(charges, "depreciation") == 2 * 744_000_000
    assert [row for row in rows(charges) if row[4] == "past_life" and row[9]] == []
    assert gpu_s(charges, "past_life") == 2 * 29 * 86_400


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"residual_usd_per_gpu": Decimal(101)}, "above the price"),
        ({"termination": EarlyTermination(date=utc(2024, 1, 1))}, "no term to end"),
    ],
)
def test_owned_hardware_that_cannot_be_is_refused(terms: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Owned(fleet="azure", capex_usd_per_gpu=Decimal(100), **terms)  # wrong on purpose
