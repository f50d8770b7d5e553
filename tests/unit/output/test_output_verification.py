"""A run that is not what its manifest says is found out."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fleetsim.output.layout import table_path
from fleetsim.output.manifest import file_entry
from fleetsim.output.run import Run, open_run


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(run.path, tmp_path / run.run_id))


def change(path: Path, table: str, how: Callable[[pa.Table], pa.Table]) -> None:
    """Write a table anew, and make the manifest agree with its bytes, but not with its rows."""
    file = table_path(path, table)
    pq.write_table(how(pq.ParquetFile(file).read()), file)
    manifest = json.loads((path / "manifest.json").read_text())
    for entry in manifest["tables"]:
        if entry["name"] == table:
            name = f"tables/{table}.parquet"
            entry["files"][0].update(file_entry(file, name))
    (path / "manifest.json").write_text(json.dumps(manifest))


def set_column(rows: pa.Table, name: str, values: list[Any]) -> pa.Table:
    """The table with other values in a column."""
    return rows.set_column(rows.schema.names.index(name), rows.schema.field(name),
                           pa.array(values, type=rows.schema.field(name).type))


def test_sound(run: Run) -> None:
    assert run.verify() == []


@pytest.mark.parametrize("name", ["tables/fact_cost_hourly.parquet", "tables/dim_date.parquet",
                                  "summary.json"])
def test_a_flipped_byte(copy: Path, name: str) -> None:
    data = bytearray((copy / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copy / name).write_bytes(data)
    assert open_run(copy).verify() == [f"{name}: its bytes are not those the manifest was written for"]


def test_a_removed_row(copy: Path) -> None:
    change(copy, "fact_cost_hourly", lambda rows: rows.slice(1))
    assert open_run(copy).verify() == [
        "tables/fact_cost_hourly.parquet: 143 rows instead of 144",
        "totals.billed_usd: the manifest says 7200.000048, the tables 7070.000047",
        "totals.contracted_usd: the manifest says 7200.000000, the tables 7070.000000",
        "totals.effective_usd: the manifest says 7200.000000, the tables 7070.000000",
        "totals.list_usd: the manifest says 14400.000000, the tables 14140.000000",
    ]


def test_a_missing_column(copy: Path) -> None:
    change(copy, "fact_event", lambda rows: rows.drop_columns(["detail"]))
    assert len(open_run(copy).verify()) == 1
    assert "tables/fact_event.parquet: columns" in open_run(copy).verify()[0]


def test_gpu_hours_that_do_not_add_up(copy: Path) -> None:
    change(copy, "fact_capacity_hourly", lambda rows: set_column(
        rows, "rented_gpu_hours", [100.0, *rows.column("rented_gpu_hours").to_pylist()[1:]]))
    assert open_run(copy).verify() == [
        "totals.rented_gpu_hours: the manifest says 5280.000, the tables 5300.000"]


def test_two_rows_with_one_key(copy: Path) -> None:
    change(copy, "fact_objective", lambda rows: set_column(rows, "objective", ["same", "same"]))
    assert open_run(copy).verify() == ["fact_objective: 1 keys stand in more than one row"]


def test_two_events_with_one_number(copy: Path) -> None:
    change(copy, "fact_event", lambda rows: set_column(rows, "sequence", [0, 0]))
    assert open_run(copy).verify() == ["fact_event: 1 keys stand in more than one row"]


def test_a_name_without_its_dimension(copy: Path) -> None:
    change(copy, "fact_wait_hourly", lambda rows: set_column(
        rows, "traffic_class", ["nobody", *rows.column("traffic_class").to_pylist()[1:]]))
    assert open_run(copy).verify() == ["fact_wait_hourly.traffic_class: 'nobody' is not in dim_traffic_class"]


def test_latencies_of_messages_that_were_not_served(copy: Path) -> None:
    change(copy, "fact_latency_hourly", lambda rows: set_column(
        rows, "messages", [5, *rows.column("messages").to_pylist()[1:]]))
    assert open_run(copy).verify() == [
        "fact_latency_hourly: 1 hours of a class and service do not count the messages served in "
        "fact_traffic_hourly"]


def test_rows_of_another_run(copy: Path) -> None:
    change(copy, "fact_event", lambda rows: set_column(rows, "run_id", ["x"] * rows.num_rows))
    assert open_run(copy).verify() == ["fact_event.run_id: 'x' is not in dim_run"]
