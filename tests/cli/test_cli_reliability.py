"""`fleetsim reliability`: the tables, JSON, and what it refuses."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from cli_command import Command

LAB = """
fleetsim: 1
name: lab
horizon: {start: 2024-01-01, end: 2024-02-01, step_s: 3600}
fleets:
  lab:
    gpu: a100-80gb
    provider: azure
    role: training
    tranches: [{date: 2024-01-01, gpus: 544}]
    node_mtbf_h: 300
    reliability: {spare_nodes: 4}
contracts:
  rent: {kind: reserved, fleet: lab, usd_per_gpu_hour: 2.00}
training_jobs:
  run: {fleet: lab, gpus: 512, start: 2024-01-01, duration_h: 2000, waits_for_repair: true,
        checkpoint: {rule: fixed, interval_s: 7200, write_s: 30}}
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("reliability") / "lab.yaml"
    file.write_text(LAB)
    return file


def test_the_tables(fleetsim: Command, lab: Path) -> None:
    outcome = fleetsim("reliability", lab, "--seeds", 8, "--results", lab.parent / "runs")
    assert (outcome.code, outcome.err) == (0, "")
    text = " ".join(outcome.out.split())
    assert "lab, fleet lab: 1 job, effective $2.00 per rented GPU-hour; 8 replications of seed 0" in text
    for title in ("Failures a year of 8,760 h, by state", "The same jobs a year without failures",
                  "Spare nodes, a year", "Checkpoint interval of run, alone on its fleet",
                  "Cost per job over the run"):
        assert title in text
    assert "No spares are kept, and no checkpoints written but the last." in text
    assert "more than the best" in text
    rows = [line.split() for line in outcome.out.splitlines()]
    assert ["given", "4"] in [row[:2] for row in rows]
    (fleet,) = (row for row in rows if row[:1] == ["fleet"])
    assert "$809,472" in fleet  # 544 GPUs x 744 h x $2
    # 68 nodes; 356 of 419 failures take one out, for 24 of every 300 hours.
    assert "4.3 nodes are expected to be in repair" in text


def test_json_and_numbers_of_spares_by_hand(fleetsim: Command, lab: Path) -> None:
    words = ("reliability", lab, "--seeds", 6, "--spares", "8,0", "--results", lab.parent / "runs", "--json")
    outcome = fleetsim(*words)
    assert outcome.code == 0
    (fleet,) = json.loads(outcome.out)["fleets"]
    assert fleet["replications"] == 6
    spares = fleet["spares_per_year"]
    assert [each["spare_nodes"] for each in spares["tried"]] == [0, 4, 8]
    assert [each["net_usd"]["mean"] == 0.0 for each in spares["tried"]] == [False, True, False]
    assert spares["node_usd_per_year"] == pytest.approx(8 * 8_760 * 2.0)
    (job,) = fleet["checkpoints"]
    assert (job["own_interval_s"], job["job"]) == (7_200, "run")
    assert job["best_interval_s"] < 7_200
    assert job["own_more_usd"] > 0
    costs = fleet["cost_per_job"]
    (run,) = costs["jobs"]
    assert Decimal(run["usd"]) == Decimal(costs["fleet_usd"]) == 544 * 744 * 2
    assert fleetsim(*words).out == outcome.out
    other = json.loads(fleetsim(*words, "--seed", 1).out)
    assert other["fleets"][0]["failures_per_year"] != fleet["failures_per_year"]


def test_one_replication_has_no_standard_error(fleetsim: Command, lab: Path) -> None:
    found = json.loads(fleetsim("reliability", lab, "--seeds", 1, "--spares", "4", "--results",
                                lab.parent / "runs", "--json").out)["fleets"][0]
    price = found["failures_per_year"]["without_failures"]["price"]
    assert price["usd"]["standard_error"] is None
    assert found["spares_per_year"]["best_told_apart"] is False
    shown = fleetsim("reliability", lab, "--seeds", 1, "--spares", "4", "--results", lab.parent / "runs")
    assert shown.code == 0
    assert "1 replication of seed 0" in " ".join(shown.out.split())


@pytest.mark.parametrize(("words", "said"), [
    (["--fleet", "lap"], "no training fleet 'lap' with jobs; did you mean 'lab'?"),
    (["--spares", "many"], "--spares many: whole numbers with commas between them, as 0,8,16"),
    (["--spares", "4,-1"], "-1 spare nodes: give numbers from 0 to 1,000,000"),
    (["--seeds", "0"], "--seeds"),
    (["--scenario", "none"], "none"),
    (["--set", "training_jobs=null"], "lab has no training fleet with jobs: give one training_jobs or"),
])
def test_what_cannot_be_is_told_and_nothing_is_written(fleetsim: Command, lab: Path, tmp_path: Path,
                                                       words: list[str], said: str) -> None:
    outcome = fleetsim("reliability", lab, *words, "--results", tmp_path / "runs")
    assert (outcome.code, outcome.out) == (2, "")
    assert said in " ".join(outcome.err.split())
    assert not (tmp_path / "runs").exists()


def test_more_spares_than_gpus_is_bad_input(fleetsim: Command, lab: Path) -> None:
    outcome = fleetsim("reliability", lab, "--set", "fleets.lab.reliability.spare_nodes=100", "--seeds", 1,
                       "--results", lab.parent / "runs")
    assert outcome.code == 2
    assert "of them spares [job-too-large]" in outcome.err
