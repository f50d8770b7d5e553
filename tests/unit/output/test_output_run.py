"""Reading a run back: with its own methods and with every reader by itself."""

import json
import shutil
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_run import START, tiny_blocks, tiny_scenario, write_run

from fleetsim.errors import UsageError
from fleetsim.output.layout import table_path
from fleetsim.output.run import Run, open_run
from fleetsim.output.table import arrow_type
from fleetsim.output.tables import TABLES


def test_every_table_is_there(run: Run) -> None:
    assert set(run.tables) == set(TABLES)
    for entry in run.manifest["tables"]:
        rows = run.arrow(entry["name"])
        assert rows.num_rows == entry["files"][0]["rows"]
        assert rows.schema.names == [column["name"] for column in entry["columns"]]
        assert list(rows.schema.types) == [arrow_type(column["type"]) for column in entry["columns"]]
    empty = {entry["name"] for entry in run.manifest["tables"] if entry["files"][0]["rows"] == 0}
    assert "series_step_capacity" in empty


def test_pandas(run: Run) -> None:
    cost = run.table("fact_cost_hourly")
    assert cost["hour"].dt.tz is not None
    assert cost["hour"].iloc[0] == pd.Timestamp(START)
    assert cost["effective_usd"].dtype == "float64"
    assert cost["effective_usd"].sum() == 7200
    assert set(cost["run_id"]) == {run.run_id}
    assert cost.groupby("contract", observed=True)["effective_usd"].sum()["lab-a100"] == 960
    traffic = run.table("fact_traffic_hourly")
    assert traffic["slo_met_count"].isna().sum() == 48


def test_sql(run: Run) -> None:
    found = run.sql("select pool, sum(busy_gpu_hours) as busy from fact_capacity_hourly group by pool")
    assert dict(zip(found["pool"], found["busy"], strict=True)) == {"api": 480, "chat": 3456, "training": 0}
    hour = run.sql("select min(hour) as first, typeof(any_value(hour)) as type from fact_capacity_hourly")
    assert hour["first"].iloc[0] == pd.Timestamp(START)
    assert hour["type"].iloc[0] == "TIMESTAMP WITH TIME ZONE"
    joined = run.sql("select team, sum(rented_gpu_hours) as h from fact_capacity_hourly join dim_fleet "
                     "using (run_id, fleet) group by team order by team nulls last")
    assert joined["h"].tolist() == [4800.0, 480.0]


def test_query_keeps_amounts_exact(run: Run) -> None:
    found = run.query("select sum(billed_usd) as billed from fact_cost_hourly")
    assert found.column("billed").to_pylist() == [Decimal("7200.000048")]
    assert run.arrow("fact_cost_hourly").column("billed_usd")[0].as_py() == Decimal("130.000001")


def test_sums_of_whole_numbers_are_whole_numbers(run: Run) -> None:
    rows = run.query("select sum(messages_arrived) as n, 170141183460469231731687303715884105727 as huge "
                     "from fact_traffic_hourly")
    assert rows.column("n").type == pa.int64()
    assert rows.to_pylist() == [{"n": 576, "huge": Decimal(2**127 - 1)}]
    assert run.sql("select sum(messages_arrived) as n from fact_traffic_hourly")["n"].dtype == "int64"


@pytest.mark.parametrize(("query", "message"), [
    ("selekt 1", "the query failed: Parser Error"),
    ("select * from fact_nothing", "fact_nothing does not exist"),
    ("", "one SELECT statement"),
    ("select 1; select 2", "one SELECT statement"),
    ("explain analyze copy fact_event to '{path}'", "one SELECT statement"),
    ("EXPLAIN (ANALYZE) copy fact_event to '{path}'", "one SELECT statement"),
    ("copy fact_event to '{path}'", "one SELECT statement"),
    ("create table mine as select 1", "one SELECT statement"),
    ("with gone as (delete from fact_event returning *) select * from gone", "failed"),
])
def test_wrong_queries(run: Run, query: str, message: str) -> None:
    file = table_path(run.path, "fact_event")
    before = file.read_bytes()
    with pytest.raises(UsageError, match=message):
        run.sql(query.replace("{path}", str(file)))
    assert file.read_bytes() == before


@pytest.mark.parametrize("query", ["describe fact_event", "from fact_event", "show tables",
                                   "explain select 1", "explain analyze select 1", "-- why\nselect 1;"])
def test_questions_of_every_form(run: Run, query: str) -> None:
    assert run.query(query).num_rows > 0


def test_windows_are_whole_hours(run: Run) -> None:
    with pytest.raises(UsageError, match="whole hours; 2024-05-31T10:30:00Z is none"):
        run.figure("traffic.plus.messages", start="2024-05-31T10:30:00Z")
    with pytest.raises(UsageError, match="whole hours"):
        run.figure("traffic.plus.messages", end="2024-05-31T10:00:00.000001Z")


def test_summary_and_scenario(run: Run) -> None:
    assert run.summary["run_id"] == run.run_id == run.path.name
    assert run.scenario == tiny_scenario().source
    assert list(run.scenario["pools"]["chat"]["fleets"]) == ["b", "a"]
    assert repr(run) == f"Run({str(run.path)!r})"


def test_unknown_table(run: Run) -> None:
    with pytest.raises(UsageError, match="did you mean 'fact_event'"):
        run.table("fact_events")


@pytest.mark.parametrize("name", TABLES)
def test_every_reader_reads_every_table(run: Run, name: str) -> None:
    path = table_path(run.path, name)
    rows = pq.read_table(path).num_rows
    assert len(pd.read_parquet(path)) == rows
    assert duckdb.sql(f"select count(*) from '{path}'").fetchall() == [(rows,)]
    assert "NULL" not in {kind for _, kind, *_ in duckdb.sql(f"describe select * from '{path}'").fetchall()}


def test_runs_put_together(run: Run, tmp_path: Path) -> None:
    other = write_run(tmp_path, tiny_scenario(), tiny_blocks(), seed=8)
    assert other.run_id != run.run_id
    for name in TABLES:
        both = pa.concat_tables([run.arrow(name), other.arrow(name)])
        assert both.num_rows == 2 * run.arrow(name).num_rows
        paths = [str(table_path(each.path, name)) for each in (run, other)]
        found = duckdb.sql(f"select count(*), count(distinct run_id) from read_parquet({paths})").fetchall()
        assert found == [(both.num_rows, 2 if both.num_rows else 0)]


def copied(run: Run, folder: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(run.path, folder / run.run_id))


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"nothing is no directory; give the directory of a run"):
        open_run(tmp_path / "nothing")


def test_no_manifest(run: Run, tmp_path: Path) -> None:
    path = copied(run, tmp_path)
    (path / "manifest.json").unlink()
    with pytest.raises(UsageError, match=r"is no run: it has no manifest\.json; .*run its scenario again"):
        open_run(path)


def test_folder_of_runs(run: Run) -> None:
    with pytest.raises(UsageError, match=f"it holds the runs {run.run_id}"):
        open_run(run.path.parent)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema_version": 1}', "null",
                                  '{"schema_version": 1, "run_id": "a", "generator_version": "1", '
                                  '"horizon": {}, "tables": [], "files": []}'])
def test_damaged_manifest(run: Run, tmp_path: Path, text: str) -> None:
    path = copied(run, tmp_path)
    (path / "manifest.json").write_text(text)
    with pytest.raises(UsageError, match=r"is damaged: .*delete it and run again"):
        open_run(path)


def test_missing_and_cut_files(run: Run, tmp_path: Path) -> None:
    path = copied(run, tmp_path)
    file = table_path(path, "fact_cost_hourly")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(UsageError, match=r"tables/fact_cost_hourly\.parquet has \d+ bytes instead of \d+"):
        open_run(path)
    file.unlink()
    with pytest.raises(UsageError, match=r"tables/fact_cost_hourly\.parquet is missing"):
        open_run(path)


def test_newer_schema(run: Run, tmp_path: Path) -> None:
    path = copied(run, tmp_path)
    manifest = {**run.manifest, "schema_version": 99, "generator_version": "9.9"}
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(UsageError, match=r"written by fleetsim 9\.9 in schema 99.*upgrade"):
        open_run(path)


def test_opening_a_run_loads_nothing_heavy(run: Run) -> None:
    code = ("import sys, fleetsim.output as o; r = o.open_run(sys.argv[1]); r.summary\n"
            "print(sorted({'numpy', 'pandas', 'pyarrow', 'duckdb'} & set(sys.modules)))")
    found = subprocess.run([sys.executable, "-c", code, str(run.path)], capture_output=True, text=True,
                           check=True)
    assert found.stdout.strip() == "[]"
