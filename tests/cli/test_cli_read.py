"""Reading a run: show, query, verify, report; and how a run is named."""

import csv
import io
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from cli_command import WEEK, Command, Finished, command


@pytest.fixture
def copy(week: Finished, tmp_path: Path) -> Path:
    """A copy of the run that may be damaged."""
    return Path(shutil.copytree(week.path, tmp_path / "runs" / "small" / week.run_id))


@pytest.mark.parametrize("how", ["path", "scenario folder", "scenario", "id", "start of id"])
def test_a_run_is_found_by_path_scenario_or_id(fleetsim: Command, week: Finished, how: str) -> None:
    reference = {"path": week.path, "scenario folder": week.path.parent, "scenario": "small",
                 "id": week.run_id, "start of id": week.run_id[:6]}[how]
    outcome = fleetsim("show", reference, "--results", week.results)
    assert outcome.code == 0, outcome.err
    assert f"run {week.run_id}" in outcome.out.splitlines()[0]


def test_a_scenario_stands_for_its_newest_run(fleetsim: Command, week: Finished, copy: Path) -> None:
    results = copy.parent.parent
    outcome = fleetsim("run", week.scenario, *WEEK, "--seed", 3, "--results", results,
                       "--json")
    newer = json.loads(outcome.out)["run_id"]
    assert json.loads(fleetsim("show", "small", "--results", results, "--json").out)["run_id"] == newer
    os.utime(copy / "manifest.json")
    assert json.loads(fleetsim("show", "small", "--results", results, "--json").out)["run_id"] == week.run_id


def test_a_start_that_fits_two_runs_is_refused(fleetsim: Command, copy: Path) -> None:
    shutil.copytree(copy, copy.with_name(f"{copy.name[:8]}00000000"))
    outcome = fleetsim("show", copy.name[:8], "--results", copy.parent.parent)
    assert outcome.code == 2
    assert "is the start of 2 run ids" in outcome.err


def test_an_unknown_run_is_answered_with_the_nearest(fleetsim: Command, week: Finished,
                                                     tmp_path: Path) -> None:
    outcome = fleetsim("show", "smal", "--results", week.results)
    assert outcome.code == 2
    assert outcome.err == "error: no run 'smal' (did you mean 'small'?)\n"
    empty = fleetsim("show", "small", "--results", tmp_path)
    assert "make one with: fleetsim run FILE" in empty.err


def test_a_run_without_its_manifest_is_no_run(fleetsim: Command, copy: Path) -> None:
    (copy / "manifest.json").unlink()
    outcome = fleetsim("show", copy, "--results", copy.parent.parent)
    assert outcome.code == 2
    assert "that run was not completed" in outcome.err


def test_show_as_json_is_the_summary(fleetsim: Command, week: Finished) -> None:
    shown = json.loads(fleetsim("show", week.path, "--json").out)
    assert shown == {**json.loads((week.path / "summary.json").read_text()), "path": str(week.path)}


def test_query_answers_in_three_formats(fleetsim: Command, week: Finished) -> None:
    sql = ("select min(hour) as first, count(*) as hours, sum(effective_usd) as cost, null as nothing "
           "from fact_cost_hourly where clause = 'used'")
    table = fleetsim("query", week.path, sql)
    assert table.out.splitlines()[0].split() == ["first", "hours", "cost", "nothing"]
    rows = json.loads(fleetsim("query", week.path, sql, "--format", "json").out)
    assert rows == json.loads(fleetsim("query", week.path, sql, "--json").out)
    assert rows[0]["first"] == "2024-01-29T00:00:00Z"
    assert rows[0]["hours"] == 168
    assert rows[0]["nothing"] is None
    parsed = list(csv.DictReader(io.StringIO(fleetsim("query", week.path, sql, "--format", "csv").out)))
    assert float(parsed[0]["cost"]) == rows[0]["cost"]
    assert parsed[0]["nothing"] == ""


def test_columns_may_have_one_name(fleetsim: Command, week: Finished) -> None:
    sql = "select 1 as a, 'x' as a, 2 as a_1, 3 as a"
    assert json.loads(fleetsim("query", week.path, sql, "--json").out) == [
        {"a": 1, "a_2": "x", "a_1": 2, "a_3": 3}]
    assert fleetsim("query", week.path, sql, "--format", "csv").out == "a,a,a_1,a\n1,x,2,3\n"
    table = fleetsim("query", week.path, sql).out.splitlines()
    assert (table[0].split(), table[2].split()) == (["a", "a", "a_1", "a"], ["1", "x", "2", "3"])


def test_results_that_were_asked_for_come_before_the_current_directory(
        fleetsim: Command, week: Finished, copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy.parent.parent)
    found = json.loads(fleetsim("show", "small", "--results", week.results, "--json").out)["path"]
    assert Path(found) == week.path
    assert json.loads(fleetsim("show", "small", "--json").out)["path"] == str(Path("small", copy.name))


@pytest.mark.parametrize("content", [b"\xff", b"{", b"1"])
def test_a_garbled_summary_is_a_damaged_run(fleetsim: Command, copy: Path, content: bytes) -> None:
    file = copy / "summary.json"
    file.write_bytes(content.ljust(file.stat().st_size))
    outcome = fleetsim("show", copy)
    assert outcome.code == 2
    assert "is damaged: summary.json cannot be read" in outcome.err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full, which is always full")
def test_output_that_cannot_be_written_is_one_line(week: Finished) -> None:
    with Path("/dev/full").open("w") as full:
        found = subprocess.run(command("show", week.path), stdout=full, stderr=subprocess.PIPE, text=True,
                               check=False)
    assert (found.returncode, found.stderr) == (3, "error: No space left on device\n")


def test_closed_output_is_one_line(week: Finished) -> None:
    words = ["sh", "-c", 'exec "$@" >&-', "sh", *command("show", week.path)]
    found = subprocess.run(words, stderr=subprocess.PIPE, text=True, check=False)
    assert (found.returncode, found.stderr) == (3, "error: standard output is closed\n")


def test_complaints_that_nobody_reads_are_bad_input_still(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("a: 1\n")
    end, start = os.pipe()
    os.close(end)
    found = subprocess.run(command("check", bad), stdout=start, stderr=start, check=False)
    os.close(start)
    assert found.returncode == 2


def test_a_query_never_writes(fleetsim: Command, week: Finished) -> None:
    file = week.path / "tables" / "fact_event.parquet"
    outcome = fleetsim("query", week.path, f"copy fact_event to '{file}'")
    assert outcome.code == 2
    assert "one SELECT statement" in outcome.err
    assert fleetsim("verify", week.path).code == 0


def test_a_long_answer_is_cut_for_reading_and_says_so(fleetsim: Command, week: Finished) -> None:
    sql = "select * from range(1500) as numbers(n)"
    table = fleetsim("query", week.path, sql)
    assert len(table.out.splitlines()) == 1_002
    assert table.err == "first 1,000 of 1,500 rows; --format csv or json prints all\n"
    assert len(fleetsim("query", week.path, sql, "--format", "csv").out.splitlines()) == 1_501


@pytest.mark.parametrize("sql", ["selec 1", "select * from fact_costs", "select 1/'a'"])
def test_a_wrong_query_is_bad_input_in_the_databases_words(fleetsim: Command, week: Finished,
                                                           sql: str) -> None:
    outcome = fleetsim("query", week.path, sql)
    assert outcome.code == 2
    assert outcome.err.startswith("error: ")
    assert "Error" in outcome.err


def test_a_reader_that_stops_early_is_no_error(week: Finished) -> None:
    words = ["query", week.path, "select * from range(200000)", "--format", "csv"]
    process = subprocess.Popen(command(*words), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert err == b""


def test_verify_finds_a_run_sound(fleetsim: Command, week: Finished) -> None:
    assert fleetsim("verify", week.path).out == f"ok: {week.path} is complete and unchanged\n"
    assert json.loads(fleetsim("verify", week.path, "--json").out) == {
        "run": str(week.path), "ok": True, "faults": []}


def test_verify_finds_a_single_changed_byte(fleetsim: Command, copy: Path) -> None:
    table = copy / "tables" / "fact_cost_hourly.parquet"
    content = bytearray(table.read_bytes())
    content[len(content) // 2] ^= 1
    table.write_bytes(content)
    outcome = fleetsim("verify", copy, "--json")
    assert outcome.code == 2
    assert "fact_cost_hourly" in json.loads(outcome.out)["faults"][0]
    assert "is damaged" in outcome.err


def test_report_writes_every_plot(fleetsim: Command, week: Finished, tmp_path: Path) -> None:
    outcome = fleetsim("report", week.path, "--plots", tmp_path / "plots")
    assert outcome.code == 0, outcome.err
    written = [Path(line) for line in outcome.out.splitlines()]
    assert [path.name for path in written] == [
        "capacity.png", "gpu_counts.png", "utilisation.png", "waits.png", "cost.png", "savings.png",
        "cash.png"]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)


TRAINING_ALONE = """\
fleetsim: 1
name: training
horizon: {start: 2024-01-01, end: 2024-01-02}
fleets: {t: {gpu: a100-80gb, provider: azure, role: training, tranches: [{date: 2024-01-01, gpus: 80}]}}
"""


def test_a_run_without_traffic_or_contracts_can_be_read(fleetsim: Command, tmp_path: Path) -> None:
    file = tmp_path / "training.yaml"
    file.write_text(TRAINING_ALONE)
    summary = fleetsim("run", file, "--results", tmp_path)
    assert summary.code == 0
    assert "Traffic" not in summary.out
    assert "Decision" not in summary.out
    plots = fleetsim("report", "training", "--results", tmp_path, "--plots", tmp_path / "plots", "--json")
    assert plots.code == 0, plots.err
    assert len(json.loads(plots.out)["plots"]) == 7


def test_report_keeps_out_of_the_run(fleetsim: Command, week: Finished) -> None:
    outcome = fleetsim("report", week.path, "--plots", week.path / "plots", "--json")
    assert outcome.code == 2
    assert not (week.path / "plots").exists()
