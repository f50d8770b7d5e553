"""Arrow tables for those who hold pandas, and integers for those who sum."""

from typing import Any


def with_int64(rows: Any) -> Any:
    """The table with DuckDB's sums of integers (128 bits, as decimals without a fraction) as int64.

    A column with a value beyond int64 stays as it is.
    """
    import pyarrow as pa

    for place, field in enumerate(rows.schema):
        if pa.types.is_decimal(field.type) and field.type.scale == 0:
            try:
                integers = rows.column(place).cast(pa.int64())
            except pa.ArrowInvalid:
                continue
            rows = rows.set_column(place, field.name, integers)
    return rows


def as_frame(rows: Any) -> Any:
    """The table as `pandas.DataFrame`, amounts as float64: pandas does not divide decimals reliably.

    A float64 holds micro-dollars exactly up to $9 billion, and cents up to $45 trillion.
    """
    import pyarrow as pa

    for place, field in enumerate(rows.schema):
        if pa.types.is_decimal(field.type):
            rows = rows.set_column(place, field.name, rows.column(place).cast(pa.float64()))
    return rows.to_pandas()
