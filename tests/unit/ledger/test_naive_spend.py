"""Spend plans equal a plain loop over hours: order of fleets, partial cover, GCP's way, upfront, dates."""

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metered import billed, delivery, effective, hours, rows, usage, utc
from naive import micro, seconds_in, spend_plan, stepped
from random_usage import dear, instants, metered, seeds

from fleetsim.ledger.charges import Charges
from fleetsim.ledger.contracts import OnDemand, SavingsPlan
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.contracts.escalator import Escalator
from fleetsim.ledger.contracts.payment_schedule import PaymentSchedule
from fleetsim.ledger.contracts.savings_plan import PlanRate
from fleetsim.ledger.rating import rate

START, END = utc(2024, 2, 20), utc(2024, 3, 10)
HOURS = hours(START, END)


def per_hour(charges: Charges, column: int, clause: str, fleet: str | None = None) -> list[int]:
    """One column of a clause's rows per hour, of one fleet or of all."""
    sums = dict.fromkeys(HOURS.tolist(), 0)
    for row in rows(charges):
        if row[4] == clause and fleet in (None, row[1]):
            sums[row[0]] += row[column]
    return list(sums.values())


def test_the_hour_of_the_aws_example() -> None:
    """4 units, on demand 5, plan rate 4, commitment 13: 16.75, in the rows that FOCUS wants."""
    plan = SavingsPlan(
        usd_per_hour=Decimal(13),
        rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(5), usd_per_gpu_hour=Decimal(4))},
    )
    rest = OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(5))
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 1, 1))
    charges = rate({"plan": plan, "rest": rest}, [usage(hour_us, delivery(utc(2024, 1, 1), 4))])
    assert [row[2:] for row in rows(charges)] == [
        ("plan", "Usage", "used", 11_700, 16_250_000, 16_250_000, 0, 13_000_000),
        ("plan", "Purchase", "recurring", 0, 0, 0, 13_000_000, 0),
        ("rest", "Usage", "on_demand", 2_700, 3_750_000, 3_750_000, 3_750_000, 3_750_000),
    ]
    assert billed(charges) == effective(charges) == 16_750_000
    idle = usage(hour_us, delivery(utc(2024, 1, 1), 4), allocated=[3_600])
    assert [row[2:] for row in rows(rate({"plan": plan, "rest": rest}, [idle]))] == [
        ("plan", "Usage", "used", 3_600, 5_000_000, 5_000_000, 0, 4_000_000),
        ("plan", "Usage", "unused", 0, 0, 0, 0, 9_000_000),
        ("plan", "Purchase", "recurring", 0, 0, 0, 13_000_000, 0),
    ]


def test_a_gcp_commitment_is_in_on_demand_dollars() -> None:
    """$100 an hour of on-demand spend at 28% off costs $72 and covers 20 GPUs at $5."""
    plan = SavingsPlan(
        on_demand_usd_per_hour=Decimal(100),
        discount_frac=Decimal("0.28"),
        rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(5))},
    )
    rest = OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(5))
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 1, 1))
    charges = rate({"plan": plan, "rest": rest}, [usage(hour_us, delivery(utc(2024, 1, 1), 23))])
    assert effective(charges, "used") == 72_000_000
    assert [row[5] for row in rows(charges) if row[4] == "used"] == [20 * 3_600]
    assert billed(charges) == 72_000_000 + 15_000_000


fleet_prices = st.tuples(dear, st.integers(0, 999))


@given(
    seed=seeds,
    gpus=st.tuples(*[st.integers(1, 400)] * 3),
    commitment=st.decimals(0, 3_000, places=2),
    quoted=st.tuples(*[fleet_prices] * 3),
    later=dear,
    step=instants(START, END),
    term=st.tuples(instants(START, END), instants(START, END)),
    gcp=st.booleans(),
)
def test_a_plan_over_fleets_equals_a_loop(
    seed: int,
    gpus: tuple[int, ...],
    commitment: Decimal,
    quoted: tuple[tuple[Decimal, int], ...],
    later: Decimal,
    step: datetime,
    term: tuple[datetime, datetime],
    gcp: bool,
) -> None:
    """Three fleets, one of them with an on-demand price that changes, so that the order may change too."""
    start, end = min(term), max(term) + timedelta(minutes=1)
    names = ["azure", "b", "c"]
    metered_fleets = {
        name: metered(START, END, [(START, many)], seed + k, fleet=name)
        for k, (name, many) in enumerate(zip(names, gpus, strict=True))
    }
    public = {name: price for name, (price, _) in zip(names, quoted, strict=True)}
    own = {name: price * (1000 - less) / 1000 for name, (price, less) in zip(names, quoted, strict=True)}
    dated: dict[str, object] = dict(public)
    dated["b"] = {utc(2024, 1, 1): public["b"], step: later}
    at_b = stepped(public["b"], [(step, later)])
    discount = Decimal("0.3")
    plan = SavingsPlan(
        rates={
            name: PlanRate(
                on_demand_usd_per_gpu_hour=dated[name],
                usd_per_gpu_hour=own[name],
            )
            for name in names
        },
        usd_per_hour=None if gcp else commitment,
        on_demand_usd_per_hour=commitment if gcp else None,
        discount_frac=discount if gcp else None,
        start=start,
        end=end,
    )
    contracts = {
        "plan": plan,
        **{f"od-{name}": OnDemand(fleet=name, usd_per_gpu_hour=dated[name]) for name in names},
    }
    charges = rate(contracts, [each.usage for each in metered_fleets.values()])
    per_h = commitment * (1 - discount) if gcp else commitment
    expected: dict[str, list[list[int]]] = {name: [] for name in names}
    unused, due = [], []
    for i, hour in enumerate(metered_fleets["azure"].hours):
        dollars = micro(seconds_in(hour, start, end), per_h)
        listed = {**public, "b": at_b(hour)}
        use = [metered_fleets[name].allocated[i] for name in names]
        covered, spent, left = spend_plan(dollars, use, [(own[name], listed[name]) for name in names])
        due.append(dollars)
        unused.append(left)
        for k, name in enumerate(names):
            expected[name].append(
                [
                    covered[k],
                    spent[k],
                    micro(covered[k], listed[name]),
                    micro(use[k] - covered[k], listed[name]),
                ]
            )
    for name in names:
        columns = [list(column) for column in zip(*expected[name], strict=True)]
        assert per_hour(charges, 5, "used", name) == columns[0]
        assert per_hour(charges, 9, "used", name) == columns[1]
        assert per_hour(charges, 7, "used", name) == columns[2]
        assert per_hour(charges, 8, "on_demand", name) == columns[3]
    assert per_hour(charges, 9, "unused") == unused
    assert billed(charges, "recurring") == sum(due)
    assert billed(charges) == effective(charges)


@given(
    seed=seeds,
    first=st.decimals(0, 300, places=6),
    second=st.decimals(0, 300, places=6),
    change=instants(START, END),
    ahead=st.sampled_from(["0.3", "0.5", "1"]),
    ended=st.booleans(),
    term=st.tuples(instants(START, END), instants(START, END)),
)
def test_what_is_paid_ahead_pays_for_the_plan_as_it_changes(
    seed: int,
    first: Decimal,
    second: Decimal,
    change: datetime,
    ahead: str,
    ended: bool,
    term: tuple[datetime, datetime],
) -> None:
    """A plan that changes its dollars: no payment is negative, and each hour costs its own dollars."""
    start, end = min(term), max(term) + timedelta(minutes=1)
    fleet = metered(START, END, [(START, 50)], seed)
    stop = start + (end - start) / 2
    stop = stop.replace(second=0, microsecond=0) if ended else None
    if stop is not None and stop <= start:
        stop = None
    plan = SavingsPlan(
        rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(5), usd_per_gpu_hour=Decimal(3))},
        usd_per_hour={utc(2024, 1, 1): first, change: second},
        start=start,
        end=end,
        payment=PaymentSchedule(upfront_frac=Decimal(ahead)),
        termination=None
        if stop is None
        else EarlyTermination(date=stop, fee_frac=Decimal("0.5"), refund_frac=Decimal("0.4")),
    )
    charges = rate({"plan": plan}, [fleet.usage])
    price = stepped(first, [(change, second)])

    def owed(left: datetime, right: datetime) -> Fraction:
        return sum(
            (
                Fraction(price(hour)) * seconds_in(hour, left, right) * 1_000_000 / 3_600
                for hour in fleet.hours
            ),
            start=Fraction(0),
        )

    assert billed(charges, "upfront") == round(owed(start, end) * Fraction(ahead))
    assert billed(charges) == effective(charges)
    recurring = [row[8] for row in rows(charges) if row[4] == "recurring"]
    assert all(amount > 0 for amount in recurring)
    assert ahead != "1" or recurring == []
    until = end if stop is None else stop
    assert abs(sum(recurring) - owed(start, until) * (1 - Fraction(ahead))) <= len(fleet.hours)
    spent = [
        used + unused
        for used, unused in zip(per_hour(charges, 9, "used"), per_hour(charges, 9, "unused"), strict=True)
    ]
    if stop is None:
        for hour, amount in zip(fleet.hours, spent, strict=True):
            due = Fraction(price(hour)) * seconds_in(hour, start, end) * 1_000_000 / 3_600
            assert abs(amount - due) <= 2
    else:
        left_ahead = owed(stop, end) * Fraction(ahead)
        assert abs(-billed(charges, "refund") - left_ahead * Fraction(2, 5)) <= 2
        assert abs(billed(charges, "termination_fee") - owed(stop, end) * (1 - Fraction(ahead)) / 2) <= 1


def test_a_plan_that_is_ended_before_it_begins_is_not_paid_ahead() -> None:
    """$8 an hour in February 2024, given up on 20 January for half of what is not paid ahead."""
    plan = SavingsPlan(
        rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(5), usd_per_gpu_hour=Decimal(3))},
        usd_per_hour=Decimal(8), start=utc(2024, 2, 1), end=utc(2024, 3, 1),
        payment=PaymentSchedule(upfront_frac=Decimal("0.75")),
        termination=EarlyTermination(date=utc(2024, 1, 20), fee_frac=Decimal("0.5"), refund_frac=Decimal(1)),
    )  # fmt: skip
    hour_us = hours(utc(2024, 1, 1), utc(2024, 4, 1))
    charges = rate({"plan": plan}, [usage(hour_us, delivery(utc(2024, 1, 1), 4))])
    assert billed(charges, "upfront") == billed(charges, "refund") == 0
    assert billed(charges) == effective(charges) == billed(charges, "termination_fee") == 29 * 24 * 1_000_000


def test_a_rise_is_of_the_plan_prices() -> None:
    """A plan's dollars stay; what they buy gets dearer, by 10% at each anniversary."""
    plan = SavingsPlan(
        rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(5), usd_per_gpu_hour=Decimal(2))},
        usd_per_hour=Decimal(22),
        escalator=Escalator(frac_per_step=Decimal("0.1"), start=utc(2023, 1, 1, 2)),
    )
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 1, 4))
    charges = rate({"plan": plan}, [usage(hour_us, delivery(utc(2024, 1, 1), 100))])
    assert [row[5] for row in rows(charges) if row[4] == "used"] == [11 * 3_600] * 2 + [10 * 3_600] * 2
    assert effective(charges) == billed(charges) == 4 * 22_000_000


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"usd_per_hour": Decimal(1), "on_demand_usd_per_hour": Decimal(1)}, "one of the two"),
        ({"on_demand_usd_per_hour": Decimal(1)}, "needs discount_frac"),
        ({"usd_per_hour": Decimal(1), "term_months": 12}, "needs start"),
        ({"usd_per_hour": Decimal(1), "payment": PaymentSchedule(upfront_frac=Decimal(1))}, "needs start"),
        (
            {
                "usd_per_hour": Decimal(1),
                "term_months": 12,
                "start": utc(2024, 1, 1),
                "payment": PaymentSchedule(upfront_usd_per_gpu=Decimal(1)),
            },
            "not GPUs",
        ),
        ({"usd_per_hour": Decimal(1), "term_months": 12, "end": utc(2024, 1, 1)}, "one of the two"),
        ({"usd_per_hour": Decimal(1), "rates": {}}, "names no fleet"),
    ],
)
def test_plans_that_contradict_themselves_are_refused(terms: dict[str, object], message: str) -> None:
    rates = {"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(5), usd_per_gpu_hour=Decimal(3))}
    with pytest.raises(ValueError, match=message):
        SavingsPlan(**{"rates": rates, **terms})  # wrong on purpose


@given(
    seed=seeds,
    price=dear,
    saving=st.integers(1, 900),
    values=st.lists(st.integers(0, 400), min_size=3, max_size=3, unique=True),
)
def test_the_total_is_convex_in_the_commitment(
    seed: int, price: Decimal, saving: int, values: list[int]
) -> None:
    fleet = metered(START, START + timedelta(days=3), [(START, 60)], seed)
    low, middle, high = sorted(values)

    def total(commitment: int) -> int:
        return billed(
            rate(
                {
                    "plan": SavingsPlan(
                        usd_per_hour=Decimal(commitment),
                        rates={
                            "azure": PlanRate(
                                on_demand_usd_per_gpu_hour=price,
                                usd_per_gpu_hour=price * (1_000 - saving) / 1_000,
                            )
                        },
                    ),
                    "rest": OnDemand(fleet="azure", usd_per_gpu_hour=price),
                },
                [fleet.usage],
            )
        )

    on_chord = Fraction(total(low) * (high - middle) + total(high) * (middle - low), high - low)
    # A plan buys whole GPU-seconds: one of them in each hour, at the on-demand price, makes a difference.
    bound = len(fleet.hours) * (2 + Fraction(price) * 1_000_000 / 3_600)
    assert total(middle) <= on_chord + bound

    assert abs(total(0) - micro(sum(fleet.allocated), price)) <= len(fleet.hours)
