"""Exporting a run from the command line, and one number wherever it is told."""

import json
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from cli_command import Command, Finished


def test_a_number_is_the_same_wherever_it_is_told(fleetsim: Command, week: Finished, tmp_path: Path) -> None:
    shown = json.loads(fleetsim("show", week.path, "--json").out)["totals"]
    asked = json.loads(fleetsim("query", week.path, "select sum(effective_usd)::varchar as usd from "
                                "fact_cost_hourly", "--json").out)[0]["usd"]
    files = {}
    for to, suffix in (("focus", ".parquet"), ("csv", ""), ("duckdb", ".duckdb"), ("xlsx", ".xlsx")):
        outcome = fleetsim("export", week.path, "--to", to, "-o", tmp_path / f"out{suffix}", "--json")
        assert outcome.code == 0, outcome.err
        files[to] = json.loads(outcome.out)
    effective = Decimal(shown["effective_usd"])
    assert effective == Decimal(asked) > 0
    assert {round(Decimal(told["effective_usd"]), 2) for told in files.values()} == {round(effective, 2)}
    table = pq.ParquetFile(tmp_path / "out.parquet").read()
    assert sum(table.column("EffectiveCost").to_pylist()) == effective
    csv = duckdb.sql(f"select sum(effective_usd::decimal(38, 6)) from '{tmp_path}/out/fact_cost_hourly.csv'")
    assert csv.fetchall() == [(effective,)]
    printed = fleetsim("export", week.path, "--to", "focus", "--grain", "hour", "-o", tmp_path / "b.parquet")
    assert f"effective ${effective:,.2f}; both equal the manifest" in printed.out


def test_paths_come_first_and_the_default_is_here(fleetsim: Command, week: Finished, tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    outcome = fleetsim("export", week.path, "--to", "focus")
    stem = f"small-{week.run_id}-focus"
    assert outcome.out.splitlines()[:2] == [f"{stem}.parquet", f"{stem}.metadata.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{stem}.metadata.json", f"{stem}.parquet"]
    again = fleetsim("export", week.path, "--to", "focus")
    assert (again.code, again.err) == (2, f"error: {stem}.parquet exists; --force replaces it\n")
    assert fleetsim("export", week.path, "--to", "focus", "--force").code == 0


def test_an_unknown_kind_and_a_place_in_the_run_are_bad_input(fleetsim: Command, week: Finished) -> None:
    assert fleetsim("export", week.path, "--to", "pdf").code == 2
    inside = fleetsim("export", week.path, "--to", "csv", "-o", week.path / "csv")
    assert inside.code == 2
    assert "is inside the run" in inside.err
    assert fleetsim("verify", week.path).code == 0
