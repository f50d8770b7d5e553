"""Lending between pools and training jobs: who has which GPUs when, what jobs save, and what it costs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import fleetsim as fs
from fleetsim.engine.forecast import Forecast

STATES = ("productive", "checkpointing", "lost", "restarting", "blocked", "idle", "spare", "repair",
          "maintenance")
NIGHT = """
fleetsim: 1
name: night
horizon: {start: 2024-03-04, end: 2024-03-05, step_s: 300, control_s: 300}
fleets:
  azure: {gpu: a100-80gb, provider: azure, tranches: [{date: 2024-03-04, gpus: 1_000}]}
pools:
  chat: {fleets: {azure: {gpus: 800}}}
  api: {fleets: {azure: {gpus: 200}}}
services:
  small: {gpu_s_per_call: 1.0}
traffic:
  chat: {pool: chat, service: small, messages_per_day: 23_846_400, prompt_tokens: {mean: 1},
         output_tokens: {mean: 1}}
  api: {pool: api, service: small, messages_per_day: 7_948_800, prompt_tokens: {mean: 1},
        output_tokens: {mean: 1}}
contracts:
  azure: {kind: reserved, fleet: azure, usd_per_gpu_hour: 1.30}
job_streams:
  work: {fleet: azure, jobs_per_day: 4_000, gpus: {median: 8, p90: 8}, duration_h: {median: 2, p90: 4},
         restart_s: 60, checkpoint: {rule: fixed, interval_s: 3600, write_s: 30}}
policies:
  lend: {kind: borrow, pool: training, from: chat, headroom_frac: 0.05, reclaim_delay_s: 300}
"""
# 276 messages a second of a GPU-second each / 0.92 need 300 GPUs of 800; 40 are headroom: 460 are lent.
LENT = 460
YIELDING = """
fleetsim: 1
name: emergency
horizon: {start: 2024-03-04, end: 2024-03-06, step_s: 300, control_s: 300}
fleets:
  azure: {gpu: a100-80gb, provider: azure, tranches: [{date: 2024-03-04, gpus: 100}]}
  lab: {gpu: a100-80gb, provider: azure, role: training, tranches: [{date: 2024-03-04, gpus: 400}],
        node_mtbf_h: 500, repair_h: 5, reliability: {spare_nodes: 2}}
pools:
  chat: {fleets: {azure: {gpus: 100}, lab: {gpus: 0}}}
services:
  small: {gpu_s_per_call: 1.0}
traffic:
  chat: {pool: chat, service: small, messages_per_day: 6_912_000, prompt_tokens: {mean: 1},
         output_tokens: {mean: 1}}
surges:
  rush: {kind: multiplier, class: chat, start: 2024-03-05T06:00, end: 2024-03-05T12:00, factor: 3.0}
contracts:
  azure: {kind: reserved, fleet: azure, usd_per_gpu_hour: 1.30}
  lab: {kind: reserved, fleet: lab, usd_per_gpu_hour: 2.00}
training_jobs:
  run: {fleet: lab, gpus: 256, start: 2024-03-04, duration_h: 100, priority: 0, checkpoint: {write_s: 60}}
job_streams:
  work: {fleet: lab, jobs_per_day: 400, gpus: {median: 8, p90: 16}, duration_h: {median: 2, p90: 6},
         checkpoint: {write_s: 30}}
policies:
  first: {kind: priority, fleet: lab}
  yield: {kind: borrow, pool: chat, from: training, headroom_frac: 0.5, reclaim_delay_s: 600}
"""


def simulated(folder: Path, text: str, *, changes: Mapping[str, Any] | None = None, seed: int = 0) -> fs.Run:
    file = folder / "lending.yaml"
    file.write_text(text)
    return fs.simulate(fs.override(fs.load(file), changes or {}), seed=seed, results=folder / "results",
                       resolution="step")


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> fs.Run:
    return simulated(tmp_path_factory.mktemp("night"), NIGHT)


@pytest.fixture(scope="module")
def emergency(tmp_path_factory: pytest.TempPathFactory) -> fs.Run:
    return simulated(tmp_path_factory.mktemp("emergency"), YIELDING)


def states(run: fs.Run) -> list[dict[str, Any]]:
    """By hour of each fleet's jobs: GPU-hours by state, and those that they have."""
    columns = ", ".join(f"{state}_gpu_hours as {state}" for state in STATES)
    rows: list[dict[str, Any]] = run.query(
        f"select hour, fleet::varchar as fleet, {columns}, rented_gpu_hours as rented, "
        "lent_gpu_hours as lent, borrowed_gpu_hours as borrowed, allocated_gpu_hours as allocated "
        "from fact_capacity_hourly where pool = 'training' order by hour, fleet").to_pylist()
    return rows


def lent_by_step(run: fs.Run, pool: str, fleet: str = "azure") -> list[int]:
    return [int(row["lent"]) for row in run.query(
        f"select lent_gpus as lent from series_step_capacity where pool = '{pool}' and fleet = '{fleet}' "
        "order by time").to_pylist()]


def add_up(run: fs.Run) -> None:
    """What jobs have is in exactly one state, and what one lends the other borrows."""
    rows = states(run)
    assert rows
    for row in rows:
        assert sum(row[state] for state in STATES) == pytest.approx(
            row["rented"] - row["lent"] + row["borrowed"], rel=1e-12, abs=1e-9), row
        assert min(row[state] for state in STATES) >= -1e-9, row
    whole = run.query("select sum(lent_gpu_hours) as lent, sum(borrowed_gpu_hours) as borrowed "
                      "from fact_capacity_hourly").to_pylist()[0]
    assert whole["lent"] == pytest.approx(whole["borrowed"], rel=1e-12)


def test_a_pool_lends_what_it_does_not_need_above_its_headroom(night: fs.Run) -> None:
    lent = lent_by_step(night, "chat")
    assert lent[0] == 0  # nothing was seen yet
    assert set(lent[12:]) == {LENT}  # by then there are jobs enough
    assert set(lent_by_step(night, "api")) == {0}
    add_up(night)


def test_jobs_hold_what_they_borrow_and_a_failed_node_is_replaced(tmp_path: Path) -> None:
    run = simulated(tmp_path, NIGHT, changes={"fleets.azure.node_mtbf_h": 100, "fleets.azure.repair_h": 10})
    add_up(run)
    sums = run.query("select sum(failures) as failures, sum(lost_gpu_hours) as lost from fact_training_job"
                     ).to_pylist()[0]
    # 50 nodes of 8 for 24 h at 100 h each: 12 failures expected, half an hour of 8 GPUs lost each.
    assert 3 <= sums["failures"] <= 30
    assert 0 < sums["lost"] <= 8 * sums["failures"]
    assert run.query("select sum(repair_gpu_hours) as down from fact_capacity_hourly").to_pylist() == [
        {"down": 0.0}]


def test_what_jobs_hold_is_paid_out_of_the_idle_part(night: fs.Run) -> None:
    """Jobs' costs are the row `training` of the allocation; with the classes and idle it is the rent."""
    paid = {row["name"]: row for row in night.query(
        "select traffic_class::varchar as name, sum(effective_usd) as usd, sum(gpu_hours) as gpu_hours "
        "from fact_cost_allocation_hourly group by 1").to_pylist()}
    held = " + ".join(f"{state}_gpu_hours" for state in STATES[:5])
    jobs = night.query(f"select sum(effective_usd) as usd, sum({held}) as gpu_hours from fact_training_job"
                       ).to_pylist()[0]
    assert float(paid["training"]["usd"]) == pytest.approx(float(jobs["usd"]), abs=0.001)
    assert paid["training"]["gpu_hours"] == pytest.approx(jobs["gpu_hours"], rel=1e-9)
    assert float(sum(row["usd"] for row in paid.values())) == pytest.approx(24 * 1_000 * 1.30, abs=1e-6)
    figures = night.summary["figures"]
    assert sum(row["allocated"] for row in states(night)) == pytest.approx(jobs["gpu_hours"], rel=1e-9)
    lent = figures["pools.chat.lent_gpu_hours"]
    assert figures["fleets.azure.usd_per_gained_gpu_hour"] == pytest.approx(
        1.30 * lent / figures["fleets.azure.gained_gpu_hours"], rel=1e-9)


def test_a_surge_has_its_gpus_back_within_the_delay_and_jobs_have_saved_their_work(tmp_path: Path) -> None:
    """Twice the traffic from 06:00: seen at 06:05, wanted 600 + 40 of 800, there at 06:10."""
    surge = {"surges.rush": {"kind": "multiplier", "class": "chat", "start": "2024-03-04T06:00",
                             "end": "2024-03-04T09:00", "factor": 2.0}}
    run = simulated(tmp_path, NIGHT, changes=surge)
    add_up(run)
    lent = lent_by_step(run, "chat")
    assert (lent[72], lent[73]) == (LENT, 456)  # what no job holds comes at once
    assert max(lent[74 : 9 * 12]) == 160
    assert set(lent[80 : 9 * 12]) == {160}  # a pool with a backlog lends nothing, and then again
    assert lent[9 * 12 + 2] == LENT
    assert run.summary["figures"]["fleets.azure.slowest_reclaim_s"] == 300
    preempted, lost = run.query("select sum(preemptions) as n, sum(lost_gpu_hours) as lost "
                                "from fact_training_job").to_pylist()[0].values()
    assert preempted >= 300 // 8
    assert lost == 0.0  # 30 s suffice for a checkpoint


@pytest.mark.parametrize(("delay_s", "write_s", "loses"),
                         [(300, 200, False), (300, 400, True), (0, 30, True)])
def test_work_is_lost_where_the_delay_is_shorter_than_a_checkpoint(
        tmp_path: Path, delay_s: int, write_s: int, loses: bool) -> None:
    changes = {"policies.lend.reclaim_delay_s": delay_s, "job_streams.work.checkpoint.write_s": write_s,
               "surges.rush": {"kind": "multiplier", "class": "chat", "start": "2024-03-04T06:00",
                               "factor": 2.0}}
    run = simulated(tmp_path, NIGHT, changes=changes)
    add_up(run)
    assert (run.query("select sum(lost_gpu_hours) as lost from fact_training_job").to_pylist()[0]["lost"]
            > 0) is loses
    assert run.summary["figures"]["fleets.azure.slowest_reclaim_s"] == (300 if delay_s else 0)


def test_what_is_called_off_was_never_handed_over(tmp_path: Path) -> None:
    """Five minutes of rush, called in with 15 minutes to save: it is over before any job has left."""
    run = simulated(tmp_path, NIGHT, changes={
        "policies.lend.reclaim_delay_s": 900, "job_streams.work.checkpoint.write_s": 1_000,
        "surges.rush": {"kind": "multiplier", "class": "chat", "start": "2024-03-04T06:00",
                        "end": "2024-03-04T06:05", "factor": 1.15}})
    add_up(run)
    found = run.query("select kind::varchar as kind, count(*) as n from fact_event "
                      "where kind in ('called_in', 'handed_over') group by 1").to_pylist()
    assert found == [{"kind": "called_in", "n": 1}]


@pytest.mark.parametrize("share", [1.0, 0.7, 0.3])
def test_an_outage_takes_what_is_lent_as_well(tmp_path: Path, share: float) -> None:
    """No pool lends more than it has, in any step, and jobs have no more than is lent."""
    outage = {"fleets.azure.outages": {"power": {"start": "2024-03-04T06:02", "end": "2024-03-04T09:03",
                                                 "share_frac": share}}}
    run = simulated(tmp_path, NIGHT, changes=outage)
    add_up(run)
    lent = lent_by_step(run, "chat")
    there = round(800 * (1 - share))
    assert max(lent[73:109]) <= there
    assert lent[-1] == LENT
    if share == 1.0:
        held = [row for row in states(run) if row["hour"].hour == 7]
        assert held[0]["borrowed"] == held[0]["allocated"] == 0.0


def test_gpus_that_are_handed_back_are_lent_no_longer(tmp_path: Path) -> None:
    tranches = [{"date": "2024-03-04", "gpus": 300},
                {"date": "2024-03-04", "gpus": 700, "end": "2024-03-04T12:01"}]
    run = simulated(tmp_path, NIGHT, changes={"fleets.azure.tranches": tranches})
    add_up(run)
    assert lent_by_step(run, "chat")[-1] == 0  # 240 of the 300 are chat's, and it needs 300


def test_training_yields_gpus_in_an_emergency(emergency: fs.Run) -> None:
    """240 GPU-s a second at 0.92 need 261 of which 100 are there; half of the lab's healthy ones at most."""
    add_up(emergency)
    lent = lent_by_step(emergency, "training", "lab")
    assert set(lent[: 30 * 12]) == {0}
    during = lent[30 * 12 + 5 : 36 * 12]
    assert min(during) > 0.9 * (240 / 0.92 - 100)
    assert lent[36 * 12 + 2 :] == [0] * len(lent[36 * 12 + 2 :])
    assert emergency.summary["figures"]["fleets.lab.slowest_reclaim_s"] <= 600
    jobs = emergency.query("select sum(preemptions) as n from fact_training_job").to_pylist()[0]
    assert jobs["n"] >= 10
    assert emergency.summary["figures"]["pools.chat.stock_out_hours"] == 1  # the hour in which it began


def test_a_training_fleet_without_jobs_lends_at_once(tmp_path: Path) -> None:
    run = simulated(tmp_path, YIELDING, changes={
        "training_jobs.run": None, "job_streams.work": None, "policies.first": None})
    lent = lent_by_step(run, "training", "lab")
    assert set(lent[: 30 * 12]) == {0}
    assert min(lent[30 * 12 + 1 : 36 * 12]) > 100


def test_deliveries_that_leave_call_loans_back(tmp_path: Path) -> None:
    tranches = [{"date": "2024-03-04", "gpus": 100},
                {"date": "2024-03-04", "gpus": 300, "end": "2024-03-05T08:00"}]
    run = simulated(tmp_path, YIELDING, changes={"fleets.lab.tranches": tranches,
                                                "training_jobs.run": None})
    add_up(run)
    lent = lent_by_step(run, "training", "lab")
    assert max(lent[30 * 12 + 5 : 32 * 12]) > 100
    assert max(lent[32 * 12 :]) <= 100


@pytest.mark.parametrize("seed", range(6))
def test_random_nights_add_up(tmp_path: Path, seed: int) -> None:
    """Noise, failures, outages, two lenders and fair shares together."""
    changes = {
        "fleets.azure.node_mtbf_h": 300, "fleets.azure.repair_h": 6,
        "fleets.azure.outages": {"power": {"start": "2024-03-04T10:31", "end": "2024-03-04T13:17",
                                           "share_frac": 0.2 + 0.15 * seed}},
        "traffic.chat.noise_cv_frac": 0.3, "traffic.chat.shape": {"kind": "consumer", "peak_to_mean": 1.6},
        "traffic.api.noise_cv_frac": 0.2,
        "job_streams.work.software_mtbf_h": 50, "job_streams.work.checkpoint.write_s": 240,
        "job_streams.work.teams": {"one": 1, "two": 2},
        "policies.lend.headroom_frac": 0.02, "policies.lend.reclaim_delay_s": 200 * seed,
        "policies.more": {"kind": "borrow", "pool": "training", "from": "api", "reclaim_delay_s": 400},
        "policies.share": {"kind": "fair_share", "fleet": "azure", "share": {"one": 1, "two": 1}},
    }
    run = simulated(tmp_path, NIGHT, changes=changes, seed=seed)
    add_up(run)
    jobs = run.query("select outcome::varchar as outcome, count(*) as n from fact_training_job group by 1"
                     ).to_pylist()
    submitted = run.query("select count(*) as n from fact_event where kind = 'job_submitted'").to_pylist()
    assert sum(row["n"] for row in jobs) == submitted[0]["n"]
    over = run.query("select count(*) as n from series_step_capacity where lent_gpus > healthy_gpus "
                     "and pool in ('chat', 'api')").to_pylist()
    assert over == [{"n": 0}]


def test_a_warm_up_may_go_beyond_the_first_month(tmp_path: Path) -> None:
    changes = {"horizon.start": "2024-02-28", "horizon.end": "2024-03-06", "horizon.warmup_days": 3}
    run = simulated(tmp_path, NIGHT, changes=changes | {
        "fleets.azure.tranches": [{"date": "2024-01-01", "gpus": 1_000}]})
    add_up(run)
    paid = run.query("select sum(effective_usd) as usd from fact_cost_allocation_hourly "
                     "where traffic_class = 'training'").to_pylist()[0]["usd"]
    jobs = run.query("select sum(effective_usd) as usd from fact_training_job").to_pylist()[0]["usd"]
    assert float(jobs) == pytest.approx(float(paid), abs=0.001)
    assert float(jobs) > 0.9 * 4 * 24 * LENT * 1.30


def test_jobs_that_fit_into_nothing_that_is_lent_change_nothing(tmp_path: Path) -> None:
    """460 GPUs of chat and 90 of api: jobs of 500 need both, those of 600 get none of them."""
    both = {"policies.more": {"kind": "borrow", "pool": "training", "from": "api"}}
    sizes = {gpus: simulated(tmp_path, NIGHT, changes=both | {
        "job_streams.work.gpus": {"median": gpus, "p90": gpus}}) for gpus in (500, 600)}
    assert set(lent_by_step(sizes[600], "chat")) == {0}
    assert sizes[600].summary["figures"]["cost.unused_usd"] == 0.0
    assert set(lent_by_step(sizes[500], "chat")[12:]) == {LENT}
    assert sizes[500].summary["figures"]["fleets.azure.gained_gpu_hours"] > 0.9 * 500 * 23


@pytest.mark.parametrize("delay_s", [300, 900])
def test_a_pool_has_gpus_back_from_jobs_before_it_lends_them_to_another(tmp_path: Path, delay_s: int) -> None:
    """Api asks at 08:05; of chat's 800 GPUs 600 are at work, 160 are with jobs until the delay is over."""
    text = NIGHT.replace("policies:\n", "policies:\n  first: {kind: borrow, pool: api, from: chat}\n")
    run = simulated(tmp_path, text, changes={
        "policies.lend.reclaim_delay_s": delay_s, "job_streams.work.checkpoint.write_s": 1_000,
        "surges.rush": {"kind": "multiplier", "class": "chat", "start": "2024-03-04T06:00", "factor": 2.0},
        "surges.api": {"kind": "multiplier", "class": "api", "start": "2024-03-04T08:00", "factor": 4.0}})
    add_up(run)
    api = [int(row["n"]) for row in run.query(
        "select borrowed_gpus as n from series_step_capacity where pool = 'api' order by time").to_pylist()]
    there = 97 + delay_s // 300
    assert set(api[:there]) == {0}
    assert set(api[there:]) == {160}
    assert max(lent_by_step(run, "chat")[85:]) == 160  # or chat itself would run short


def test_the_delay_is_that_of_the_pool_that_calls_gpus_in(tmp_path: Path) -> None:
    run = simulated(tmp_path, NIGHT, changes={
        "policies.more": {"kind": "borrow", "pool": "training", "from": "api", "reclaim_delay_s": 0},
        "surges.rush": {"kind": "multiplier", "class": "chat", "start": "2024-03-04T06:00", "factor": 2.0}})
    add_up(run)
    assert run.summary["figures"]["fleets.azure.slowest_reclaim_s"] == 300
    lost = run.query("select sum(lost_gpu_hours) as lost from fact_training_job").to_pylist()
    assert lost == [{"lost": 0.0}]


def test_a_pool_whose_traffic_begins_has_its_gpus_back_before(tmp_path: Path) -> None:
    text = NIGHT.replace("end: 2024-03-05", "end: 2024-03-06").replace("traffic:\n", (
        "curves:\n  all: {2024-03-04: 23_846_400}\ntraffic:\n")).replace(
        "messages_per_day: 23_846_400",
        "messages_per_day: {curve: all, share_frac: {2024-03-04: 0, 2024-03-05: 1.0}}")
    run = simulated(tmp_path, text)
    lent = lent_by_step(run, "chat")
    assert max(lent[:280]) == 760
    assert lent[288] == 0  # one tick later its traffic is seen
    assert lent[300] == LENT
    assert run.summary["figures"]["traffic.chat.wait_mean_s"] == 0.0


def test_nothing_is_decided_at_the_end_of_the_horizon(tmp_path: Path,
                                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no step left to foresee."""
    asked: list[int] = []
    growth = Forecast.growth

    def noted(self: Forecast, since: int, now: int, until: int) -> dict[str, float]:
        asked.append(now)
        return growth(self, since, now, until)

    monkeypatch.setattr(Forecast, "growth", noted)
    simulated(tmp_path, NIGHT)
    assert asked == list(range(1, 288))


REQUESTS = """
fidelity:
  windows: [{start: 2024-03-04T05:00, end: 2024-03-04T07:00, pools: [chat]}]
"""


def test_requests_that_wait_a_moment_in_a_window_are_no_backlog(tmp_path: Path) -> None:
    """Of 24 GPUs two thirds are idle; one request or two of 0.3 GPU-seconds wait at many ticks."""
    law = """
    step_law:
      gpus: {a100-80gb: {step_ms: 32.25, prefill_us_per_token: 114, decode_us_per_sequence: 260,
                         kv_ns_per_token: 49, kv_tokens: 176_750, prefill_limit_tokens: 128_000}}
      source: D, a test
      grade: D
    batching: {max_batch: 64}
    gpus_per_replica: 1
"""
    text = NIGHT + REQUESTS
    for old, new in ((" {gpu_s_per_call: 1.0}\n", law),
                     ("prompt_tokens: {mean: 1}", "prompt_tokens: {mean: 500}"),
                     ("output_tokens: {mean: 1}", "output_tokens: {mean: 300}"), ("gpus: 1_000", "gpus: 32"),
                     ("gpus: 800", "gpus: 24"), ("gpus: 200", "gpus: 8"), ("23_846_400", "1_800_000"),
                     ("7_948_800", "200_000"), ("{median: 8, p90: 8}", "{median: 2, p90: 4}")):
        assert old in text
        text = text.replace(old, new)
    run = simulated(tmp_path, text)
    add_up(run)
    waited = run.query("select sum(waiting_message_s) as s from fact_traffic_hourly where pool = 'chat'")
    assert waited.to_pylist()[0]["s"] > 1_000
    assert set(lent_by_step(run, "chat")[60:84]) == {16}


def test_figures_of_all_of_a_fleet_are_of_training_fleets_alone(night: fs.Run) -> None:
    assert night.figure("fleets.azure.gained_gpu_hours") > 0.9 * 23 * LENT
    assert night.figure("fleets.azure.productive_frac") is None
    assert night.figure("fleets.azure.usd_per_productive_gpu_hour") is None
