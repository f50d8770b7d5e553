"""FOCUS 1.2: one Parquet file of CostAndUsage, and its metadata as JSON beside it."""

import json
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetsim.output.export.focus_columns import FOCUS_COLUMNS, FOCUS_VERSION, FocusColumn
from fleetsim.output.export.focus_rows import FocusRow, focus_rows
from fleetsim.output.export.lines import TAG_PREFIX
from fleetsim.output.export.periods import Grain
from fleetsim.output.export.reconcile import Sums
from fleetsim.timebase import iso
from fleetsim.version import __version__

if TYPE_CHECKING:
    from fleetsim.output.run import Run

PRECISION, SCALE = 38, 12


def write_focus(run: "Run", path: Path, grain: Grain, version: str = FOCUS_VERSION) -> Sums:
    """Write the rows of a run as FOCUS; the sums are read back from the file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = FOCUS_COLUMNS[version]
    rows = focus_rows(run, grain)
    schema = pa.schema([pa.field(column.name, _arrow_type(column)) for column in columns])
    pq.write_table(pa.Table.from_arrays(_arrays(rows, columns), schema=schema), path, compression="zstd",
                   compression_level=1)
    return _sums(path)


def write_metadata(run: "Run", path: Path, data: Path, version: str = FOCUS_VERSION) -> None:
    """Write what FOCUS wants to be told beside the data.

    No clock is read: CreationDate is the end of the run's horizon, so that the same run gives the same file.
    """
    import pyarrow.parquet as pq

    table = pq.ParquetFile(data).read()
    definitions = [_definition(column, table.column(column.name)) for column in FOCUS_COLUMNS[version]]
    text = json.dumps(definitions, sort_keys=True)
    totals = run.manifest["totals"]
    metadata = {
        "DataGenerator": {"DataGenerator": f"fleetsim {__version__}"},
        "Schema": {
            "SchemaId": f"fleetsim-focus-{version}-{sha256(text.encode()).hexdigest()[:16]}",
            "FocusVersion": version,
            "CreationDate": iso(run.window.end),
            "DataGeneratorVersion": __version__,
            "ColumnDefinition": definitions,
        },
        "x_CreationDate": "end of the run's horizon; no clock is read",
        "x_RunId": run.run_id,
        "x_Totals": {name: totals[name] for name in ("billed_usd", "effective_usd")},
    }
    path.write_text(json.dumps(metadata, indent=2) + "\n", encoding="utf-8", newline="\n")


def _definition(column: FocusColumn, values: Any) -> dict[str, Any]:
    import pyarrow.compute as pc

    found: dict[str, Any] = {"ColumnName": column.name, "DataType": column.type.upper()}
    if column.type == "Decimal":
        found |= {"NumericPrecision": PRECISION, "NumberScale": SCALE}
    elif column.type in ("String", "JSON"):
        found |= {"StringMaxLength": pc.max(pc.utf8_length(values)).as_py() or 0, "StringEncoding": "ASCII"}
    if column.name == "Tags":
        found["ProviderTagPrefixes"] = [TAG_PREFIX]
    return found


def _arrow_type(column: FocusColumn) -> Any:
    import pyarrow as pa

    types = {"Decimal": pa.decimal128(PRECISION, SCALE), "Date/Time": pa.timestamp("us", tz="UTC")}
    return types.get(column.type, pa.string())


def _arrays(rows: list[FocusRow], columns: tuple[FocusColumn, ...]) -> list[Any]:
    """One array per column; what depends on line or period alone is computed once for each."""
    import pyarrow as pa

    lines, line_of = _distinct([row.line for row in rows], key=id)
    periods, period_of = _distinct([row.period for row in rows])
    sources = {"line": (lines, line_of), "period": (periods, period_of)}
    arrays = []
    for column in columns:
        if column.of == "row":
            arrays.append(pa.array([column.value(row) for row in rows], _arrow_type(column)))
        else:
            things, places = sources[column.of]
            values = pa.array([column.value(thing) for thing in things], _arrow_type(column))
            arrays.append(values.take(places))
    return arrays


def _distinct(things: list[Any], key: Any = lambda thing: thing) -> tuple[list[Any], Any]:
    """The different ones in order, and for each thing its place among them."""
    import pyarrow as pa

    places: dict[Any, int] = {}
    found: list[Any] = []
    codes: list[int] = []
    for thing in things:
        place = places.setdefault(key(thing), len(found))
        if place == len(found):
            found.append(thing)
        codes.append(place)
    return found, pa.array(codes, pa.int32())


def _sums(path: Path) -> Sums:
    import pyarrow.parquet as pq

    table = pq.ParquetFile(path).read(columns=["BilledCost", "EffectiveCost"])
    billed, effective = (sum(table.column(name).to_pylist(), start=Decimal(0))
                         for name in ("BilledCost", "EffectiveCost"))
    return Sums(table.num_rows, billed, effective)
