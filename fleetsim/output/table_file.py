"""One Parquet file, streamed: row groups are written as they fill, so memory does not grow."""

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from fleetsim.output.encode import Columns, TableBuffer
from fleetsim.output.table import FLOAT, KEY, MONEY, SINGLE, TEXT, Table

ROWS_PER_GROUP = 32_768
"""Rows of a full row group; a file's last one is smaller. Where blocks end makes no difference."""


class TableFile:
    """Writes a table: zstd level 1, statistics, dictionary on names, byte-stream-split on floats."""

    def __init__(self, path: Path, table: Table, run_id: str) -> None:
        self.path = path
        self.table = table
        self.rows = 0
        self._buffer = TableBuffer(table, run_id)
        self._writer: Any = pq.ParquetWriter(
            path,
            self._buffer.schema,
            version="2.6",
            compression="zstd",
            compression_level=1,
            # Amounts repeat hour after hour while a fleet stands, so they gain from a dictionary too.
            use_dictionary=table.names_of(KEY, TEXT, MONEY),
            use_byte_stream_split=table.names_of(FLOAT, SINGLE),
            write_statistics=True,
        )

    def write(self, columns: Columns) -> None:
        """Add a block of rows; ValueError when it does not fit the table's declaration."""
        self.rows += self._buffer.append(columns)
        while self._buffer.rows >= ROWS_PER_GROUP:
            self._writer.write_table(self._buffer.take(ROWS_PER_GROUP), row_group_size=ROWS_PER_GROUP)

    def close(self) -> None:
        """Write what is left and the footer; a second call does nothing."""
        if self._writer is None:
            return
        if self._buffer.rows:
            rest = self._buffer.take(self._buffer.rows)
            self._writer.write_table(rest, row_group_size=ROWS_PER_GROUP)
        self._writer.close()
        self._writer = None
