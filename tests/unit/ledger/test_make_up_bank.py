"""The make-up bank of take or pay equals a plain loop: what is not taken is drawn later or lapses."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from metered import billed, block, delivery, effective, gpu_s, hours, rows, usage, utc
from naive import micro, month_of
from random_usage import Metered, fleets, prices

from fleetsim.ledger.contracts import TakeOrPay
from fleetsim.ledger.rating import Biller, rate
from fleetsim.ledger.usage import Delivery
from fleetsim.timebase import epoch_us

START = utc(2024, 1, 20)


def test_what_is_not_taken_in_one_month_is_taken_in_the_next() -> None:
    """10 GPUs at $2, half of them a minimum: idle in June, full in July."""
    contract = TakeOrPay(fleet="azure", usd_per_gpu_hour=Decimal(2), minimum_frac=0.5, make_up_months=2)
    hour_us = hours(utc(2024, 6, 1), utc(2024, 8, 1))
    allocated = [0] * 720 + [36_000] * 744
    charges = rate({"c": contract}, [usage(hour_us, delivery(utc(2024, 6, 1), 10), allocated=allocated)])
    assert [(row[0], row[5], row[8]) for row in rows(charges) if row[4] == "make_up"] == [
        (int(hour_us[719]), 720 * 18_000, 720 * 10_000_000)
    ]
    assert gpu_s(charges, "made_up") == 720 * 18_000
    assert effective(charges, "made_up") == 720 * 10_000_000
    # July: 744 x 10 taken, of them 744 x 5 the minimum and 720 x 5 drawn; 24 x 5 are paid at the price.
    assert billed(charges) == 720 * 10_000_000 + 744 * 10_000_000 + 24 * 10_000_000
    assert effective(charges) == billed(charges)
    assert gpu_s(charges, "unused") == 0


def test_what_is_not_taken_in_time_lapses() -> None:
    contract = TakeOrPay(fleet="azure", usd_per_gpu_hour=Decimal(2), minimum_frac=0.5, make_up_months=1)
    hour_us = hours(utc(2024, 6, 1), utc(2024, 10, 1))
    charges = rate(
        {"c": contract}, [usage(hour_us, delivery(utc(2024, 6, 1), 10), allocated=[0] * len(hour_us))]
    )
    lapsed = [(row[0], row[5], row[9]) for row in rows(charges) if row[4] == "unused"]
    ends = [epoch_us(end) - 3_600_000_000 for end in (utc(2024, 8, 1), utc(2024, 9, 1), utc(2024, 10, 1))]
    assert lapsed == [
        (end, days * 24 * 18_000, days * 24 * 10_000_000)
        for end, days in zip(ends, (30, 31, 31), strict=True)
    ]


def test_a_bank_goes_on_while_a_tranche_stays() -> None:
    """5 of 10 GPUs are handed back on 1 July: what June left is taken in July by the others."""
    contract = TakeOrPay(fleet="azure", usd_per_gpu_hour=Decimal(2), minimum_frac=0.5, make_up_months=3)
    hour_us = hours(utc(2024, 6, 1), utc(2024, 9, 1))
    goes = Delivery(accepted_us=epoch_us(utc(2024, 6, 1)), gpus=5, end_us=epoch_us(utc(2024, 7, 1)))
    stays = delivery(utc(2024, 6, 1), 5)
    committed = np.where(hour_us < epoch_us(utc(2024, 7, 1)), 36_000, 18_000)
    busy = np.where(hour_us < epoch_us(utc(2024, 7, 1)), 0, 18_000)
    metered = replace(usage(hour_us, goes, stays, allocated=busy), committed_gpu_s=committed)
    charges = rate({"c": contract}, [metered])
    assert gpu_s(charges, "unused") == 0
    # The others take 62 days x 24 h x 5 GPUs, half of which is the minimum.
    assert gpu_s(charges, "made_up") == 720 * 18_000
    assert gpu_s(charges, "used") == (62 * 24 - 720) * 18_000


@given(
    fleet=fleets(days=170, elastic=300_000),
    price=prices,
    over=prices,
    minimum=st.integers(0, 100),
    months=st.integers(1, 4),
    ended=st.none() | st.integers(0, 3_000),
)
def test_the_bank_equals_a_loop(
    fleet: Metered, price: Decimal, over: Decimal, minimum: int, months: int, ended: int | None
) -> None:
    end = None if ended is None else START + timedelta(days=118, minutes=ended)
    contract = TakeOrPay(
        fleet="azure",
        usd_per_gpu_hour=price,
        overage_usd_per_gpu_hour=over,
        minimum_frac=minimum / 100,
        make_up_months=months,
        fixed_end=end,
    )
    demand = replace(fleet.usage, allocated_gpu_s=np.array(fleet.allocated) + np.array(fleet.elastic))
    charges = rate({"c": contract}, [demand])
    expected = bank_of(fleet, price, over, Fraction(minimum, 100), months, end)
    assert {clause: gpu_s(charges, clause) for clause in expected} == {
        clause: quantity for clause, (quantity, _) in expected.items()
    }
    said = {
        clause: billed(charges, clause) if clause == "make_up" else effective(charges, clause)
        for clause in expected
    }
    # A deposit is drawn in parts, each rounded; it adds up, and so do drawn and lapsed parts.
    assert said["made_up"] + said["unused"] + left_in(charges) == said["make_up"]
    for clause in ("used", "overage", "make_up"):
        assert said[clause] == expected[clause][1]
    for clause in ("made_up", "unused"):
        assert abs(said[clause] - expected[clause][1]) <= 8
    if ended is not None:
        assert left_in(charges) == 0
        assert billed(charges) == effective(charges)
    cuts = [
        0,
        *(i for i, hour in enumerate(fleet.hours) if hour.day == 1 and hour.hour == 0),
        len(fleet.hours),
    ]
    biller = Biller({"c": contract})
    blocks = [biller.bill([block(demand, *cut)]).charges for cut in pairwise(cuts)]
    assert rows(*blocks) == rows(charges)


def left_in(charges: object) -> int:
    """Micro-dollars still in the bank: paid and neither drawn nor lapsed."""
    return billed(charges) - effective(charges)


def bank_of(
    fleet: Metered, price: Decimal, over: Decimal, minimum: Fraction, months: int, end: datetime | None
) -> dict[str, tuple[int, int]]:
    """(GPU-seconds, micro-dollars) by clause, from the formula, hour by hour."""
    found = {"used": [0, 0], "made_up": [0, 0], "overage": [0, 0], "unused": [0, 0], "make_up": [0, 0]}

    def charge(clause: str, quantity: int, money: Fraction | int) -> None:
        found[clause][0] += quantity
        found[clause][1] += money

    bank: list[list[int]] = []
    names = sorted({month_of(hour) for hour in fleet.hours})
    for number, name in enumerate(names):
        places = [i for i, hour in enumerate(fleet.hours) if month_of(hour) == name]
        held = {i: fleet.committed[i] * within(fleet.hours[i], end) // 3_600 for i in places}
        whole = sum(held.values())
        least = round(whole * minimum)
        below_so_far = within_so_far = 0
        for i in places:
            whole_use = fleet.allocated[i] + fleet.elastic[i]
            use = max(min(whole_use, held[i]), whole_use * within(fleet.hours[i], end) // 3_600)
            below = min(use, least - below_so_far)
            below_so_far += below
            use -= below
            drawn = min(use, sum(quantity for _, quantity in bank))
            wanted = drawn
            while wanted:
                part = min(wanted, bank[0][1])
                charge("made_up", part, Fraction(price) * part * 1_000_000 / 3_600)
                bank[0][1] -= part
                wanted -= part
                if not bank[0][1]:
                    bank.pop(0)
            use -= drawn
            inside = min(use, whole - least - within_so_far)
            within_so_far += inside
            charge("used", below + inside, micro(below + inside, price))
            charge("overage", use - inside, micro(use - inside, over))
        short = least - below_so_far
        if short:
            bank.append([number + months, short])
            charge("make_up", short, micro(short, price))
        over_now = end is not None and fleet.hours[places[-1]] + timedelta(hours=1) >= end
        for deposit in [each for each in bank if each[0] <= number or over_now]:
            charge("unused", deposit[1], Fraction(price) * deposit[1] * 1_000_000 / 3_600)
            bank.remove(deposit)
    return {clause: (quantity, round(money)) for clause, (quantity, money) in found.items()}


def within(hour: datetime, end: datetime | None) -> int:
    """Seconds of an hour before the end."""
    return 3_600 if end is None else min(max(round((end - hour).total_seconds()), 0), 3_600)
