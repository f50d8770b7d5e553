"""Capacity kinds equal plain loops over hours: reserved, lease, capacity block, cost pass-through."""

from calendar import monthrange
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st
from metered import billed, effective, gpu_s, rows, utc
from naive import by_month, micro, month_of, months_after, seconds_in, spread_evenly, stepped, usd
from random_usage import Metered, fleets, instants, metered, prices, seeds

from fleetsim.ledger.charges import Charges
from fleetsim.ledger.contracts import CapacityBlock, CostPassThrough, Lease, OnDemand, Reserved
from fleetsim.ledger.contracts.payment_schedule import PaymentSchedule
from fleetsim.ledger.rating import Biller, rate
from fleetsim.timebase import epoch_us

START, END = utc(2024, 1, 20), utc(2024, 3, 10)


def hourly(charges: Charges, fleet: Metered, column: int, *clauses: str) -> list[int]:
    """One column of some clauses' rows, per hour."""
    sums = dict.fromkeys((epoch_us(hour) for hour in fleet.hours), 0)
    for row in rows(charges):
        if row[4] in clauses:
            sums[row[0]] += row[column]
    return list(sums.values())


def paid_by_month(charges: Charges) -> dict[tuple[int, int], int]:
    """Recurring payments by calendar month."""
    found = {}
    for row in rows(charges):
        if row[4] == "recurring":
            when = utc(1970, 1, 1) + timedelta(microseconds=row[0])
            assert (when.year, when.month) not in found
            found[when.year, when.month] = row[8]
    return found


@given(
    fleet=fleets(),
    term=st.tuples(instants(START, END), instants(START, END)),
    price=prices,
    later=prices,
    step=instants(START, END),
    gpus=st.integers(1, 6_000),
    over=prices,
    upfront=st.sampled_from([Decimal(0), Decimal("0.35"), Decimal(1)]),
    per_gpu=prices,
)
def test_reserved(
    fleet: Metered,
    term: tuple[datetime, datetime],
    price: Decimal,
    later: Decimal,
    step: datetime,
    gpus: int,
    over: Decimal,
    upfront: Decimal,
    per_gpu: Decimal,
) -> None:
    start, end = min(term), max(term) + timedelta(minutes=1)
    contract = Reserved(
        fleet="azure",
        usd_per_gpu_hour={utc(2024, 1, 1): price, step: later},
        gpus=gpus,
        start=start,
        end=end,
        payment=PaymentSchedule(upfront_frac=upfront, upfront_usd_per_gpu=per_gpu),
    )
    charges = rate({"r": contract, "od": OnDemand(fleet="azure", usd_per_gpu_hour=over)}, [fleet.usage])
    at = stepped(price, [(step, later)])
    of_price = sum(
        micro_exact(gpus * seconds, at(hour))
        for hour, seconds in ((hour, seconds_in(hour, start, end)) for hour in fleet.hours)
    )
    prepaid = round(of_price * Fraction(upfront)) + usd(per_gpu * gpus)
    accrual = spread_evenly(prepaid, start, end, fleet.hours)
    cost, used, unused, overage = [], [], [], []
    recurring = []
    for hour, use, ahead in zip(fleet.hours, fleet.allocated, accrual, strict=True):
        held = gpus * seconds_in(hour, start, end)
        taken = min(use, held)
        recurring.append(micro(held, Fraction(at(hour)) * (1 - Fraction(upfront))))
        cost.append(recurring[-1] + ahead)
        # The used part of an hour's commitment is its share of the GPU-seconds.
        used.append(round(Fraction(cost[-1] * taken, held)) if prepaid and held else micro(taken, at(hour)))
        unused.append(cost[-1] - used[-1])
        overage.append(micro(use - taken, over))
    assert hourly(charges, fleet, 9, "used") == used
    assert hourly(charges, fleet, 9, "unused") == unused
    assert hourly(charges, fleet, 9, "on_demand") == hourly(charges, fleet, 8, "on_demand") == overage
    assert billed(charges, "upfront") == prepaid
    months = by_month(fleet.hours, recurring)
    assert paid_by_month(charges) == {month: amount for month, amount in months.items() if amount}
    assert billed(charges) == effective(charges)


def micro_exact(quantity_s: int, price: Decimal) -> Fraction:
    return quantity_s * Fraction(price) * 1_000_000 / 3_600


@given(
    fleet=fleets(), price=prices, months=st.integers(1, 2), cut=st.none() | instants(utc(2024, 2, 10), END)
)
def test_lease_at_a_price(fleet: Metered, price: Decimal, months: int, cut: datetime | None) -> None:
    lease = Lease(fleet="azure", usd_per_gpu_hour=price, term_months=months, fixed_end=cut)
    charges = rate({"l": lease}, [fleet.usage])
    cost, used = [], []
    for hour, use in zip(fleet.hours, fleet.allocated, strict=True):
        held = 0
        for accepted, gpus in fleet.tranches:
            ends = months_after(accepted, months)
            held += gpus * seconds_in(hour, accepted, ends if cut is None else min(ends, cut))
        cost.append(micro(held, price))
        used.append(micro(min(use, held), price))
    assert hourly(charges, fleet, 9, "used", "unused") == cost
    assert hourly(charges, fleet, 9, "used") == used
    assert paid_by_month(charges) == {m: paid for m, paid in by_month(fleet.hours, cost).items() if paid}


@given(fleet=fleets(days=100), total=st.integers(0, 10**15), upfront=st.sampled_from(["0", "0.25", "1"]))
def test_lease_for_a_total_is_owed_by_the_clock(fleet: Metered, total: int, upfront: str) -> None:
    lease = Lease(
        fleet="azure",
        total_usd=Decimal(total).scaleb(-6),
        term_months=1,
        payment=PaymentSchedule(upfront_frac=Decimal(upfront)),
    )
    charges = rate({"l": lease}, [fleet.usage])
    assert billed(charges) == effective(charges) == total
    weights = [
        gpus * int((months_after(accepted, 1) - accepted).total_seconds())
        for accepted, gpus in fleet.tranches
    ]
    due = [Fraction(0)] * len(fleet.hours)
    for (accepted, _), weight in zip(fleet.tranches, weights, strict=True):
        term = (months_after(accepted, 1) - accepted).total_seconds()
        for i, hour in enumerate(fleet.hours):
            seconds = seconds_in(hour, accepted, months_after(accepted, 1))
            due[i] += Fraction(total * weight, sum(weights)) * seconds / Fraction(term)
    # Each tranche's prepaid and recurring parts are rounded cumulatively: less than 2 at either end each.
    for said, exact in zip(hourly(charges, fleet, 9, "used", "unused"), due, strict=True):
        assert abs(said - exact) <= 4 * len(weights)
    paid = sum(round(Fraction(total * weight, sum(weights)) * Fraction(upfront)) for weight in weights)
    assert abs(billed(charges, "upfront") - paid) <= 2 * len(weights)


@given(
    seed=seeds,
    price=prices,
    gpus=st.integers(1, 300),
    start=instants(START, utc(2024, 2, 20)),
    length=st.integers(31, 20_000),
)
def test_capacity_block(seed: int, price: Decimal, gpus: int, start: datetime, length: int) -> None:
    """All paid at the purchase; instances end 30 minutes before the block does, and the rest is unused."""
    end = start + timedelta(minutes=length)
    fleet = metered(START, END, [(START, 200)], seed)
    block = CapacityBlock(fleet="azure", usd_per_gpu_hour=price, gpus=gpus, start=start, end=end)
    charges = rate({"b": block}, [fleet.usage])
    paid = round(gpus * length * 60 * Fraction(price) * 1_000_000 / 3_600)
    purchases = [(row[0], row[4], row[8]) for row in rows(charges) if row[8]]
    hour = start.replace(minute=0)
    assert purchases == ([(epoch_us(hour), "upfront", paid)] if paid else [])
    assert billed(charges) == paid
    accrual = spread_evenly(paid, start, end, fleet.hours)
    assert hourly(charges, fleet, 9, "used", "unused") == accrual
    assert sum(accrual) == paid if end <= END else sum(accrual) <= paid
    for hour, use, taken, cost, amount in zip(
        fleet.hours,
        fleet.allocated,
        hourly(charges, fleet, 5, "used"),
        accrual,
        hourly(charges, fleet, 9, "used"),
        strict=True,
    ):
        held = gpus * seconds_in(hour, start, end)
        usable = gpus * seconds_in(hour, start, end - timedelta(minutes=30))
        assert taken == min(use, usable)
        assert amount == (round(Fraction(cost * taken, held)) if held else 0)


@given(
    fleet=fleets(),
    price=prices,
    share=st.sampled_from(["0", "0.2", "1"]),
    floor=st.integers(0, 10**9),
    room=st.none() | st.integers(0, 10**9),
    earned=st.lists(st.integers(0, 10**16), min_size=3, max_size=3),
    named=st.booleans(),
)
def test_cost_pass_through(
    fleet: Metered, price: Decimal, share: str, floor: int, room: int | None, earned: list[int], named: bool
) -> None:
    """Compute at cost, and min(cap, max(floor, share x revenue)) every month; two separate charges.

    Floor and cap are those of a calendar month: its hours that are billed have their part of them.
    """
    cap = None if room is None else floor + room
    contract = CostPassThrough(
        fleet="azure",
        usd_per_gpu_hour=price,
        revenue_share_frac=Decimal(share),
        revenue=("plus",) if named else (),
        floor_usd_per_month=Decimal(floor),
        cap_usd_per_month=None if cap is None else Decimal(cap),
    )
    months = {648 + k: amount for k, amount in enumerate(earned)}
    other = {648 + k: 7_000_000 for k in range(3)}
    bill = Biller({"c": contract}).bill([fleet.usage], {"plus": months, "api": other})
    assert hourly(bill.charges, fleet, 9, "used", "unused") == [
        micro(held, price) for held in fleet.committed
    ]
    due = []
    for k in range(3):
        revenue = Fraction(months[648 + k] + (0 if named else 7_000_000))
        inside = sum(month_of(hour) == (2024, 1 + k) for hour in fleet.hours)
        part = Fraction(inside, 24 * monthrange(2024, 1 + k)[1])
        amount = max(round(revenue * Fraction(share)), round(part * floor * 1_000_000))
        due.append(amount if cap is None else min(amount, round(part * cap * 1_000_000)))
    said = [(row[3], row[8], row[9]) for row in rows(bill.charges) if row[4] == "revenue_share"]
    assert said == [("Adjustment", amount, amount) for amount in due if amount]
    assert gpu_s(bill.charges, "revenue_share") == 0
