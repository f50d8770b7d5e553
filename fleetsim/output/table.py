"""A table of a run: its grain, its key and its columns, and the Arrow schema they make."""

from dataclasses import dataclass
from typing import Any

from fleetsim.units import Column

TIME = "timestamp[us, UTC]"
DATE = "date32"
INT = "int64"
FLOAT = "float64"
SINGLE = "float32"
"""Step series only: everything else is float64."""
MONEY = "decimal128(20,6)"
"""Micro-dollars, exact: it holds every int64 of them."""
FLAG = "bool"
TEXT = "string"
KEY = "dictionary<int32,string>"
"""Names of things: what tables are joined and grouped by."""

RUN_ID = Column("run_id", KEY, "", "The run: hash of everything it was made from.")


@dataclass(frozen=True)
class Table:
    """One Parquet table. `key` names the columns that identify a row; they are never null."""

    name: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """The column of that name, or None."""
        return next((column for column in self.columns if column.name == name), None)

    def nullable(self, column: Column) -> bool:
        """Whether a column may be null: all but the key."""
        return column.name not in self.key

    def names_of(self, *dtypes: str) -> list[str]:
        """The names of the columns of these types, in order."""
        return [column.name for column in self.columns if column.dtype in dtypes]

    def schema(self) -> Any:
        """The `pyarrow.Schema`, with unit, meaning and additivity as metadata of each field."""
        import pyarrow as pa

        fields = [
            pa.field(column.name, arrow_type(column.dtype), nullable=self.nullable(column),
                     metadata={"unit": column.unit, "meaning": column.meaning,
                               "additive": "true" if column.additive else "false"})
            for column in self.columns
        ]
        return pa.schema(fields, metadata={"table": self.name, "grain": self.grain})


def arrow_type(dtype: str) -> Any:
    """The `pyarrow.DataType` that a type's name stands for; KeyError when it is not allowed.

    These are the types that every reader takes: no nanoseconds, unsigned 64, null-typed or nested columns.
    """
    import pyarrow as pa

    types = {
        TIME: pa.timestamp("us", tz="UTC"),
        DATE: pa.date32(),
        INT: pa.int64(),
        FLOAT: pa.float64(),
        SINGLE: pa.float32(),
        MONEY: pa.decimal128(20, 6),
        FLAG: pa.bool_(),
        TEXT: pa.string(),
        KEY: pa.dictionary(pa.int32(), pa.string()),
    }
    return types[dtype]


def table(name: str, grain: str, key: str, *columns: Column) -> Table:
    """A table whose key and columns begin with `run_id`; `key` lists the other key columns."""
    return Table(name, grain, ("run_id", *key.split()), (RUN_ID, *columns))


def name_of(thing: str, meaning: str) -> Column:
    """A column with the name of a thing."""
    return Column(thing, KEY, "", meaning)


def text(name: str, meaning: str) -> Column:
    """A column of free text."""
    return Column(name, TEXT, "", meaning)


def time(name: str, meaning: str) -> Column:
    """A column of instants, UTC."""
    return Column(name, TIME, "UTC", meaning)


def gpu_hours(name: str, meaning: str) -> Column:
    """A column of GPU-hours, which add up."""
    return Column(name, FLOAT, "GPU-hour", meaning, additive=True)


def number(name: str, unit: str, meaning: str, *, additive: bool = False) -> Column:
    """A column of float64."""
    return Column(name, FLOAT, unit, meaning, additive)


def count(name: str, unit: str, meaning: str, *, additive: bool = True) -> Column:
    """A column of whole numbers."""
    return Column(name, INT, unit, meaning, additive)


def usd(name: str, meaning: str, *, additive: bool = True) -> Column:
    """A column of exact amounts."""
    return Column(name, MONEY, "USD", meaning, additive)


def single(name: str, unit: str, meaning: str, *, additive: bool = False) -> Column:
    """A column of a step series."""
    return Column(name, SINGLE, unit, meaning, additive)


HOUR = time("hour", "Start of the hour.")
MONTH = Column("month", DATE, "UTC", "First day of the calendar month.")
FLEET = name_of("fleet", "Fleet.")
POOL = name_of("pool", "Pool; `training` for training fleets, `unassigned` for GPUs that no pool asks for.")
GPU = name_of("gpu", "GPU type.")
PROVIDER = name_of("provider", "Who owns the hardware and sends the invoice.")
TRAFFIC_CLASS = name_of("traffic_class", "Traffic class.")
SERVICE = name_of("service", "Service.")
CONTRACT = name_of("contract", "Contract.")
