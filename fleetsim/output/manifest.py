"""`manifest.json`: what a run is and holds. No times of day, so the same inputs give the same bytes."""

from collections.abc import Iterable, Mapping
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetsim.model.figure import FIGURES
from fleetsim.output.layout import FIDELITY
from fleetsim.output.table import Table
from fleetsim.version import __version__

if TYPE_CHECKING:
    from fleetsim.model.scenario import Scenario

SCHEMA_VERSION = 1
"""Goes up when a table loses a column or a column changes its meaning."""


def identity(scenario: "Scenario", run_id: str, *, seed: int, replication: int,
             resolution: str) -> dict[str, Any]:
    """What both manifest and summary begin with."""
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": run_id,
        "generator": "fleetsim",
        "generator_version": __version__,
        "scenario": scenario.name,
        "seed": seed,
        "replication": replication,
        "fidelity": FIDELITY,
        "resolution": resolution,
        "currency": "USD",
        "time_zone": "UTC",
    }


def manifest(head: Mapping[str, Any], *, directory: Path, inputs: Mapping[str, str],
             horizon: Mapping[str, Any], files: Mapping[Table, int], others: Iterable[str],
             totals: Mapping[str, str]) -> dict[str, Any]:
    """The manifest of the closed files under `directory`; `files` gives the rows of each table."""
    return {
        **head,
        "horizon": dict(horizon),
        "inputs": dict(sorted(inputs.items())),
        "tables": [table_entry(directory, table, rows) for table, rows in files.items()],
        "files": [file_entry(directory / name, name) for name in others],
        "metrics": [
            {"name": figure.name, "unit": figure.unit, "adds_up": figure.adds_up, "better": figure.better,
             "description": figure.meaning}
            for figure in FIGURES
        ],
        "totals": dict(totals),
    }


def table_entry(directory: Path, table: Table, rows: int) -> dict[str, Any]:
    """One table: grain, key, its file and its columns."""
    path = f"tables/{table.name}.parquet"
    return {
        "name": table.name,
        "grain": table.grain,
        "primary_key": list(table.key),
        "files": [{**file_entry(directory / path, path), "rows": rows}],
        "columns": [
            {"name": column.name, "type": column.dtype, "unit": column.unit,
             "nullable": table.nullable(column), "additive": column.additive, "description": column.meaning}
            for column in table.columns
        ],
    }


def listed_files(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every file that a manifest lists, with its path, bytes and sha256."""
    return [*manifest["files"], *(file for table in manifest["tables"] for file in table["files"])]


def file_entry(path: Path, name: str) -> dict[str, Any]:
    """Name, size and sha256 of a file."""
    with path.open("rb") as file:
        return {"path": name, "bytes": path.stat().st_size, "sha256": file_digest(file, "sha256").hexdigest()}
