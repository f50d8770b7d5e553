"""Blocks of columns, as the engine records them, into Arrow tables.

Times are int64 microseconds since 1970 (UTC), money is int64 micro-dollars, names are coded (an object
with int32 `codes` and a tuple `names`; code -1 is null). Plain lists of Python values serve as well.
A masked entry, a NaN and None are null.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from fleetsim.output import arrays
from fleetsim.output.table import KEY, TEXT, Table, arrow_type
from fleetsim.units import Column

Columns = Mapping[str, Any]
"""A block of rows: by column name a numpy array, a coded column or a list of Python values."""


class Names:
    """The dictionary of one column over all blocks: it only grows, so codes written stay right."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self._code: dict[str, int] = {}
        self._last: tuple[Any, Any] = (None, None)

    def code(self, name: str) -> int:
        """The code of a name, new when it has not been seen."""
        code = self._code.setdefault(name, len(self.names))
        if code == len(self.names):
            self.names.append(name)
        return code

    def encode(self, values: Any) -> Any:
        """int32 Arrow array of codes in this dictionary, from a coded column or a list of str and None."""
        if not hasattr(values, "codes"):
            codes = [-1 if value is None else self.code(value) for value in values]
            return arrays.codes(np.array(codes, dtype=np.int32))
        if self._last[0] is not values.names:
            # The place after the last name is where code -1 looks.
            own = np.array([*(self.code(name) for name in values.names), -1], dtype=np.int32)
            self._last = (values.names, own)
        return arrays.codes(self._last[1][np.asarray(values.codes)])


class TableBuffer:
    """Rows of one table on their way to a file: appended by block, taken in row groups."""

    def __init__(self, table: Table, run_id: str) -> None:
        self.table = table
        self.schema = table.schema()
        self.rows = 0
        self._run_id = run_id
        self._names = {name: Names() for name in table.names_of(KEY, TEXT)}
        self._stored = pa.schema([
            pa.field(column.name, pa.int32() if column.name in self._names else arrow_type(column.dtype))
            for column in table.columns
        ])
        self._batches: list[Any] = []

    def append(self, columns: Columns) -> int:
        """Add a block and return its number of rows. Declared columns that are not given are null.

        ValueError when a column is not declared, has another length, or is part of the key and null.
        """
        unknown = columns.keys() - {column.name for column in self.table.columns}
        if unknown:
            raise ValueError(f"{self.table.name} has no column {', '.join(sorted(unknown))}")
        lengths = {name: len(values.codes if hasattr(values, "codes") else values)
                   for name, values in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"{self.table.name}: columns of different lengths: {lengths}")
        rows = next(iter(lengths.values()), 0)
        stored = [self._encode(column, columns, rows) for column in self.table.columns]
        self._batches.append(pa.RecordBatch.from_arrays(stored, schema=self._stored))
        self.rows += rows
        return rows

    def take(self, rows: int) -> Any:
        """The first `rows` rows as one `pyarrow.Table` of one chunk; they leave the buffer."""
        buffered = self._buffered()
        rest = buffered.slice(rows)
        # Copied, so that the rows that leave are freed.
        self._batches = rest.combine_chunks().to_batches() if rest.num_rows else []
        self.rows = rest.num_rows
        return self._as_declared(buffered.slice(0, rows))

    def all(self) -> Any:
        """Every row, as `take` gives them; they stay in the buffer."""
        return self._as_declared(self._buffered())

    def _buffered(self) -> Any:
        return pa.Table.from_batches(self._batches, schema=self._stored)

    def _encode(self, column: Column, columns: Columns, rows: int) -> Any:
        values = columns.get(column.name)
        if column.name == "run_id":
            self._names["run_id"].code(self._run_id)
            array = arrays.codes(np.zeros(rows, dtype=np.int32))
        elif values is None:
            array = pa.nulls(rows, self._stored.field(column.name).type)
        elif column.name in self._names:
            array = self._names[column.name].encode(values)
        elif isinstance(values, np.ndarray):
            array = arrays.from_numpy(column.dtype, values)
        else:
            array = arrays.from_list(column.dtype, values)
        if array.null_count and not self.table.nullable(column):
            raise ValueError(f"{self.table.name}.{column.name} is part of the key and has no value in "
                             f"{array.null_count} of {rows} rows")
        return array

    def _as_declared(self, stored: Any) -> Any:
        """One chunk, names in place of their codes."""
        columns = []
        for field, column in zip(self.schema, stored.combine_chunks().columns, strict=True):
            array = column.chunk(0) if column.num_chunks else pa.nulls(0, column.type)
            if field.name in self._names:
                array = pa.DictionaryArray.from_arrays(array, arrays.strings(self._names[field.name].names))
                array = array if pa.types.is_dictionary(field.type) else array.dictionary_decode()
            columns.append(array)
        return pa.Table.from_arrays(columns, schema=self.schema)
