"""The pipeline: golden bills, the order of application, and agreement with a naive loop over hours."""

import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metered import billed, block, delivery, effective, gpu_s, hours, rows, usage, utc

from fleetsim.ledger.contracts import CONTRACTS, OnDemand, Reserved
from fleetsim.ledger.rating import rate

PRICE = Decimal("1.30")
RESERVED = {"c": Reserved(fleet="azure", usd_per_gpu_hour=PRICE, list_usd_per_gpu_hour=Decimal("4.10"))}


@pytest.mark.parametrize(
    ("year", "dollars"), [(2024, 3_996_720_000), (2025, 3_985_800_000)], ids=["leap year", "plain year"]
)
def test_the_inference_fleet_for_a_year(year: int, dollars: int) -> None:
    hour_us = hours(utc(year, 1, 1), utc(year + 1, 1, 1))
    wobble = np.random.default_rng(7).integers(0, 350_000 * 3_600, len(hour_us))
    wobble -= wobble % 36  # whole hundredths of GPU-hours have a list price in whole micro-dollars
    metered = usage(hour_us, delivery(utc(year, 1, 1), 350_000), allocated=wobble)
    charges = rate(RESERVED, [metered])
    assert billed(charges) == dollars * 1_000_000
    assert int(charges.list_micro_usd.sum()) == int(wobble.sum()) * 4_100_000 // 3_600
    by_hour: dict[int, int] = {}
    for row in rows(charges):
        by_hour[row[0]] = by_hour.get(row[0], 0) + row[9]
    assert set(by_hour.values()) == {455_000_000_000}
    assert len(by_hour) == len(hour_us)
    months = [row for row in rows(charges) if row[8]]
    assert [row[3:5] for row in months] == [("Purchase", "recurring")] * 12
    assert months[1][8] == (29 if year == 2024 else 28) * 24 * 455_000_000_000


def test_the_leap_day_is_billed() -> None:
    hour_us = hours(utc(2024, 2, 28), utc(2024, 3, 2))
    charges = rate(RESERVED, [usage(hour_us, delivery(utc(2024, 1, 1), 10))])
    assert billed(charges) == 3 * 24 * 13_000_000


def test_a_term_bills_its_own_hours_only() -> None:
    contract = Reserved(
        fleet="azure", usd_per_gpu_hour=PRICE, start=utc(2024, 2, 29), end=utc(2024, 3, 1, 0, 30)
    )
    hour_us = hours(utc(2024, 2, 1), utc(2024, 4, 1))
    charges = rate({"c": contract}, [usage(hour_us, delivery(utc(2024, 1, 1), 10))])
    assert billed(charges) == 24 * 13_000_000 + 6_500_000
    assert gpu_s(charges, "used") == gpu_s(charges, "recurring") == 24 * 36_000 + 18_000
    paid = [(row[0], row[5], row[8]) for row in rows(charges) if row[4] == "recurring"]
    assert paid == [(hour_us[28 * 24], 24 * 36_000, 24 * 13_000_000), (hour_us[29 * 24], 18_000, 6_500_000)]


def test_used_and_unused_are_the_commitment() -> None:
    metered = usage(hours(utc(2024, 1, 1), utc(2024, 1, 1, 2)), delivery(utc(2024, 1, 1), 10),
                    allocated=[36_000, 12_345])  # fmt: skip
    charges = rate({"c": Reserved(fleet="azure", usd_per_gpu_hour=PRICE)}, [metered])
    assert [row[4:] for row in rows(charges)] == [
        ("used", 36_000, 13_000_000, 13_000_000, 0, 13_000_000),
        ("recurring", 72_000, 0, 0, 26_000_000, 0),
        ("used", 12_345, 4_457_917, 4_457_917, 0, 4_457_917),
        ("unused", 23_655, 0, 0, 0, 8_542_083),
    ]


def test_a_gpu_hour_is_billed_once_in_the_documented_order() -> None:
    contracts = {
        "last": OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(4)),
        "second": Reserved(fleet="azure", usd_per_gpu_hour=Decimal(2), gpus=3),
        "first": Reserved(fleet="azure", usd_per_gpu_hour=Decimal(1), gpus=4),
    }
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 1, 1))
    metered = usage(hour_us, delivery(utc(2024, 1, 1), 10), allocated=[5 * 3_600])
    assert [row[2:6:2] + row[5:6] + row[8:] for row in rows(rate(contracts, [metered]))] == [
        ("first", "used", 4 * 3_600, 0, 4_000_000),
        ("first", "recurring", 4 * 3_600, 4_000_000, 0),
        ("second", "used", 3_600, 0, 2_000_000),
        ("second", "unused", 2 * 3_600, 0, 4_000_000),
        ("second", "recurring", 3 * 3_600, 6_000_000, 0),
    ]
    more = usage(hour_us, delivery(utc(2024, 1, 1), 10), allocated=[9 * 3_600])
    assert billed(rate(contracts, [more]), "on_demand") == 2 * 4_000_000


def test_the_order_of_a_file_changes_nothing() -> None:
    contracts = {
        "b": Reserved(fleet="azure", usd_per_gpu_hour=Decimal(2), gpus=3),
        "a": Reserved(fleet="azure", usd_per_gpu_hour=Decimal(2), gpus=4),
        "rest": OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(4)),
    }
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 2))
    metered = usage(hour_us, delivery(utc(2024, 1, 1), 10), allocated=np.arange(24) * 1_500)
    assert rows(rate(contracts, [metered])) == rows(rate(dict(reversed(contracts.items())), [metered]))


def test_the_elastic_part_goes_to_the_contract_that_is_named() -> None:
    contracts = {
        "fixed": Reserved(fleet="azure", usd_per_gpu_hour=Decimal(1)),
        "other": OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(3)),
        "burst": OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(2)),
    }
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 1, 1))
    metered = usage(hour_us, delivery(utc(2024, 1, 1), 1), elastic=[7_200], elastic_contract="burst")
    assert [row[2:5:2] + row[5:6] + row[8:] for row in rows(rate(contracts, [metered]))] == [
        ("fixed", "used", 3_600, 0, 1_000_000),
        ("fixed", "recurring", 3_600, 1_000_000, 0),
        ("burst", "on_demand", 7_200, 4_000_000, 4_000_000),
    ]


def test_what_nobody_covers_is_free() -> None:
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 1, 2))
    metered = usage(hour_us, delivery(utc(2024, 1, 1), 10), elastic=[3_600, 0], elastic_contract="missing")
    half = {"c": Reserved(fleet="azure", usd_per_gpu_hour=PRICE, gpus=4)}
    charges = rate(half, [metered])
    assert gpu_s(charges, "used") == 2 * 4 * 3_600
    assert {row[2] for row in rows(charges)} == {"c"}
    assert billed(charges) == 2 * 4 * 1_300_000
    assert len(rate({}, [metered])) == 0


def test_text_columns_are_codes_with_names() -> None:
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 1, 1))
    metered = usage(hour_us, delivery(utc(2024, 1, 1), 1), allocated=[1_800])
    charges = rate(RESERVED, [metered])
    codes, names = charges.text("clause")
    assert [names[code] for code in codes] == ["used", "unused", "recurring"]
    assert charges.text("charge_category")[1] == ("Usage", "Purchase")


def test_kinds_are_registered_and_load_without_numpy() -> None:
    assert {kind: made.kind for kind, made in CONTRACTS.items()} == {kind: kind for kind in CONTRACTS}
    code = "import sys, fleetsim.ledger.contracts; sys.exit('numpy' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_term_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(ValueError, match="ends before it starts"):
        Reserved(fleet="azure", usd_per_gpu_hour=PRICE, start=utc(2024, 2, 1), end=utc(2024, 1, 1))


prices = st.decimals(0, 100, places=4)
shares = st.lists(st.integers(0, 1_000), min_size=1, max_size=60)


@given(price=prices, dear=prices, gpus=st.integers(1, 400_000), reserved=st.integers(1, 400_000), load=shares)
def test_reserved_and_on_demand_equal_a_naive_loop(
    price: Decimal, dear: Decimal, gpus: int, reserved: int, load: list[int]
) -> None:
    hour_us = hours(utc(2024, 2, 28), utc(2024, 3, 5))[: len(load)]
    accepted = delivery(utc(2024, 2, 28, 1, 20), gpus)
    committed = usage(hour_us, accepted).committed_gpu_s.tolist()
    allocated = [all_of * part // 1_000 for all_of, part in zip(committed, load, strict=True)]
    contracts = {
        "reserved": Reserved(fleet="azure", usd_per_gpu_hour=price, gpus=reserved),
        "rest": OnDemand(fleet="azure", usd_per_gpu_hour=dear),
    }
    charges = rate(contracts, [usage(hour_us, accepted, allocated=allocated)])
    expected = {"used": 0, "unused": 0, "on_demand": 0}
    for use in allocated:
        held = reserved * 3_600  # paid for whether the fleet has them or not
        used = round(Fraction(min(use, held)) * Fraction(price) * 1_000_000 / 3_600)
        expected["used"] += used
        expected["unused"] += round(Fraction(held) * Fraction(price) * 1_000_000 / 3_600) - used
        expected["on_demand"] += round(Fraction(max(use - held, 0)) * Fraction(dear) * 1_000_000 / 3_600)
    assert {clause: effective(charges, clause) for clause in expected} == expected
    assert billed(charges, "used") == billed(charges, "unused") == 0
    assert billed(charges, "recurring") == expected["used"] + expected["unused"]
    assert billed(charges, "on_demand") == expected["on_demand"]
    assert gpu_s(charges, "used") + gpu_s(charges, "on_demand") == sum(allocated)
    assert int(charges.billed_micro_usd.sum()) == int(charges.effective_micro_usd.sum())


def test_a_block_for_each_month_bills_the_same() -> None:
    load = np.random.default_rng(5).integers(0, 1_000, 6 * 24).tolist()
    hour_us = hours(utc(2024, 2, 28), utc(2024, 3, 5))[: len(load)]
    whole = usage(hour_us, delivery(utc(2024, 1, 1), 777), allocated=[part * 2_700 for part in load])
    contracts = {
        "reserved": Reserved(fleet="azure", usd_per_gpu_hour=Decimal("1.2345"), gpus=300),
        "rest": OnDemand(fleet="azure", usd_per_gpu_hour=Decimal("4.321")),
    }
    parts = [rate(contracts, [block(whole, 0, 48)]), rate(contracts, [block(whole, 48, len(load))])]
    assert rows(*parts) == rows(rate(contracts, [whole]))


@given(load=shares, price=prices)
def test_splitting_a_reservation_in_two_changes_nothing(load: list[int], price: Decimal) -> None:
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 5))[: len(load)]
    metered = usage(hour_us, delivery(utc(2024, 1, 1), 10), allocated=[part * 36 for part in load])
    one = rate({"c": Reserved(fleet="azure", usd_per_gpu_hour=price, gpus=8)}, [metered])
    two = rate({name: Reserved(fleet="azure", usd_per_gpu_hour=price, gpus=4) for name in "ab"}, [metered])
    assert billed(one) == billed(two) == effective(one) == effective(two)
    assert gpu_s(one, "used") == gpu_s(two, "used")
