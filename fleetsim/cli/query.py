"""`fleetsim query RUN "SQL"`: any question to a run's tables."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fleetsim.cli.console import say, say_json, warn
from fleetsim.cli.find import find_run
from fleetsim.cli.options import RESULTS, AsJson, ResultsDir, RunRef
from fleetsim.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

    from fleetsim.output import Run

TABLE_ROWS = 1_000
"""More rows are nothing for a terminal; csv and json give them all."""


def query(
    run: RunRef,
    sql: Annotated[str, typer.Argument(metavar="SQL", help="A query over the run's tables (DuckDB).")],
    format_: Annotated[
        Literal["table", "csv", "json"], typer.Option("--format", help="How to print the rows.")
    ] = "table",
    results: ResultsDir = RESULTS,
    as_json: AsJson = False,
) -> None:
    """Ask a run's tables in SQL: fact_capacity_hourly, fact_traffic_hourly, fact_cost_hourly, dim_..."""
    from fleetsim.output import Run

    rows = ask(Run(find_run(run, results)), sql)
    if as_json or format_ == "json":
        names = distinct(rows.column_names)
        say_json([dict(zip(names, map(plain, row), strict=True)) for row in cells_of(rows)])
    elif format_ == "csv":
        say(as_csv(rows))
    else:
        say(as_table(rows))


def ask(run: "Run", sql: str) -> "pa.Table":
    """The rows; UsageError with the database's own words when the query is wrong."""
    import duckdb

    try:
        rows = run.query(sql)
    except duckdb.Error as error:  # some faults show only when the rows are fetched
        raise UsageError(f"the query failed: {error}") from None
    if rows is None:
        raise UsageError("the query gives no rows: only questions can be asked of a run")
    return rows


def cells_of(rows: "pa.Table") -> list[tuple[Any, ...]]:
    """The rows, cell by cell in the order of the columns; two columns may have one name."""
    return list(zip(*(column.to_pylist() for column in rows.columns), strict=True))


def distinct(names: list[str]) -> list[str]:
    """The names with a number behind those that stand already: a, a_1, a_2."""
    found: list[str] = []
    for name in names:
        free, number = name, 0
        while free in found or (number and free in names):
            number += 1
            free = f"{name}_{number}"
        found.append(free)
    return found


def plain(value: Any) -> Any:
    """A cell as JSON has it: times as ISO 8601 in UTC, amounts as numbers, NaN as null."""
    from datetime import UTC, date, datetime
    from decimal import Decimal
    from math import isfinite

    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z") if value.tzinfo else value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return None if isinstance(value, float) and not isfinite(value) else value


def as_csv(rows: "pa.Table") -> str:
    """RFC 4180 with a header; null is an empty cell."""
    import csv
    import io

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(rows.column_names)
    writer.writerows(map(plain, row) for row in cells_of(rows))
    return text.getvalue()


def as_table(rows: "pa.Table") -> str:
    """Aligned columns for reading; says when rows were left out."""
    from decimal import Decimal

    from fleetsim.report.table import plain_table

    if rows.num_rows > TABLE_ROWS:
        warn(f"first {TABLE_ROWS:,} of {rows.num_rows:,} rows; --format csv or json prints all")
    shown = cells_of(rows.slice(0, TABLE_ROWS))
    cells = [[readable(value) for value in row] for row in shown]
    numeric = [all(isinstance(row[place], int | float | Decimal | None) for row in shown)
               for place in range(rows.num_columns)]
    return plain_table(rows.column_names, cells, numeric)


def readable(value: Any) -> str:
    """A cell for reading: 1,234,567, 0.8291, 2024-02-12T18:00Z."""
    value = plain(value)
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.2f}" if abs(value) >= 1000 else f"{value:.6g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)
