"""Percentiles of histograms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetsim.output.waits import Bucket, percentile

NO_WAIT = (0.0, 0.0, 50)


def test_nobody_served() -> None:
    assert percentile([], 0.5) is None
    assert percentile([(0.0, 0.0, 0)], 0.5) is None


def test_no_wait_is_exactly_zero() -> None:
    assert percentile([NO_WAIT, (1.0, 2.0, 50)], 0.5) == 0.0


def test_geometric_inside_a_bucket() -> None:
    # 75 of 100: half way through the bucket, which is sqrt(1 x 4).
    assert percentile([NO_WAIT, (1.0, 4.0, 50)], 0.75) == pytest.approx(2.0, rel=1e-12)
    assert percentile([NO_WAIT, (1.0, 4.0, 50)], 1.0) == pytest.approx(4.0, rel=1e-12)


def test_linear_in_the_first_bucket() -> None:
    assert percentile([NO_WAIT, (0.0, 0.125, 50)], 0.75) == pytest.approx(0.0625, rel=1e-12)


def test_empty_buckets_between() -> None:
    assert percentile([NO_WAIT, (1.0, 2.0, 0), (2.0, 4.0, 50)], 0.51) == pytest.approx(2 * 2**0.02, rel=1e-12)


@given(st.lists(st.integers(0, 1000), min_size=2, max_size=40))
def test_rises_with_the_share_and_stays_in_its_bucket(counts: list[int]) -> None:
    edges = [0.0, *(0.125 * 2 ** (b / 8) for b in range(len(counts) - 1))]
    histogram: list[Bucket] = [(0.0, 0.0, counts[0])]
    histogram += [(low, high, n) for low, high, n in zip(edges, edges[1:], counts[1:], strict=False)]
    total = sum(counts[:len(histogram)])
    found = [percentile(histogram, q) for q in (0.01, 0.5, 0.9, 0.99)]
    if total == 0:
        assert found == [None] * 4
        return
    values = [value for value in found if value is not None]
    assert values == sorted(values)
    assert len(values) == 4
    for q, value in zip((0.01, 0.5, 0.9, 0.99), values, strict=True):
        below = sum(n for low, high, n in histogram if high < value * (1 - 1e-12))
        upto = sum(n for low, high, n in histogram if low <= value * (1 + 1e-12))
        assert below <= q * total * (1 + 1e-12)
        assert upto >= q * total * (1 - 1e-12)
