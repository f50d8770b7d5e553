"""DuckDB: one database with a table per table of the run; comments say unit and meaning of every column."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from fleetsim.errors import UsageError
from fleetsim.output.export.reconcile import Sums
from fleetsim.output.layout import table_path

if TYPE_CHECKING:
    from fleetsim.output.run import Run


def write_duckdb(run: "Run", path: Path) -> Sums:
    """Write every table. The sums are read back from the closed database."""
    import duckdb

    connection = duckdb.connect(str(path))
    connection.execute("set TimeZone = 'UTC'")
    for table in run.manifest["tables"]:
        name = table["name"]
        source = _text(str(table_path(run.path, name)))
        connection.execute(f"create table {name} as select * from read_parquet({source})")
        connection.execute(f"comment on table {name} is {_text('one row per ' + table['grain'])}")
        for column in table["columns"]:
            unit = f" [{column['unit']}]" if column["unit"] else ""
            connection.execute(f"comment on column {name}.\"{column['name']}\" is "
                               f"{_text(column['description'] + unit)}")
    connection.close()
    return _sums(run, path)


def _sums(run: "Run", path: Path) -> Sums:
    import duckdb

    connection = duckdb.connect(str(path), read_only=True)
    try:
        for table in run.manifest["tables"]:
            name, expected = table["name"], sum(file["rows"] for file in table["files"])
            found = connection.sql(f"select count(*) from {name}").fetchall()[0][0]
            if found != expected:
                raise UsageError(f"{path.name} is not written: {name} has {found} rows instead of {expected}")
        rows, billed, effective = connection.sql(
            "select count(*), coalesce(sum(billed_usd), 0)::varchar, "
            "coalesce(sum(effective_usd), 0)::varchar from fact_cost_hourly").fetchall()[0]
    finally:
        connection.close()
    return Sums(rows, Decimal(billed), Decimal(effective))


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    return f"'{quoted}'"
