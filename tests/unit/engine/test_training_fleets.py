"""Training fleets in a run: deliveries, departures, outages, maintenance, jobs, events and what they cost."""

from pathlib import Path

import pytest

import fleetsim as fs
from fleetsim.report.text import summary_text

STATES = ("productive", "checkpointing", "lost", "restarting", "blocked", "idle", "spare", "repair",
          "maintenance", "lent")
SCENARIO = """
fleetsim: 1
name: lab
horizon: {start: 2024-01-29, end: 2024-03-04, step_s: 300}
fleets:
  lab:
    gpu: a100-80gb
    provider: azure
    role: training
    tranches: [{date: 2024-01-29, gpus: 4_000, end: 2024-02-20T07:10}, {date: 2024-02-03T11:02, gpus: 2_000}]
    node_mtbf_h: 400
    repair_h: 20
    draining_frac: 0.01
    reliability: {spare_nodes: 3, replacement_s: 60, repair_crews: 20, domain_nodes: 16, domain_mtbf_h: 4000,
                  lemon_frac: 0.02, lemon_factor: 20, lemon_found_frac: 0.3}
    outages: {fire: {start: 2024-02-07T03:20, end: 2024-02-07T15:40, share_frac: 0.3}}
    maintenance: {firmware: {start: 2024-02-10T06:00, end: 2024-02-10T12:00, gpus: 1_000, repeat_days: 7}}
contracts:
  early: {kind: reserved, fleet: lab, usd_per_gpu_hour: 1.30, start: 2024-01-29, end: 2024-02-15}
  late: {kind: reserved, fleet: lab, usd_per_gpu_hour: 2.10, start: 2024-02-15, end: 2025-01-01}
training_jobs:
  big: {fleet: lab, gpus: 1_024, start: 2024-01-30, duration_h: 300, priority: 0, waits_for_repair: true,
        deadline: 2024-02-14, checkpoint: {write_s: 60}, labels: {team: giants, Cost_Centre: c1}}
  by-flops: {fleet: lab, gpus: 512, start: 2024-02-01, flops: 3.2e22, mfu_frac: 0.4, deadline: 2024-03-02,
             checkpoint: {rule: fixed, interval_s: 3600, state_gb: 6500, storage_gb_per_s: 100,
                          blocking_s: 5}}
job_streams:
  small: {fleet: lab, jobs_per_day: {2024-01-29: 20, 2024-02-10: 45}, gpus: {median: 32, p90: 256, low: 1},
          duration_h: {median: 6, p90: 60, high: 200}, teams: {one: 2, two: 1}, software_mtbf_h: 900,
          checkpoint: {write_s: 20}, labels: {cost_centre: c7}}
policies:
  important-first: {kind: priority, fleet: lab}
  gaps: {kind: backfill, fleet: lab}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> fs.Run:
    folder = tmp_path_factory.mktemp("lab")
    return fs.simulate(scenario(folder), results=folder)


def scenario(folder: Path) -> fs.Scenario:
    file = folder / "lab.yaml"
    file.write_text(SCENARIO)
    return fs.load(file)


def test_the_states_add_up_to_what_is_rented_hour_by_hour(run: fs.Run) -> None:
    hours = run.table("fact_capacity_hourly")
    total = hours[[f"{state}_gpu_hours" for state in STATES]].sum(axis=1)
    assert len(hours) == 35 * 24
    assert (total - hours.rented_gpu_hours).abs().max() < 1e-6
    assert (hours.failed_gpu_hours - hours.repair_gpu_hours).abs().max() < 1e-6
    held = hours[[f"{state}_gpu_hours" for state in STATES[:5]]].sum(axis=1)
    assert (held - hours.allocated_gpu_hours).abs().max() < 1e-6
    assert (hours.draining_gpu_hours - hours.maintenance_gpu_hours).abs().max() < 1e-6
    assert {state: bool(hours[f"{state}_gpu_hours"].sum() > 0) for state in STATES} == {
        state: state != "lent" for state in STATES}


def test_what_is_handed_back_is_gone(run: fs.Run) -> None:
    last = run.table("fact_capacity_hourly").iloc[-1]
    assert last.rented_gpu_hours == 2_000


def test_jobs_and_hours_count_the_same_gpu_time(run: fs.Run) -> None:
    jobs, hours = run.table("fact_training_job"), run.table("fact_capacity_hourly")
    for state in STATES[:5]:
        column = f"{state}_gpu_hours"
        assert jobs[column].sum() == pytest.approx(hours[column].sum(), rel=1e-12)
    done = jobs[jobs.outcome == "done"]
    assert len(done) > 500
    assert (done.productive_gpu_hours - done.work_gpu_hours).abs().max() < 1e-6
    assert set(jobs.team) == {"one", "two", "training"}


def test_labels_of_jobs_and_streams_are_columns(run: fs.Run) -> None:
    found = run.query("select split_part(job, '/', 1) as made, label_team, cost_centre, label_cost_centre "
                      "from fact_training_job group by all order by 1").to_pylist()
    assert [tuple(row.values()) for row in found] == [
        ("big", "giants", None, "c1"), ("by-flops", None, None, None), ("small", None, "c7", None)]


def test_jobs_cost_what_the_gpus_cost_that_they_held(run: fs.Run) -> None:
    jobs = run.table("fact_training_job")
    held = jobs[[f"{state}_gpu_hours" for state in STATES[:5]]].sum(axis=1)
    rate = jobs.effective_usd.astype(float) / held
    early, late = jobs.end_time < "2024-02-15", jobs.start_time > "2024-02-15"
    assert early.sum() > 100
    assert late.sum() > 100
    assert rate[early].between(1.2999, 1.3001).all()
    assert rate[late].between(2.0999, 2.1001).all()
    assert float(jobs.effective_usd.sum()) < float(run.table("fact_cost_hourly").effective_usd.sum())


def test_deadlines(run: fs.Run) -> None:
    jobs = run.table("fact_training_job").set_index("job")
    assert bool(jobs.deadline_missed["big"]) == (jobs.end_time["big"] > jobs.deadline["big"])
    assert jobs.deadline_missed.notna().sum() == 2
    # 3.2e22 FLOP at 40 % of 312 TFLOP/s.
    assert jobs.work_gpu_hours["by-flops"] == pytest.approx(3.2e22 / (0.4 * 312e12) / 3_600)
    assert jobs.checkpoint_interval_s["by-flops"] == 3_600


def test_events_say_what_happened(run: fs.Run) -> None:
    events = run.table("fact_event")
    kinds = events.kind.value_counts()
    jobs, hours = run.table("fact_training_job"), run.table("fact_capacity_hourly")
    assert kinds["job_submitted"] == len(jobs)
    assert kinds["job_finished"] == (jobs.outcome == "done").sum()
    assert kinds["job_preempted"] == jobs.preemptions.sum() > 0
    assert kinds["node_failed"] == hours.node_failures.sum() > 0
    assert kinds["node_repaired"] == hours.node_repairs.sum()
    assert kinds["domain_failed"] > 0
    assert set(events.thing[events.kind == "job_started"]) >= {"job/big", "job/by-flops", "job/small/0"}
    assert "faulty_gpu" in set(events.detail)


def test_the_same_seed_does_the_same_and_a_contract_changes_nothing(run: fs.Run, tmp_path: Path) -> None:
    dearer = fs.override(scenario(tmp_path), {"contracts.late.usd_per_gpu_hour": 5})
    other = fs.simulate(dearer, results=tmp_path)
    keep = ["job", "start_time", "end_time", "lost_gpu_hours", "failures"]
    assert other.table("fact_training_job")[keep].equals(run.table("fact_training_job")[keep])


def test_the_report_shows_fleets_and_named_jobs(run: fs.Run) -> None:
    training = run.summary["training"]["lab"]
    assert training["jobs"] == len(run.table("fact_training_job"))
    assert set(training["named"]) == {"big", "by-flops"}
    assert sum(training["gpu_hours"].values()) == pytest.approx(training["rented_gpu_hours"])
    text = summary_text(run.summary, Path("run"))
    assert "Training, share of GPU-hours" in text
    assert "by-flops" in text


ODD = """
fleetsim: 1
name: odd
horizon: {start: 2024-01-01, end: 2024-01-04}
fleets:
  lab: {gpu: a100-80gb, provider: azure, role: training, FLEET}
contracts: {rent: {kind: reserved, fleet: lab, usd_per_gpu_hour: 1}}
training_jobs:
  run: {fleet: lab, gpus: 32, start: 2024-01-02, duration_h: 20}
  late: {fleet: lab, gpus: 32, start: 2024-01-04, duration_h: 20}
job_streams:
  many: {fleet: lab, jobs_per_day: 40, gpus: {median: 8, p90: 100}, duration_h: {median: 2, p90: 1.0e+300}}
"""


def odd_run(folder: Path, fleet: str) -> fs.Run:
    file = folder / "odd.yaml"
    file.write_text(ODD.replace("FLEET", fleet))
    with pytest.warns(UserWarning, match="can hardly be meant|outside the horizon"):
        return fs.simulate(fs.load(file), results=folder)


def test_what_left_during_an_outage_does_not_come_back_at_its_end(tmp_path: Path) -> None:
    run = odd_run(tmp_path, "tranches: [{date: 2024-01-01, gpus: 120, end: 2024-01-02T10:00}, "
                            "{date: 2024-01-01, gpus: 40}], "
                            "outages: {dark: {start: 2024-01-02T06:00, end: 2024-01-02T12:00, gpus: 160}}")
    rows = run.sql(f"""select rented_gpu_hours as rented, {' + '.join(f'{name}_gpu_hours' for name in STATES)}
                       as states, repair_gpu_hours as down, least({', '.join(
                           f'{name}_gpu_hours' for name in STATES)}) as least
                       from fact_capacity_hourly order by hour""")
    assert (rows["states"] - rows["rented"]).abs().max() < 1e-9
    assert rows["least"].min() >= 0
    assert rows["rented"].iloc[-1] == 40
    assert (rows["down"][30:36] == [160] * 4 + [40] * 2).all()
    assert rows["down"].iloc[-1] == 0


def test_jobs_of_a_stream_fit_their_fleet_and_end_in_numbers(tmp_path: Path) -> None:
    run = odd_run(tmp_path, "tranches: [{date: 2024-01-01, gpus: 100}], reliability: {spare_nodes: 1}")
    jobs = run.sql("select * from fact_training_job")
    assert jobs["gpus"].max() == 88
    assert jobs["work_gpu_hours"].min() > 0
    assert jobs["work_gpu_hours"].max() <= 1_000_000 * 88
    assert "late" not in set(jobs["job"]), "it starts when the horizon ends"
