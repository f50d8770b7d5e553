"""CSV: a folder with one file per table of the run. RFC 4180, UTF-8, a header, null an empty cell."""

import json
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetsim.errors import UsageError
from fleetsim.output.export.reconcile import Sums
from fleetsim.output.export.target import MARK
from fleetsim.output.layout import table_path

if TYPE_CHECKING:
    from fleetsim.output.run import Run

COST = "fact_cost_hourly"


def write_csv(run: "Run", folder: Path) -> Sums:
    """Write every table, times in ISO 8601 with their zone, amounts with all six decimals.

    `export.json` in the folder says which run they are of. The sums are read back from the files;
    UsageError when a file has other rows than its table.
    """
    import duckdb

    folder.mkdir()
    rows = {table["name"]: sum(file["rows"] for file in table["files"]) for table in run.manifest["tables"]}
    connection = duckdb.connect()
    for name, expected in rows.items():
        path = folder / f"{name}.csv"
        _write_table(run, name, path)
        found = _one(connection, f"select count(*) from {_read(path)}")
        if int(found) != expected:
            raise UsageError(f"{path.name} is not written: it has {found} rows, the table {expected}")
    cost = _read(folder / f"{COST}.csv")
    billed, effective = (
        Decimal(_one(connection, f"select coalesce(sum({name}::decimal(38, 6)), 0)::varchar from {cost}"))
        for name in ("billed_usd", "effective_usd"))
    connection.close()
    mark = {"run_id": run.run_id, "scenario": run.manifest["scenario"],
            "generator_version": run.manifest["generator_version"], "tables": rows,
            "totals": run.manifest["totals"]}
    (folder / MARK).write_text(json.dumps(mark, indent=2) + "\n", encoding="utf-8", newline="\n")
    return Sums(rows[COST], billed, effective)


def _write_table(run: "Run", name: str, path: Path) -> None:
    """One table, a part at a time: a year of steps need not fit in memory as text."""
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    source = pq.ParquetFile(table_path(run.path, name))
    schema = pa.schema([pa.field(field.name, _as_written(field.type)) for field in source.schema_arrow])
    with pc.CSVWriter(path, schema) as writer:
        for batch in source.iter_batches():
            writer.write_batch(pa.RecordBatch.from_arrays(
                [_plain(column, field.type) for column, field in zip(batch.columns, schema, strict=True)],
                schema=schema))


def _as_written(dtype: Any) -> Any:
    import pyarrow as pa

    is_text = pa.types.is_dictionary(dtype) or pa.types.is_timestamp(dtype)
    return pa.string() if is_text else dtype


def _plain(column: Any, dtype: Any) -> Any:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, "%Y-%m-%dT%H:%M:%SZ")
    return column.cast(dtype)


def _read(path: Path) -> str:
    quoted = str(path).replace("'", "''")
    return f"read_csv('{quoted}', header = true, all_varchar = true, delim = ',', quote = '\"')"


def _one(connection: Any, query: str) -> Any:
    return connection.sql(query).fetchall()[0][0]
