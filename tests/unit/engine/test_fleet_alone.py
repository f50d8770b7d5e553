"""A training fleet alone does what it does in the whole simulation, and its GPUs add up."""

from pathlib import Path

import numpy as np
import pytest

import fleetsim as fs
from fleetsim.engine.fleet_alone import run_alone
from fleetsim.engine.training_pool import Terms, TrainingPool, gangs
from fleetsim.timebase import HOUR_NS

SCENARIO = """
fleetsim: 1
name: two
horizon: {start: 2024-01-01, end: 2024-02-15, step_s: 3600, warmup_days: 2}
fleets:
  lab:
    gpu: a100-80gb
    provider: azure
    role: training
    tranches:
      - {date: 2024-01-01, gpus: 512}
      - {date: 2024-01-10, gpus: 256, end: 2024-02-05, slip: {low_days: 0, mode_days: 1, high_days: 5}}
    node_mtbf_h: 300
    reliability: {spare_nodes: 2, replacement_s: 60, lemon_frac: 0.1, lemon_factor: 5}
    outages: {fire: {start: 2024-01-12, end: 2024-01-13, gpus: 64}}
    maintenance: {firmware: {start: 2024-01-15, end: 2024-01-15T06:00, gpus: 64, repeat_days: 7}}
  other:
    gpu: h100-80gb
    provider: azure
    role: training
    tranches: [{date: 2024-01-01, gpus: 64}]
    node_mtbf_h: 200
contracts:
  spot: {kind: spot, fleet: lab, usd_per_gpu_hour: 1.0, interruption_mtbf_h: 60, interruption_h: 5}
  rent: {kind: reserved, fleet: other, usd_per_gpu_hour: 2.0}
training_jobs:
  run: {fleet: lab, gpus: 256, start: 2024-01-02, duration_h: 500, priority: 0, checkpoint: {write_s: 30}}
  elsewhere: {fleet: other, gpus: 64, start: 2024-01-01, duration_h: 5000}
job_streams:
  research: {fleet: lab, jobs_per_day: 9, gpus: {median: 16, p90: 64, high: 256},
             duration_h: {median: 6, p90: 40, high: 100}, software_mtbf_h: 300}
policies:
  important-first: {kind: priority, fleet: lab}
  others: {kind: fair_share, fleet: other}
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> fs.Scenario:
    file = tmp_path_factory.mktemp("alone") / "two.yaml"
    file.write_text(SCENARIO)
    return fs.load(file)


def test_its_jobs_do_what_they_do_in_the_whole_simulation(scenario: fs.Scenario, tmp_path: Path) -> None:
    run = fs.simulate(scenario, seed=4, replication=2, results=tmp_path)
    for name in ("lab", "other"):
        alone = run_alone(scenario, name, seed=4, replication=2)
        states = alone.gpu_hours
        whole = run.summary["training"][name]
        for state, hours in whole["gpu_hours"].items():
            assert states[state] == pytest.approx(hours, rel=1e-9, abs=1e-6), (name, state)
        assert sum(states.values()) == pytest.approx(whole["rented_gpu_hours"], rel=1e-9)
        (queued,) = run.query("select sum(queued_gpu_hours) from fact_training_job "
                              f"where fleet = '{name}'").column(0).to_pylist()
        # The table has the warm-up, which is the first two days.
        assert alone.queued_gpu_hours + alone.queued_before_gpu_h == pytest.approx(queued, rel=1e-9)
        begun = run_alone(fs.override(scenario, {"horizon.end": "2024-01-03", "horizon.warmup_days": 0}),
                          name, seed=4, replication=2)
        assert begun.queued_gpu_hours == pytest.approx(alone.queued_before_gpu_h, rel=1e-9)


def test_jobs_drawn_before_give_the_same(scenario: fs.Scenario) -> None:
    drawn = run_alone(scenario, "lab", replication=1)
    again = run_alone(scenario, "lab", replication=1, jobs=drawn.training.jobs)
    assert (drawn.training.pool.state.hours == again.training.pool.state.hours).all()
    other = run_alone(scenario, "lab", replication=2)
    assert (drawn.training.pool.state.hours != other.training.pool.state.hours).any()


@pytest.mark.parametrize("seed", range(12))
def test_gpus_add_up_where_spot_meets_outages_and_departures(scenario: fs.Scenario, seed: int) -> None:
    """All GPUs are taken away, and given back, in the middle of an outage and across a hand-back."""
    busy = fs.override(scenario, {"contracts.spot.interruption_mtbf_h": 12,
                                  "contracts.spot.interruption_h": 9})
    alone = run_alone(busy, "lab", seed=seed).training
    hours = alone.pool.state.hours / HOUR_NS
    assert hours.min() >= 0.0
    assert hours.sum(axis=1).max() <= 768 + 1e-9
    assert hours[-24 * 5:].sum(axis=1).max() <= 512 + 1e-9
    cluster = alone.pool.cluster
    there = sum(int(cluster[name]) for name in ("idle", "spare", "down", "maintenance", "running_gpus"))
    assert min(int(cluster[name]) for name in ("idle", "spare", "down", "outage", "maintenance")) >= 0
    assert there == alone.gpus
    assert np.all(hours[:24].sum(axis=1) <= 512 + 1e-9)


def test_an_outage_gives_back_what_is_still_there() -> None:
    """All GPUs leave the fleet during an outage and others come: none are made of nothing at its end."""
    pool = TrainingPool(gangs(0), Terms(), gpus=64, hours=10)
    pool.advance(HOUR_NS)
    assert pool.break_down(32) == 32
    pool.drain(64)
    pool.force()
    pool.retire(64)
    pool.bring(64)
    pool.end_outage(32)
    assert {name: int(pool.cluster[name]) for name in ("idle", "down", "outage")} == {
        "idle": 64, "down": 0, "outage": 0}
