"""DuckDB over the files of a run: one view per table."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from fleetsim.errors import UsageError
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


def only_a_question(connection: Any, query: str) -> str:
    """The query when it is one statement that only reads; UsageError for any other.

    COPY would write over the files of the run. EXPLAIN ANALYZE carries out what it explains, so what it
    explains has to be a question itself. DESCRIBE, SHOW and SUMMARIZE are questions to DuckDB.
    """
    from duckdb import StatementType

    statements = connection.extract_statements(query)
    if len(statements) == 1 and statements[0].type == StatementType.EXPLAIN:
        explained = re.sub(r"^\s*explain(\s+analyze\b|\s*\([^)]*\))?", "", query, flags=re.IGNORECASE)
        statements = connection.extract_statements(explained)
    if [statement.type for statement in statements] != [StatementType.SELECT]:
        raise UsageError("a run is asked with one SELECT statement; its files are only read")
    return query
