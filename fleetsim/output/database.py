"""DuckDB over the files of a run: one view per table."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fleetsim.output.layout import table_path


def connect(directory: Path, tables: Iterable[str], *, threads: int | None = None) -> Any:
    """An in-memory connection in UTC with a view per table of the run at `directory`.

    One thread makes sums of floats come out the same every time.
    """
    import duckdb

    connection = duckdb.connect(config={} if threads is None else {"threads": threads})
    connection.execute("set TimeZone = 'UTC'")
    for name in tables:
        path = str(table_path(directory, name)).replace("'", "''")
        connection.execute(f"create view {name} as select * from read_parquet('{path}')")
    return connection
