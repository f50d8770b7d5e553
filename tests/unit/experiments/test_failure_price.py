"""The price of failures and the value of a spare, where both are known in closed form."""

from dataclasses import replace
from math import sqrt
from pathlib import Path

import pytest

import fleetsim as fs
from fleetsim.experiments.failure_price import (
    failure_price,
    keeps_checkpoints,
    without_crashes,
    without_failures,
)
from fleetsim.experiments.fleet_runs import Estimate, FleetRuns
from fleetsim.experiments.spare_value import between, numbers, spare_value, with_spares
from fleetsim.model.checkpoint import exact_ettr
from fleetsim.model.failure_cause import CAUSES, INTERRUPTIONS
from fleetsim.model.failure_rate import expected_out
from fleetsim.timebase import HOUR_S, YEAR_H

GANG = """
fleetsim: 1
name: gang
horizon: {start: 2024-01-01, end: 2024-03-01, step_s: 3600}
fleets:
  lab:
    gpu: a100-80gb
    provider: azure
    role: training
    tranches: [{date: 2024-01-01, gpus: 600}, {date: 2024-01-01, gpus: 680}]
    node_mtbf_h: 300
    repair_h: 2
    reliability: {spare_nodes: 32}
contracts:
  rent: {kind: reserved, fleet: lab, usd_per_gpu_hour: 2.00}
training_jobs:
  run: {fleet: lab, gpus: 1_024, start: 2024-01-01, duration_h: 5_000, restart_s: 300, waits_for_repair: true,
        checkpoint: {write_s: 20}}
"""
HORIZON_H = 60 * 24


def load(folder: Path, *overrides: str) -> fs.Scenario:
    file = folder / "gang.yaml"
    file.write_text(GANG)
    return fs.load(file, overrides=overrides)


def test_an_estimate_has_the_standard_error_of_the_mean() -> None:
    assert Estimate.of([3.0]) == Estimate(3.0, None)
    found = Estimate.of([1.0, 2.0, 3.0, 6.0])
    values = [1.0, 2.0, 3.0, 6.0]
    assert Estimate.jackknife(4, lambda chosen: sum(values[k] for k in chosen) / len(chosen)) == found
    assert Estimate.jackknife(1, lambda chosen: 3.0) == Estimate(3.0, None)
    assert found.mean == 3.0
    assert found.error == pytest.approx(sqrt((4 + 1 + 0 + 9) / 3 / 4), abs=1e-6)


def test_the_price_of_a_gang_with_spares_at_hand_is_that_of_the_exact_formula(tmp_path: Path) -> None:
    scenario = load(tmp_path)
    runs = FleetRuns(scenario, "lab", seed=0, replications=60)
    own = runs.of(scenario)
    never = runs.of(without_failures(scenario, "lab"), lambda jobs: without_crashes(jobs, checkpoints=False))
    per_year = YEAR_H / HORIZON_H
    price = failure_price(own, never, usd_per_gpu_hour=2.0, per_year=per_year, checkpoints_kept=False)
    m = 300.0 * HOUR_S / 128
    job = scenario.training_jobs["run"]
    ettr = exact_ettr(job.checkpoint.interval_of(m) or 0.0, 20.0, m, 300.0)
    lost = 1_024 * YEAR_H * (1.0 - ettr)
    assert price.gained.error is not None
    assert price.gained.error < 0.01 * lost
    # The last unsaved work counts: less than an interval in 60 days.
    assert abs(price.gained.mean - lost) < 4 * price.gained.error + 1_024 * 0.1 * per_year
    assert price.freed.mean == pytest.approx(256 * YEAR_H - sum(run.gpu_hours["idle"] for run in own)
                                             / len(own) * per_year)
    # Nothing else stops the gang, so that what is gained and freed is what the states say.
    assert price.price.mean == pytest.approx(price.caused.mean, rel=1e-9)
    assert price.caused.mean == pytest.approx(sum(each.mean for each in price.by_state.values()))
    data = price.as_dict()["without_failures"]["price"]
    assert data["usd"]["mean"] == pytest.approx(2.0 * data["gpu_hours"]["mean"])
    assert data["usd"]["standard_error"] == pytest.approx(2.0 * data["gpu_hours"]["standard_error"])


def test_checkpoints_stay_where_more_than_failures_stops_jobs(tmp_path: Path) -> None:
    assert not keeps_checkpoints(load(tmp_path), "lab")
    outage = "fleets.lab.outages={fire: {start: 2024-01-09, end: 2024-01-10, gpus: 64}}"
    spot = "contracts.rent={kind: spot, fleet: lab, usd_per_gpu_hour: 1, interruption_mtbf_h: 50}"
    rude = "policies={first: {kind: priority, fleet: lab, checkpoint_first: false}}"
    polite = "policies={first: {kind: priority, fleet: lab}}"
    assert [keeps_checkpoints(load(tmp_path, each), "lab") for each in (outage, spot, rude, polite)] == [
        True, True, True, False]
    jobs = FleetRuns(load(tmp_path), "lab", seed=0, replications=1)
    sound = without_failures(jobs.scenario, "lab")
    (saved,) = jobs.of(sound, lambda each: without_crashes(each, checkpoints=True))
    (unsaved,) = jobs.of(sound, lambda each: without_crashes(each, checkpoints=False))
    assert saved.gpu_hours["checkpointing"] > 0.0
    assert unsaved.gpu_hours["checkpointing"] == unsaved.gpu_hours["lost"] == 0.0


@pytest.mark.parametrize("spares", [0, 1])
def test_the_worth_of_the_first_spare_is_that_of_a_second_machine(tmp_path: Path, spares: int) -> None:
    """A job on one node, down with it for D of every M + D; with a spare, while both are in repair."""
    scenario = load(tmp_path, "fleets.lab.tranches=[{date: 2024-01-01, gpus: " + f"{8 + 8 * spares}" + "}]",
                    f"fleets.lab.reliability.spare_nodes={spares}", "fleets.lab.node_mtbf_h=60",
                    "fleets.lab.repair_h=30", "training_jobs.run.gpus=8", "training_jobs.run.restart_s=0",
                    "training_jobs.run.checkpoint={rule: fixed, interval_s: 60, write_s: 0}")
    runs = FleetRuns(scenario, "lab", seed=1, replications=200)
    own = runs.of(scenario)
    per_year = YEAR_H / HORIZON_H
    value = spare_value(runs, own, [0, 1], usd_per_gpu_hour=2.0, per_year=per_year)
    taken = sum(cause.count for cause in CAUSES if cause.node_out) / INTERRUPTIONS
    down = 30 / (60 / taken + 30)
    none, one = value.tried
    assert (none.nodes, one.nodes, value.given) == (0, 1, spares)
    for each, up in ((none, 1 - down), (one, 1 - down**2)):
        assert each.productive.error is not None
        # All nodes are sound on the first day, and half a minute is lost at a failure.
        start = 8 * per_year * 30 * down
        assert abs(each.productive.mean - 8 * YEAR_H * up) < 4 * each.productive.error + start
        assert each.productive.error < 0.02 * each.productive.mean
    assert one.rented_gpu_hours - none.rented_gpu_hours == pytest.approx(8 * YEAR_H)
    assert value.node_usd_per_year == pytest.approx(2.0 * 8 * YEAR_H)
    worth = (one.productive.mean - none.productive.mean) * (value.usd_per_productive_gpu_hour or 0.0)
    assert one.worth_usd.mean - none.worth_usd.mean == pytest.approx(worth)
    assert none.one_more_net_usd is not None
    assert none.one_more_net_usd.mean == pytest.approx(worth - value.node_usd_per_year)
    assert none.one_more_net_usd.mean == pytest.approx(one.net_usd.mean - none.net_usd.mean)
    assert value.best.nodes == (0 if worth < value.node_usd_per_year else 1)
    assert value.expected_out_nodes == pytest.approx((1 + spares) * down)


def test_spares_are_rented_with_the_first_tranches(tmp_path: Path) -> None:
    scenario = load(tmp_path)
    for nodes, gpus in ((40, [664, 680]), (0, [344, 680]), (32, [600, 680])):
        found = with_spares(scenario, "lab", nodes).fleets["lab"]
        assert [tranche.gpus for tranche in found.tranches] == gpus
        assert found.reliability.spare_nodes == nodes
    spec = scenario.fleets["lab"]
    many = replace(spec, reliability=replace(spec.reliability, spare_nodes=100))
    wide = replace(scenario, fleets={"lab": many})
    assert [tranche.gpus for tranche in with_spares(wide, "lab", 0).fleets["lab"].tranches] == [480]
    few = replace(spec, reliability=replace(spec.reliability, spare_nodes=200))
    with pytest.raises(fs.UsageError, match="fewer GPUs than its 200 spare nodes"):
        with_spares(replace(scenario, fleets={"lab": few}), "lab", 0)


def test_the_numbers_that_are_tried(tmp_path: Path) -> None:
    spec = load(tmp_path).fleets["lab"]
    taken = sum(cause.count for cause in CAUSES if cause.node_out) / INTERRUPTIONS
    assert expected_out(spec, 160) == pytest.approx(160 * 2 / (300 / taken + 2))
    assert expected_out(replace(spec, node_mtbf_h=None), 160) == 0.0
    assert numbers(0, 9.0, 160, few_jobs=False) == [0, 1, 4, 9, 15, 18]
    assert numbers(100, 9.0, 160, few_jobs=False) == [0, 50, 100]
    assert numbers(2, 9.0, 160, few_jobs=False) == [0, 1, 2, 3, 4]
    assert numbers(40, 9.0, 160, few_jobs=True) == [0, 9, 10, 15, 20, 30, 40, 60, 80]
    assert numbers(0, 0.0, 160, few_jobs=True) == [0, 1]
    assert numbers(0, 0.9, 1, few_jobs=True) == [0, 1]
    assert between([0, 8, 16, 32], 16) == [12, 20, 24, 28]
    assert between([0, 1, 2], 1) == []
    assert between([0, 8], 8) == [2, 4, 6]
