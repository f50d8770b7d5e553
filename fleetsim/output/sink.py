"""A sink that keeps Arrow tables in memory."""

from typing import Any

from fleetsim.output.encode import Columns, TableBuffer
from fleetsim.output.tables import TABLES, table_named


class TableSink:
    """Keeps every table in memory; for tests, benchmarks and experiments that need no files."""

    def __init__(self, run_id: str = "0" * 16) -> None:
        self.run_id = run_id
        self._buffers: dict[str, TableBuffer] = {}
        self._taken: dict[str, Any] = {}

    def write(self, table: str, columns: Columns) -> None:
        """Add rows to a table; ValueError when they do not fit its declaration."""
        self._taken.pop(table, None)
        if table not in self._buffers:
            self._buffers[table] = TableBuffer(table_named(table), self.run_id)
        self._buffers[table].append(columns)

    def table(self, name: str) -> Any:
        """The rows so far as a `pyarrow.Table`; zero rows when there are none."""
        buffer = self._buffers.get(name)
        if buffer is None:
            return table_named(name).schema().empty_table()
        if name not in self._taken:
            self._taken[name] = buffer.all()
        return self._taken[name]

    def tables(self) -> dict[str, Any]:
        """Every table by name."""
        return {name: self.table(name) for name in TABLES}
