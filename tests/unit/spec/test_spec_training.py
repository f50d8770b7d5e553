"""Training jobs, streams and their fleets in a scenario file: what is refused, with its place."""

from pathlib import Path

import pytest

import fleetsim as fs

GOOD = """
fleetsim: 1
name: lab
horizon: {start: 2024-01-01, end: 2024-02-01}
fleets:
  lab: {gpu: a100-80gb, provider: azure, role: training, tranches: [{date: 2024-01-01, gpus: 1_000}]}
  web: {gpu: a100-80gb, provider: azure, tranches: [{date: 2024-01-01, gpus: 1_000}]}
pools: {all: {fleets: {web: {gpus: 1_000}}}}
contracts:
  lab: {kind: reserved, fleet: lab, usd_per_gpu_hour: 1}
  web: {kind: reserved, fleet: web, usd_per_gpu_hour: 1}
training_jobs:
  run: {fleet: lab, gpus: 512, start: 2024-01-02, duration_h: 100, checkpoint: {write_s: 60}}
job_streams:
  many: {fleet: lab, jobs_per_day: 5, gpus: {median: 8, p90: 64}, duration_h: {median: 2, p90: 20}}
policies:
  first: {kind: priority, fleet: lab}
"""


def faults(tmp_path: Path, old: str, new: str) -> str:
    file = tmp_path / "lab.yaml"
    assert old in GOOD
    file.write_text(GOOD.replace(old, new))
    with pytest.raises(fs.ScenarioError) as error:
        fs.load(file)
    return str(error.value)


def test_the_file_is_right(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(GOOD)
    scenario = fs.load(file)
    assert scenario.fleets_with_jobs == {"lab"}
    assert scenario.job_streams["many"].teams == {"research": 1.0}


@pytest.mark.parametrize(("old", "new", "code"), [
    ("run: {fleet: lab", "run: {fleet: web", "job-on-serving-fleet"),
    ("gpus: 512", "gpus: 1_200", "job-too-large"),
    ("gpus: {median: 8, p90: 64}", "gpus: {median: 2_000, p90: 4_000}", "job-too-large"),
    ("duration_h: 100", "duration_h: 100, gpu_hours: 5", "not-one-of"),
    (", duration_h: 100", "", "not-one-of"),
    ("duration_h: 100", "flops: 1e20", "not-one-of"),
    ("duration_h: 100", "duration_h: 100, deadline: 2024-01-01", "ends-before-start"),
    ("write_s: 60", "write_s: 60, rule: fixed", "checkpoint-interval"),
    ("write_s: 60", "write_s: 60, interval_s: 60", "checkpoint-interval"),
    ("write_s: 60", "write_s: 60, state_gb: 5, storage_gb_per_s: 1", "checkpoint-duration"),
    ("write_s: 60", "state_gb: 5", "checkpoint-duration"),
    ("write_s: 60", "write_s: 600, blocking_s: 1, rule: fixed, interval_s: 60", "checkpoint-duration"),
    ("p90: 64", "p90: 4", "spread-order"),
    ("p90: 20", "p90: 20, low: 9, high: 8", "spread-order"),
    ("provider: azure, role", "reliability: {domain_nodes: 4}, provider: azure, role", "half-a-domain"),
    ("first: {kind: priority, fleet: lab}", "first: {kind: priority, fleet: lbb}", "unknown-fleet"),
    ("first: {kind: priority, fleet: lab}",
     "{first: {kind: priority, fleet: lab}, other: {kind: fair_share, fleet: lab}}", "policy-twice"),
    ("run: {fleet: lab", "run: {fleet: lba", "unknown-fleet"),
    ("gpus: 1_000}]}\n  web", "gpus: 1_000}], reliability: {spare_nodes: 62}}\n  web", "job-too-large"),
    ("p90: 64}", "p90: 64, low: 1_001}", "job-too-large"),
    ("duration_h: 100", "duration_h: 1e12", "out-of-range"),
    ("duration_h: 100", "gpu_hours: 1e12", "out-of-range"),
    ("duration_h: 100", "flops: 1e300, mfu_frac: 0.4", "out-of-range"),
    ("duration_h: 100", "duration_h: 100, restart_s: 1e20", "out-of-range"),
    ("write_s: 60", "state_gb: 1e30, storage_gb_per_s: 1", "out-of-range"),
    ("write_s: 60", "rule: fixed, interval_s: 1e30", "out-of-range"),
    ("provider: azure, role", "reliability: {spare_nodes: 10000000000000}, provider: azure, role",
     "out-of-range"),
    ("duration_h: 100", "duration_h: 100, restart_s: 0, software_mtbf_h: 1e-6", "too-many-events"),
    ("jobs_per_day: 5", "jobs_per_day: 1e6", "too-many-events"),
    ("provider: azure, role", "node_mtbf_h: 1e-5, repair_h: 1e-5, provider: azure, role", "too-many-events"),
    ("provider: azure, role", "reliability: {domain_nodes: 1, domain_mtbf_h: 1e-5, domain_repair_h: 1e-5}, "
     "provider: azure, role", "too-many-events"),
])
def test_what_is_refused(tmp_path: Path, old: str, new: str, code: str) -> None:
    assert f"[{code}]" in faults(tmp_path, old, new)


def test_a_time_without_failures_is_no_overflow(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(GOOD.replace("provider: azure, role", "node_mtbf_h: 1e300, provider: azure, role")
                    .replace("end: 2024-02-01", "end: 2024-01-03"))
    with pytest.warns(UserWarning, match="can hardly be meant"):
        scenario = fs.load(file)
    run = fs.simulate(scenario, results=tmp_path / "runs")
    assert run.figure("training_jobs.run.failures") == 0


def test_a_share_of_nobody_is_told(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(GOOD.replace("first: {kind: priority, fleet: lab}",
                                 "first: {kind: fair_share, fleet: lab, share: {training: 2, researhc: 1}}"))
    with pytest.warns(UserWarning, match=r"team 'researhc'[\s\S]*did you mean 'research'") as told:
        fs.load(file)
    assert len(told) == 1


LEND = "policies:\n  lend: {kind: borrow, pool: training, from: all, headroom_frac: 0.25}\n"


@pytest.mark.parametrize(("policy", "code"), [
    (LEND.replace("all", "al"), "unknown-pool"), (LEND.replace("training", "trainin"), "unknown-pool"),
    (LEND.replace("0.25", "2"), "out-of-range")])
def test_a_wrong_policy_is_not_also_a_missing_one(tmp_path: Path, policy: str, code: str) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text(GOOD.replace("run: {fleet: lab", "run: {fleet: web").replace("policies:\n", policy))
    with pytest.raises(fs.ScenarioError) as error:
        fs.load(file)
    assert f"[{code}]" in str(error.value)
    assert "[job-on-serving-fleet]" not in str(error.value)


@pytest.mark.parametrize("share", ["gpus: 1_000", "share_frac: 1.0"])
def test_a_job_larger_than_what_pools_ever_lend_is_refused(tmp_path: Path, share: str) -> None:
    """1,000 GPUs less a quarter."""
    text = GOOD.replace("run: {fleet: lab", "run: {fleet: web").replace("policies:\n", LEND).replace(
        "web: {gpus: 1_000}", f"web: {{{share}}}")
    file = tmp_path / "lab.yaml"
    file.write_text(text.replace("gpus: 512", "gpus: 750"))
    fs.load(file)
    file.write_text(text.replace("gpus: 512", "gpus: 751"))
    with pytest.raises(fs.ScenarioError, match=r"never lend more than 750 \[job-too-large\]"):
        fs.load(file)
