"""Exact money: every path rounds half-even, once, and none overflows."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetsim.ledger.money import half_even, micro_usd, priced, scaled, spread


@pytest.mark.parametrize(("value", "rounded"), [(1, 0), (3, 2), (5, 2), (7, 4), (2, 1)])
def test_ties_go_to_the_even_neighbour(value: int, rounded: int) -> None:
    assert half_even(value, 2) == rounded
    assert scaled(np.array([value]), 1, 2).tolist() == [rounded]


def test_price_of_an_hour() -> None:
    assert priced(np.array([350_000 * 3_600]), Decimal("1.30")).tolist() == [455_000_000_000]


def test_dollars_become_whole_micro_dollars() -> None:
    assert micro_usd(Decimal("5e9")) == 5_000_000_000_000_000
    assert micro_usd(Decimal("0.0000005")) == 0


@given(
    values=st.lists(st.integers(0, 2**40), min_size=1, max_size=20),
    numerator=st.integers(0, 2**80),
    denominator=st.integers(1, 2**70),
)
def test_equals_fractions_at_any_size(values: list[int], numerator: int, denominator: int) -> None:
    exact = [round(Fraction(value * numerator, denominator)) for value in values]
    if max(exact) < 2**63:
        assert scaled(np.array(values), numerator, denominator).tolist() == exact


parts_of_hours = st.tuples(st.integers(2**35, 2**45), st.integers(0, 2**36), st.integers(1, 2**36))


@given(st.lists(parts_of_hours, min_size=1, max_size=9))
def test_a_product_beyond_64_bits_equals_fractions(triples: list[tuple[int, int, int]]) -> None:
    values, above, below = (np.array(column) for column in zip(*triples, strict=True))
    taken = np.minimum(above, below)
    exact = [round(Fraction(value * part, whole))
             for value, part, whole in zip(values.tolist(), taken.tolist(), below.tolist(), strict=True)]
    assert scaled(values, taken, below).tolist() == exact


ratios = st.tuples(st.integers(0, 2**40), st.integers(0, 2**50), st.integers(1, 2**45))


@given(st.lists(ratios, min_size=1, max_size=9))
def test_a_ratio_per_value_equals_fractions(triples: list[tuple[int, int, int]]) -> None:
    values, above, below = (np.array(column) for column in zip(*triples, strict=True))
    exact = [round(Fraction(value * over, under)) for value, over, under in triples]
    if max(exact) < 2**63:
        assert scaled(values, above, below).tolist() == exact


@given(st.integers(0, 2**45), st.lists(st.integers(0, 2**40), min_size=1, max_size=30).filter(any))
def test_a_spread_total_adds_up_and_is_fair(total: int, weights: list[int]) -> None:
    parts = spread(total, np.array(weights))
    assert int(parts.sum()) == total
    assert int(parts.min()) >= 0
    for part, weight in zip(parts.tolist(), weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) <= 1
