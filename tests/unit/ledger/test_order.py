"""The order of application among spend commitments, and the charge that has the rounding of an invoice."""

from decimal import Decimal
from typing import Any

import pytest
from metered import billed, delivery, hours, rows, usage, utc

from fleetsim.ledger.columns import invoice_columns
from fleetsim.ledger.contracts import Credits, OnDemand, Reserved, SavingsPlan
from fleetsim.ledger.contracts.savings_plan import PlanRate
from fleetsim.ledger.order import Rank
from fleetsim.ledger.rating import Biller, rate

HOURS = hours(utc(2024, 1, 1), utc(2024, 3, 1))
PROVIDERS = {"azure": "microsoft"}


def plan(dollars: str, own: str, public: str = "4", **more: str) -> SavingsPlan:
    rates = {"azure": (own, public), **{name: (price, public) for name, price in more.items()}}
    return SavingsPlan(
        usd_per_hour=Decimal(dollars),
        rates={
            name: PlanRate(on_demand_usd_per_gpu_hour=Decimal(without), usd_per_gpu_hour=Decimal(price))
            for name, (price, without) in rates.items()
        },
    )


@pytest.mark.parametrize("names", ["ab", "ba"])
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (plan("6", "2"), plan("9", "3")),  # saves half and a quarter
        (plan("6", "3", "9"), plan("9", "2", "4")),  # saves two thirds, though it is dearer
        (plan("6", "2", "4"), plan("9", "3", "6")),  # both save half: the cheaper first
        (plan("6", "3"), plan("9", "1", b="1")),  # one fleet before several, whatever is saved
    ],
)
def test_the_plan_that_saves_most_covers_first(names: str, first: SavingsPlan, second: SavingsPlan) -> None:
    contracts: dict[str, Any] = {names[0]: first, names[1]: second}
    hour_us = HOURS[:1]
    others = [usage(hour_us, fleet="b")] if len(second.fleets) > 1 else []
    charges = rate(contracts, [usage(hour_us, delivery(utc(2024, 1, 1), 2)), *others])
    own = first.rates["azure"].usd_per_gpu_hour
    assert isinstance(own, Decimal)
    used = {row[2]: row[5] for row in rows(charges) if row[4] == "used"}
    assert used.get(names[0]) == 2 * 3_600
    assert names[1] not in used


def test_ranks_stand_in_the_order_of_application() -> None:
    assert [rank.name for rank in sorted(Rank)] == [
        "OWN_CAPACITY", "RESERVATION", "SPEND_OF_ONE_FLEET", "SPEND_OF_SEVERAL", "OVERAGE", "PRICE_LIST",
        "POT",
    ]  # fmt: skip


def test_the_rounding_stands_on_the_largest_charge_of_the_invoice() -> None:
    """`a` is first by name and ends in January; `big` is billed most in both months."""
    contracts = {
        "a": Reserved(fleet="azure", usd_per_gpu_hour=Decimal("0.000011"), gpus=1, end=utc(2024, 1, 9)),
        "big": Reserved(fleet="azure", usd_per_gpu_hour=Decimal("1.2345678"), gpus=3),
        "rest": OnDemand(fleet="azure", usd_per_gpu_hour=Decimal("0.3333333")),
    }
    bill = Biller(contracts, providers=PROVIDERS).bill([usage(HOURS, delivery(utc(2024, 1, 1), 5))])
    assert [row[2] for row in rows(bill.charges) if row[4] == "rounding"] == ["big", "big"]
    assert billed(bill.charges) % 10_000 == 0


def test_equal_charges_are_rounded_on_the_first_by_name() -> None:
    same = {name: Reserved(fleet="azure", usd_per_gpu_hour=Decimal("0.333333"), gpus=1) for name in "ba"}
    bill = Biller(same, providers=PROVIDERS).bill([usage(HOURS, delivery(utc(2024, 1, 1), 2))])
    assert {row[2] for row in rows(bill.charges) if row[4] == "rounding"} == {"a"}


def test_an_invoice_row_whose_charges_add_up_to_nothing_stays() -> None:
    """Credits of $100 are bought and drawn in January: two charges that leave nothing in any amount."""
    contracts = {
        "hours": OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(1)),
        "pot": Credits(fleets_=("azure",), usd=Decimal(100), start=utc(2024, 1, 1), term_months=2),
    }
    bill = Biller(contracts, providers=PROVIDERS).bill([usage(HOURS, delivery(utc(2024, 1, 1), 2))])
    assert billed(bill.charges, "upfront") == -billed(bill.charges, "drawdown") == 100_000_000
    table = invoice_columns(bill, PROVIDERS)
    january = [(name, int(paid)) for month, name, paid in zip(
        table["month"], table["contract"], table["billed_usd"], strict=True) if month.month == 1]  # fmt: skip
    assert january == [("hours", 744 * 2_000_000), ("pot", 0)]
