"""Exact sums."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleetsim.output.totals import exact_sum, micro_as_usd


@given(st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_sums_are_right_beyond_int64(values: list[int]) -> None:
    assert exact_sum(np.array(values, dtype=np.int64)) == sum(values)


def test_dollars() -> None:
    assert [micro_as_usd(value) for value in (0, 1, -1, 1_500_000, -(10**18), 2**70)] == [
        "0.000000", "0.000001", "-0.000001", "1.500000", "-1000000000000.000000", "1180591620717411.303424"]
