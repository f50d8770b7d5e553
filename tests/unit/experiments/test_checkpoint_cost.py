"""Checkpoint intervals in dollars: the exact formula with every kind of restart, and the simulation."""

import math
from pathlib import Path

import pytest

import fleetsim as fs
from fleetsim.experiments.checkpoint_cost import back_s, candidates, job_intervals
from fleetsim.model.checkpoint import daly_interval, exact_interval, expected_time, young_interval
from fleetsim.model.failure_cause import CAUSES, INTERRUPTIONS

GANG = """
fleetsim: 1
name: gang
horizon: {start: 2024-01-01, end: 2024-03-01, step_s: 3600}
fleets:
  lab:
    gpu: a100-80gb
    provider: azure
    role: training
    tranches: [{date: 2024-01-01, gpus: 1_280}]
    node_mtbf_h: 300
    repair_h: 2
    reliability: {replacement_s: 400}
contracts:
  rent: {kind: reserved, fleet: lab, usd_per_gpu_hour: 2.00}
training_jobs:
  run: {fleet: lab, gpus: 1_024, start: 2024-01-01, duration_h: 500, detection_s: 60, restart_s: 240,
        waits_for_repair: true, software_mtbf_h: 900, checkpoint: {write_s: 90, blocking_s: 20}}
"""
M = 3_600 / (128 / 300 + 128 / 900)


def load(folder: Path, *overrides: str) -> fs.Scenario:
    file = folder / "gang.yaml"
    file.write_text(GANG)
    return fs.load(file, overrides=overrides)


def test_the_restart_of_the_formula_mixes_kinds_and_waits_for_the_write(tmp_path: Path) -> None:
    scenario = load(tmp_path)
    taken = sum(cause.count for cause in CAUSES if cause.node_out) / INTERRUPTIONS * 0.75
    mean = taken * math.exp(-700 / M) + (1 - taken) * math.exp(-300 / M)
    found = back_s(scenario, scenario.training_jobs["run"], M)
    assert found == pytest.approx(-M * math.log(mean) + 70)
    assert 300 + 70 < found < 700 + 70
    plain = load(tmp_path, "fleets.lab.reliability.replacement_s=0")
    assert back_s(plain, plain.training_jobs["run"], M) == pytest.approx(300 + 70)


def test_the_simulation_costs_what_the_formula_says(tmp_path: Path) -> None:
    found = job_intervals(load(tmp_path), "run", usd_per_gpu_hour=2.0, seed=0, replications=60)
    assert found is not None
    assert found.mtbf_s == pytest.approx(M)
    assert found.work_gpu_hours == 512_000
    assert [each.names for each in found.tried] == [
        ("own x 1/4",), ("own x 1/2",), ("own", "Daly", "exact"), ("Young",), ("own x 2",), ("own x 4",)]
    assert found.own.interval_s == pytest.approx(daly_interval(20, M))
    assert found.best is found.own
    assert found.own_more_usd == 0.0
    own = found.own.simulated_usd
    assert own is not None
    for each in found.tried:
        exact = expected_time(500 * 3_600, each.interval_s, 20, M, found.back_s) / 3_600 * 1_024 * 2.0
        assert each.expected_usd == pytest.approx(exact)
        assert each.simulated_usd is not None
        assert each.simulated_usd.error is not None
        assert each.simulated_usd.error < 0.005 * exact
        # The last interval needs no checkpoint, nor the first work a restart.
        edge = 2.0 * 1_024 * (found.back_s + 20 + each.interval_s) / 3_600
        assert abs(each.simulated_usd.mean - exact) < 4 * each.simulated_usd.error + edge
        assert each.more_usd is not None
        assert each.more_usd.mean == pytest.approx(each.simulated_usd.mean - own.mean, abs=1e-3)
    # Paired, so that the ends of the range are told apart sharply.
    for each in (found.tried[0], found.tried[-1]):
        assert each.more_usd is not None
        assert each.more_usd.error is not None
        assert each.more_usd.mean > 10 * each.more_usd.error


def test_a_wrong_interval_costs_what_the_formula_says_more(tmp_path: Path) -> None:
    scenario = load(tmp_path, "training_jobs.run.checkpoint={rule: fixed, interval_s: 5400, write_s: 20}")
    found = job_intervals(scenario, "run", usd_per_gpu_hour=2.0, seed=0, replications=20)
    assert found is not None
    best = exact_interval(20, M)
    assert found.best.interval_s == pytest.approx(best, rel=1e-3)
    per_s = 1_024 * 2.0 / 3_600
    more = [expected_time(500 * 3_600, tau, 20, M, found.back_s) * per_s for tau in (5_400, best)]
    assert found.own_more_usd == pytest.approx(more[0] - more[1], rel=1e-4)
    assert found.own_more_usd > 0.1 * more[1]
    of_best = found.best.more_usd
    assert of_best is not None
    assert of_best.mean == pytest.approx(-found.own_more_usd, rel=0.2)


def test_a_job_that_never_fails_has_no_interval_to_choose(tmp_path: Path) -> None:
    sound = load(tmp_path, "fleets.lab.node_mtbf_h=null", "training_jobs.run.software_mtbf_h=null")
    assert job_intervals(sound, "run", usd_per_gpu_hour=2.0, seed=0, replications=2) is None


def test_a_job_that_never_starts_is_not_simulated(tmp_path: Path) -> None:
    huge = load(tmp_path, "training_jobs.run.gpus=2048",
                "fleets.lab.tranches=[{date: 2024-01-01, gpus: 1280}, {date: 2024-02-01, gpus: 1280, "
                "slip: {low_days: 90, mode_days: 90, high_days: 90}}]")
    found = job_intervals(huge, "run", usd_per_gpu_hour=2.0, seed=0, replications=2)
    assert found is not None
    assert {each.simulated_usd for each in found.tried} == {each.more_usd for each in found.tried} == {None}
    assert found.as_dict()["tried"][0]["simulated_usd"] is None


def test_a_job_after_the_horizon_is_not_simulated(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="outside the horizon"):
        late = load(tmp_path, "training_jobs.run.start=2024-05-01")
    found = job_intervals(late, "run", usd_per_gpu_hour=2.0, seed=0, replications=2)
    assert found is not None
    assert {each.simulated_usd for each in found.tried} == {None}


def test_replications_count_by_their_work(tmp_path: Path) -> None:
    """A horizon of hours: a replication with little work must not count as much as one with much."""
    short = load(tmp_path, "horizon.end=2024-01-01T12:00", "training_jobs.run.checkpoint={write_s: 600}")
    found = job_intervals(short, "run", usd_per_gpu_hour=2.0, seed=0, replications=200)
    assert found is not None
    for each in found.tried:
        if each.interval_s < 3_600:  # or the unsaved work at the end counts
            assert each.simulated_usd is not None
            assert each.simulated_usd.mean == pytest.approx(each.expected_usd, rel=0.15)


def test_a_job_that_costs_nothing_has_a_best_interval_in_time(tmp_path: Path) -> None:
    scenario = load(tmp_path, "training_jobs.run.checkpoint={rule: fixed, interval_s: 5400, write_s: 20}")
    free = job_intervals(scenario, "run", usd_per_gpu_hour=0.0, seed=0, replications=2)
    assert free is not None
    assert free.best.interval_s == pytest.approx(exact_interval(20, M), rel=1e-3)


def test_what_takes_longer_than_any_job_has_no_expected_cost(tmp_path: Path) -> None:
    endless = load(tmp_path, "fleets.lab.node_mtbf_h=0.5", "training_jobs.run.checkpoint={write_s: 600}")
    found = job_intervals(endless, "run", usd_per_gpu_hour=2.0, seed=0, replications=2)
    assert found is not None
    assert found.own.expected_usd is None
    assert found.own_more_usd is None


def test_the_intervals_that_are_tried() -> None:
    names = candidates(600.0, 1e6, 5.0, 20_000.0, least_s=200.0)
    assert names[600.0] == ("own",)
    assert names[200.0] == ("own x 1/4", "shortest")
    assert {tau for tau, of in names.items() if of[0] in ("Young", "Daly", "exact")} == {
        young_interval(5.0, 20_000.0), daly_interval(5.0, 20_000.0)}
    assert candidates(300.0, 1e6, 0.0, 6_500.0, least_s=60.0)[60.0] == ("Young", "Daly", "exact", "shortest")
    at_end = candidates(None, 50_000.0, 5.0, 20_000.0, least_s=60.0)
    assert at_end[50_000.0] == ("own",)
    assert "exact x 2" in [name for of in at_end.values() for name in of]
    assert max(candidates(600.0, 1_000.0, 5.0, 20_000.0, least_s=60.0)) == 1_000.0
