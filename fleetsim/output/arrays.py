"""Arrow arrays from numpy, buffer by buffer.

`pyarrow.array` would import pandas, which costs more CPU than a year of writing.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa

from fleetsim.output.table import DATE, FLAG, FLOAT, INT, MONEY, SINGLE, TIME, arrow_type
from fleetsim.timebase import EPOCH, epoch_us

NUMPY = {TIME: np.int64, INT: np.int64, MONEY: np.int64, DATE: np.int32, FLAG: np.bool_,
         FLOAT: np.float64, SINGLE: np.float32}
"""What numpy holds the values of a type in; money as micro-dollars, dates as days since 1970."""


def from_numpy(dtype: str, values: Any) -> Any:
    """An Arrow array that owns its data. Masked entries and NaN are null.

    ValueError when a type of whole numbers is given a fraction.
    """
    data = np.asarray(values)
    valid = ~np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    if data.dtype.kind == "f":
        missing = np.isnan(data)
        if missing.any():
            valid = ~missing if valid is None else valid & ~missing
            data = np.where(missing, 0.0, data)
    # A copy in any case: the engine may use its arrays again.
    stored: Any = data.astype(NUMPY[dtype])
    if data.dtype.kind == "f" and dtype == MONEY:
        raise ValueError("amounts are whole micro-dollars")
    if data.dtype.kind == "f" and dtype not in (FLOAT, SINGLE) and np.any(stored != data):
        raise ValueError(f"a column of {dtype} was given fractions")
    return from_data(dtype, stored, valid)


def from_list(dtype: str, values: Sequence[Any]) -> Any:
    """An Arrow array of Python values: numbers, datetimes, dates, Decimals of dollars, bools, None."""
    data: Any = np.array([0 if value is None else stored_value(dtype, value) for value in values],
                    dtype=NUMPY[dtype])
    return from_data(dtype, data, np.array([value is not None for value in values], dtype=bool))


def stored_value(dtype: str, value: Any) -> int | float | bool:
    """A value as numpy holds it; ValueError when it is no value of the type."""
    if dtype == TIME and isinstance(value, datetime):
        return epoch_us(value)
    if dtype == DATE and isinstance(value, date):
        return (value - EPOCH.date()).days
    if dtype == MONEY and isinstance(value, Decimal) and value * 1_000_000 % 1 == 0:
        return int(value * 1_000_000)
    if dtype == FLAG and isinstance(value, bool):
        return value
    if dtype == INT and isinstance(value, int):
        return value
    if dtype in (FLOAT, SINGLE) and isinstance(value, (int, float, Decimal)):
        return float(value)
    raise ValueError(f"{value!r} is no {dtype}")


def from_data(dtype: str, data: Any, valid: Any = None) -> Any:
    """An Arrow array around a numpy array of the type's own kind; `valid` marks what is not null."""
    stored = data
    if dtype == MONEY:
        stored = np.empty((len(data), 2), dtype="<i8")
        stored[:, 0] = data
        stored[:, 1] = data >> 63  # 128 bits: the sign goes on
    elif dtype == FLAG:
        stored = np.packbits(data, bitorder="little")
    return pa.Array.from_buffers(arrow_type(dtype), len(data), [_bits(valid), pa.py_buffer(stored)])


def _bits(valid: Any) -> Any:
    """Arrow's validity bitmap; None when nothing is null."""
    return None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))


def codes(data: Any) -> Any:
    """int32 Arrow array in which -1 is null."""
    missing = data < 0
    valid = ~missing if missing.any() else None
    return pa.Array.from_buffers(pa.int32(), len(data), [_bits(valid), pa.py_buffer(data)])


def strings(texts: Sequence[str]) -> Any:
    """An Arrow array of texts."""
    encoded = [text.encode() for text in texts]
    offsets = np.zeros(len(encoded) + 1, dtype=np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    return pa.Array.from_buffers(pa.string(), len(encoded),
                                 [None, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))])
