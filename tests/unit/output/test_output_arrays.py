"""Values into Arrow and back, exactly."""

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetsim.output import arrays
from fleetsim.output.table import DATE, FLAG, FLOAT, INT, MONEY, SINGLE, TIME, arrow_type

INT64 = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(INT64))
def test_money_is_exact(micro_usd: list[int]) -> None:
    array = arrays.from_numpy(MONEY, np.array(micro_usd, dtype=np.int64))
    array.validate(full=True)
    assert array.to_pylist() == [Decimal(value) / 1_000_000 for value in micro_usd]
    assert str(array.type) == "decimal128(20, 6)"


@pytest.mark.parametrize(("micro_usd", "usd"), [
    (-1, "-0.000001"), (2**53 + 1, "9007199254.740993"), (-(2**53) - 1, "-9007199254.740993"),
    (2**63 - 1, "9223372036854.775807"), (-(2**63), "-9223372036854.775808"), (0, "0.000000"),
])
def test_money_by_hand(micro_usd: int, usd: str) -> None:
    assert str(arrays.from_numpy(MONEY, np.array([micro_usd]))[0].as_py()) == usd
    assert arrays.from_list(MONEY, [Decimal(usd), None]).to_pylist() == [Decimal(usd), None]


VALUES = {
    TIME: [datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC), datetime(1969, 12, 31, tzinfo=UTC)],
    DATE: [date(2024, 2, 29), date(1969, 12, 31)],
    INT: [2**62, -5],
    FLOAT: [0.1, -1e300],
    SINGLE: [0.5, -2.0],
    MONEY: [Decimal("1.500000"), Decimal("-0.000001")],
    FLAG: [True, False],
}


@pytest.mark.parametrize("dtype", VALUES)
def test_lists(dtype: str) -> None:
    values = [*VALUES[dtype], None] * 5
    array = arrays.from_list(dtype, values)
    array.validate(full=True)
    assert array.type == arrow_type(dtype)
    assert array.to_pylist() == values


@pytest.mark.parametrize("dtype", VALUES)
def test_no_rows(dtype: str) -> None:
    assert arrays.from_list(dtype, []).to_pylist() == []
    assert arrays.from_numpy(dtype, np.array([], dtype=arrays.NUMPY[dtype])).type == arrow_type(dtype)


@pytest.mark.parametrize(("dtype", "value"), [
    (INT, 1.5), (INT, "1"), (FLAG, 1), (DATE, "2024-01-01"), (TIME, 5), (MONEY, 1.5), (FLOAT, "1"),
    (MONEY, Decimal("0.0000001")),
])
def test_wrong_values_are_refused(dtype: str, value: object) -> None:
    with pytest.raises(ValueError, match="is no"):
        arrays.from_list(dtype, [value])


def test_times_are_microseconds() -> None:
    micros = np.array([0, 1, -1, 1_717_113_600_000_000])
    expected = [datetime(1970, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC),
                datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), datetime(2024, 5, 31, tzinfo=UTC)]
    assert arrays.from_numpy(TIME, micros).to_pylist() == expected


def test_nan_and_masked_entries_are_null() -> None:
    assert arrays.from_numpy(FLOAT, np.array([1.0, np.nan])).to_pylist() == [1.0, None]
    masked = np.ma.masked_array([1, 2, 3], mask=[False, True, False])
    assert arrays.from_numpy(INT, masked).to_pylist() == [1, None, 3]
    assert arrays.from_numpy(MONEY, masked).to_pylist() == [Decimal("0.000001"), None, Decimal("0.000003")]
    both = np.ma.masked_array([1.0, np.nan, 3.0], mask=[True, False, False])
    assert arrays.from_numpy(FLOAT, both).to_pylist() == [None, None, 3.0]


def test_whole_floats_may_be_counts_and_fractions_may_not() -> None:
    assert arrays.from_numpy(INT, np.array([2.0, np.nan])).to_pylist() == [2, None]
    with pytest.raises(ValueError, match="fractions"):
        arrays.from_numpy(INT, np.array([2.5]))
    with pytest.raises(ValueError, match="whole micro-dollars"):
        arrays.from_numpy(MONEY, np.array([2.0]))


def test_data_is_copied() -> None:
    values = np.array([1, 2])
    array = arrays.from_numpy(INT, values)
    values[0] = 99
    assert array.to_pylist() == [1, 2]


@given(st.lists(st.text()))
def test_strings(texts: list[str]) -> None:
    encodable = [text.encode("utf-8", "ignore").decode() for text in texts]
    array = arrays.strings(encodable)
    array.validate(full=True)
    assert array.to_pylist() == encodable
