"""Cost per job: parts that add up to the fleet's cost to the micro-dollar."""

import re
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fleetsim as fs
from fleetsim.experiments.job_cost import HELD, divided, exact_usd, job_costs
from fleetsim.experiments.reliability import chosen_fleets, reliability

LAB = """
fleetsim: 1
name: lab
horizon: {start: 2024-01-01, end: 2024-01-21, step_s: 3600}
fleets:
  lab:
    gpu: a100-80gb
    provider: azure
    role: training
    tranches: [{date: 2024-01-01, gpus: 512}, {date: 2024-01-11, gpus: 128}]
    node_mtbf_h: 300
    reliability: {spare_nodes: 2}
  bare: {gpu: a100-80gb, provider: azure, role: training,
         tranches: [{date: 2024-01-01, gpus: 64},
                    {date: 2024-01-20, gpus: 64, slip: {low_days: 90, mode_days: 90, high_days: 90}}]}
contracts:
  early: {kind: reserved, fleet: lab, usd_per_gpu_hour: 1.3337, start: 2024-01-01, end: 2024-01-09}
  late: {kind: reserved, fleet: lab, usd_per_gpu_hour: 2.0007, start: 2024-01-09, end: 2025-01-01}
  rent: {kind: reserved, fleet: bare, usd_per_gpu_hour: 1.0}
training_jobs:
  run: {fleet: lab, gpus: 256, start: 2024-01-02, duration_h: 300, priority: 0}
  never: {fleet: bare, gpus: 128, start: 2024-01-02, duration_h: 300}
job_streams:
  research: {fleet: lab, jobs_per_day: 8, gpus: {median: 16, p90: 64, high: 256},
             duration_h: {median: 6, p90: 40, high: 100}, checkpoint: {write_s: 20}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "lab.yaml").write_text(LAB)
    return folder


@pytest.fixture(scope="module")
def scenario(folder: Path) -> fs.Scenario:
    return fs.load(folder / "lab.yaml")


@given(st.integers(-10**15, 10**15), st.lists(st.integers(0, 10**15), min_size=1, max_size=40))
def test_parts_add_up_and_are_in_proportion(amount: int, weights: list[int]) -> None:
    parts = divided(amount, weights)
    whole = sum(weights)
    assert sum(parts) == (amount if whole else 0)
    for part, weight in zip(parts, weights, strict=True):
        if whole:
            assert abs(part * whole - amount * weight) <= whole  # within one micro-dollar


def test_amounts_are_exact() -> None:
    assert exact_usd(1_234_567) == "1.234567"
    assert exact_usd(-5) == "-0.000005"


def test_the_jobs_share_all_of_the_fleets_cost(scenario: fs.Scenario, folder: Path) -> None:
    run = fs.simulate(scenario, results=folder)
    found = job_costs(run, "lab")
    assert [each.name for each in found.jobs] == ["run", "research"]
    assert found.jobs[0].jobs == 1
    assert found.jobs[1].jobs == run.summary["training"]["lab"]["jobs"] - 1
    assert sum(each.micro_usd for each in found.jobs) == found.fleet_micro_usd
    assert found.unallocated_micro_usd == 0
    (whole,) = run.query("select sum(effective_usd) from fact_cost_hourly where fleet = 'lab'") \
        .column(0).to_pylist()
    assert exact_usd(found.fleet_micro_usd) == f"{whole:.6f}"
    data = found.as_dict()
    parts = sum(Decimal(row[f"{state}_usd"]) for row in data["jobs"] for state in (*HELD, "idle"))
    assert parts == sum(Decimal(row["usd"]) for row in data["jobs"]) == Decimal(data["fleet_usd"]) == whole

    (row,) = run.query("select * from fact_training_job where job = 'run'").to_pylist()
    job = found.jobs[0]
    assert sum(job.held_micro_usd) == int(row["effective_usd"] * 1_000_000)
    held = sum(row[f"{state}_gpu_hours"] for state in HELD)
    for state, cost in zip(HELD, job.held_micro_usd, strict=True):
        share = row[f"{state}_gpu_hours"] / held
        assert abs(cost - share * sum(job.held_micro_usd)) <= 2
    # Idle cost goes by the cost of the GPU-hours held: the same mark-up for everybody.
    ratio = found.fleet_micro_usd / sum(sum(each.held_micro_usd) for each in found.jobs)
    for each in found.jobs:
        assert each.micro_usd == pytest.approx(sum(each.held_micro_usd) * ratio, rel=1e-6)
    assert ratio > 1.01


def test_a_fleet_that_no_job_held_is_allocated_to_none(scenario: fs.Scenario, folder: Path) -> None:
    found = job_costs(fs.simulate(scenario, results=folder), "bare")
    assert found.fleet_micro_usd == found.unallocated_micro_usd == 64 * 20 * 24 * 1_000_000
    assert [each.micro_usd for each in found.jobs] == [0]


def test_what_is_paid_before_and_after_the_jobs_is_shared_by_their_hours(folder: Path) -> None:
    """All contracts start when the job is done."""
    text = re.sub(r"  early: .*\n", "", LAB).replace("start: 2024-01-09", "start: 2024-01-20")
    (folder / "late.yaml").write_text(text.replace("duration_h: 300", "duration_h: 30").replace(
        "jobs_per_day: 8", "jobs_per_day: 0"))
    with pytest.warns(UserWarning, match="contracts cover 0"):
        late = fs.load(folder / "late.yaml")
    found = job_costs(fs.simulate(late, results=folder), "lab")
    assert found.unallocated_micro_usd == 0
    assert [(each.name, sum(each.held_micro_usd)) for each in found.jobs] == [("run", 0)]
    assert found.jobs[0].micro_usd == found.fleet_micro_usd > 0


def test_everything_of_a_scenario_at_once(scenario: fs.Scenario, folder: Path) -> None:
    steps: list[str] = []
    found = reliability(scenario, replications=2, results=folder, doing=steps.append)
    assert [each.fleet for each in found.fleets] == ["lab", "bare"]
    lab, bare = found.fleets
    assert lab.usd_per_gpu_hour == pytest.approx(lab.run.figure("fleets.lab.cost_usd")
                                                 / lab.run.summary["training"]["lab"]["rented_gpu_hours"])
    assert "lab: without failures" in steps
    assert "lab: 2 spare nodes" not in steps  # the fleet as it is
    assert [each.job for each in lab.intervals] == ["run"]
    assert lab.price.price.mean > 0
    # Where nothing fails, failures cost nothing, and spares only their rent.
    assert bare.intervals == ()
    assert bare.price.price.mean == bare.price.caused.mean == 0.0
    assert bare.spares.best.nodes == 0
    assert bare.spares.usd_per_productive_gpu_hour is None
    again = reliability(scenario, fleet="lab", replications=2, results=folder)
    assert again.fleets[0].as_dict() == lab.as_dict()


def test_only_training_fleets_with_jobs_are_priced(scenario: fs.Scenario) -> None:
    assert chosen_fleets(scenario, None) == ["lab", "bare"]
    assert chosen_fleets(scenario, "bare") == ["bare"]
    with pytest.raises(fs.UsageError, match="did you mean 'lab'"):
        chosen_fleets(scenario, "lap")
    fleets = {**scenario.fleets, "bare": replace(scenario.fleets["bare"], role="serving")}
    with pytest.raises(fs.UsageError, match=r"fleet bare serves traffic.* here lab"):
        chosen_fleets(replace(scenario, fleets=fleets), "bare")
    jobless = replace(scenario, training_jobs={}, job_streams={})
    with pytest.raises(fs.UsageError, match="give one training_jobs or job_streams"):
        chosen_fleets(jobless, None)


@pytest.mark.parametrize(("asked", "said"), [
    ({"replications": 0}, "0 replications are none"), ({"replications": -3}, "-3 replications are none"),
    ({"spares": [4, -1]}, "-1 spare nodes: give numbers from 0 to 1,000,000"),
])
def test_numbers_that_are_none(scenario: fs.Scenario, folder: Path, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(fs.UsageError, match=said):
        reliability(scenario, results=folder / "none", **asked)
    assert not (folder / "none").exists()
