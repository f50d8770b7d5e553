"""Jobs of a trace on a fleet: schedules by hand, failures, conservation, M/M/c, and what cannot be."""

import math
from dataclasses import replace

import numpy as np
import pytest

from fleetsim.errors import UsageError
from fleetsim.experiments.job_statistics import describe_jobs
from fleetsim.experiments.replay_jobs import Fleet, JobReplay, Schedule, replay_jobs
from fleetsim.spec.trace.jobs.canonical import JobTrace, Names

Row = tuple[float, int, float] | tuple[float, int, float, str, int, float]
HOUR = 3_600.0


def jobs_of(*rows: Row, start: str | None = None) -> JobTrace:
    """Jobs as (submission in s, GPUs, run time in s, and team, priority, recorded wait in s where given)."""
    full = [(*row, "t", -1, math.nan) if len(row) == 3 else row for row in rows]
    teams = tuple(dict.fromkeys(row[3] for row in full))
    one = Names(("done",), np.zeros(len(full), np.int32))
    return JobTrace(
        tuple(f"j{place}" for place in range(len(full))),
        np.array([round(row[0] * 1e9) for row in full], np.int64),
        np.array([row[1] for row in full], np.int64),
        np.ones(len(full)), np.array([row[2] for row in full], np.float64),
        np.array([row[5] for row in full], np.float64), one,
        Names(teams, np.array([teams.index(row[3]) for row in full], np.int32)), one,
        np.full(len(full), -1, np.int64), np.array([row[4] for row in full], np.int64), {"start": start})


def waits(found: JobReplay) -> dict[str, float]:
    """Mean wait by size."""
    return {each.name: each.wait.mean_s for each in found.sizes if each.wait is not None}


IN_LINE = jobs_of((0, 6, 100), (1, 8, 50), (2, 2, 90), (3, 1, 200))
"""On 8 GPUs: the second job waits for the first; the third fits beside the first, and ends before it."""


@pytest.mark.parametrize(("schedule", "expected"), [
    ("fifo", {"8": 99.0, "2-7": (0 + 148) / 2, "1": 147.0}),
    ("backfill", {"8": 99.0, "2-7": 0.0, "1": 147.0}),
])
def test_who_passes_whom(schedule: Schedule, expected: dict[str, float]) -> None:
    """The fourth job would delay the second: it passes under neither schedule."""
    found = replay_jobs(IN_LINE, Fleet(gpus=8), schedule=schedule)
    assert {name: wait for name, wait in waits(found).items() if name != "all"} == expected
    assert (found.done, found.running, found.queued) == (4, 0, 0)


def test_the_important_goes_first_and_preempts() -> None:
    trace = jobs_of((0, 8, 100, "a", 1, 5.0), (10, 4, 40, "b", 0, 7.0))
    found = replay_jobs(trace, Fleet(gpus=8, restart_s=30), schedule="priority")
    assert (found.sizes[0].preemptions, waits(found)["2-7"]) == (1, 0.0)
    # The first goes on at 50 s, starts for 30 s, and loses nothing: 8 GPUs for 100 s, and 4 for 40 s.
    assert found.gpu_hours["productive"] == pytest.approx((800 + 160) / HOUR)
    assert found.gpu_hours["restarting"] == pytest.approx(8 * 30 / HOUR)
    recorded = found.sizes[0].recorded_wait
    assert recorded is not None
    assert (recorded.jobs, recorded.mean_s, recorded.p50_s, recorded.p99_s) == (2, 6.0, 5.0, 7.0)


def test_the_team_that_used_least_goes_first() -> None:
    trace = jobs_of((0, 8, 100, "a", -1, 0), (1, 8, 100, "a", -1, 0), (2, 4, 10, "b", -1, 0))
    assert waits(replay_jobs(trace, Fleet(gpus=8)))["2-7"] == 198
    assert waits(replay_jobs(trace, Fleet(gpus=8), schedule="fair_share"))["2-7"] == 98


def test_jobs_that_do_not_fit_are_left_out() -> None:
    trace = jobs_of((0, 9, 100), (0, 8, 100))
    found = replay_jobs(trace, Fleet(gpus=9, spare_gpus=1, node_gpus=1))
    assert (found.jobs, found.too_large, found.done, [each.name for each in found.sizes]) == (
        2, 1, 1, ["all", "8"])
    with pytest.raises(UsageError, match="no job fits: the smallest asks for 8 GPUs, and the fleet has 7"):
        replay_jobs(trace, Fleet(gpus=7))


def test_shares_of_time() -> None:
    """Two hours of submissions on 4 GPUs: 3 of them for 1 h, then 4 for 1 h 30 min, up to 3 h 30 min."""
    found = replay_jobs(jobs_of((0, 3, HOUR), (2 * HOUR, 4, 1.5 * HOUR)), Fleet(gpus=4, node_gpus=4))
    assert (found.span_s, found.arrival_span_s) == (4 * HOUR, 2 * HOUR)
    assert found.arrival_held_frac == pytest.approx(3 / 8)
    assert found.held_frac == found.productive_frac == pytest.approx((3 + 6) / 16)
    assert found.gpu_hours == {"productive": pytest.approx(9), "idle": pytest.approx(7)}


def erlang_c(servers: int, load: float) -> float:
    """The chance to wait in M/M/c at an offered load in servers (Erlang 1917), from Erlang B."""
    blocked = 1.0
    for each in range(1, servers + 1):
        blocked = load * blocked / (each + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


def random_trace(count: int, seed: int) -> JobTrace:
    draw = np.random.default_rng(seed)
    at = np.cumsum(draw.exponential(600, count))
    rows = zip(at - at[0], draw.choice([1, 3, 8, 24], count), draw.exponential(3_000, count),
               draw.choice(["a", "b", "c"], count), draw.integers(0, 3, count), draw.exponential(9, count),
               strict=True)
    return jobs_of(*((float(s), int(g), float(d) + 0.001, str(t), int(p), float(w))
                     for s, g, d, t, p, w in rows))


@pytest.mark.parametrize("schedule", ["fifo", "priority", "backfill", "fair_share"])
@pytest.mark.parametrize("seed", range(3))
def test_gpu_hours_add_up_and_all_work_is_done(schedule: Schedule, seed: int) -> None:
    trace = random_trace(300, seed)
    fleet = Fleet(gpus=40, spare_gpus=8, node_mtbf_h=100, repair_h=5, checkpoint_interval_s=900,
                  checkpoint_write_s=20, restart_s=120)
    found = replay_jobs(trace, fleet, schedule=schedule, seed=seed)
    assert (found.done, found.node_failures > 0) == (300, True)
    assert sum(found.gpu_hours.values()) == pytest.approx(40 * found.span_s / HOUR, rel=1e-9)
    assert found.gpu_hours["productive"] == pytest.approx(trace.gpu_hours.sum(), rel=1e-9)
    assert sum(each.jobs for each in found.sizes[1:]) == found.sizes[0].jobs == 300
    again = replay_jobs(trace, fleet, schedule=schedule, seed=seed)
    assert replace(again, kernel_cpu_s=0.0) == replace(found, kernel_cpu_s=0.0)


def test_checkpoints_save_work() -> None:
    """A node in 100 h, a job of 4 nodes for 50 h: without checkpoints it starts over and over."""
    trace, fleet = jobs_of((0, 32, 50 * HOUR)), Fleet(gpus=40, node_mtbf_h=100, repair_h=1, spare_gpus=8)
    lost = replay_jobs(trace, fleet).gpu_hours["lost"]
    saved = replay_jobs(trace, replace(fleet, checkpoint_interval_s=HOUR))
    assert saved.sizes[0].failures > 0
    assert saved.gpu_hours["lost"] <= saved.sizes[0].failures * 32
    assert lost > 10 * saved.gpu_hours["lost"]


def test_a_replay_that_does_not_end_is_cut_short() -> None:
    trace = jobs_of((0, 8, 100 * HOUR), (60, 8, HOUR))
    found = replay_jobs(trace, Fleet(gpus=8), longest_days=1)
    assert (found.done, found.running, found.queued) == (0, 1, 1)
    assert found.held_frac == pytest.approx(1.0)
    assert found.gpu_hours == {"productive": pytest.approx(8 * found.span_s / HOUR)}
    assert found.arrival_held_frac is None


def test_waits_of_single_gpu_jobs_are_those_of_erlang_c() -> None:
    """Poisson arrivals, exponential run times, 10 GPUs, load 0.8: the mean wait within 3 standard errors."""
    servers, mean_s, load = 10, 600.0, 0.8
    expected = erlang_c(servers, servers * load) * mean_s / (servers * (1 - load))
    means = []
    for seed in range(30):
        draw = np.random.default_rng(seed)
        at = np.cumsum(draw.exponential(mean_s / (servers * load), 20_000))
        rows = zip((at - at[0]).tolist(), draw.exponential(mean_s, at.size).tolist(), strict=True)
        found = replay_jobs(jobs_of(*((s, 1, d + 1e-6) for s, d in rows)), Fleet(gpus=servers, node_gpus=1))
        means.append(waits(found)["all"])
    error = np.std(means, ddof=1) / math.sqrt(len(means))
    assert error <= 0.03 * expected
    assert abs(np.mean(means) - expected) <= 3 * error


@pytest.mark.parametrize(("fleet", "options", "words"), [
    (Fleet(gpus=0), {}, "1 to 10,000,000 GPUs, not 0"),
    (Fleet(gpus=8, node_gpus=9, node_mtbf_h=100), {}, "a node that fails has 1 to 8 GPUs"),
    (Fleet(gpus=8, node_gpus=0), {}, "a node that fails has 1 to 8 GPUs"),
    (Fleet(gpus=8, spare_gpus=8), {}, "0 to 7 GPUs can be spares"),
    (Fleet(gpus=8, node_mtbf_h=0), {}, "MTBF of a node, hours: 0.001 to"),
    (Fleet(gpus=8, repair_h=math.nan), {}, "repair, hours: 0 to"),
    (Fleet(gpus=8, checkpoint_write_s=5), {}, "without an interval"),
    (Fleet(gpus=8), {"longest_days": 0}, "--longest-days 0: a replay goes on for more than 0 days"),
    (Fleet(gpus=8), {"longest_days": 40_000}, "more than the 100 years"),
    (Fleet(gpus=8), {"schedule": "priority"}, "have no priority"),
    (Fleet(gpus=8), {"schedule": "fair_share"}, "all jobs are of one team"),
    (Fleet(gpus=8), {"schedule": "fifoo"}, "did you mean 'fifo'?"),
])
def test_what_cannot_be(fleet: Fleet, options: dict[str, object], words: str) -> None:
    with pytest.raises(UsageError) as caught:
        replay_jobs(IN_LINE, fleet, **options)
    assert words in str(caught.value)


def test_the_figures_of_a_trace() -> None:
    trace = jobs_of((0, 1, HOUR, "a", -1, 10), (HOUR, 16, 2 * HOUR, "b", -1, 30),
                    (26 * HOUR, 1, 3 * HOUR, "a", -1, math.nan), start="2024-05-10T23:30:00.000000000Z")
    found = describe_jobs(replace(trace, gpu_frac=np.array([0.5, 1.0, 1.0])))
    assert (found.jobs, found.gpu_hours, found.asked_gpu_hours, found.span_s) == (3, 36, 35.5, 26 * HOUR)
    assert found.mean_gpus == pytest.approx(36 / 26)
    assert (found.gpus.p50, found.gpus.p90, found.gpus.mean) == (1, 16, 6)
    assert found.queue_s is not None
    assert (found.queue_s.jobs, found.queue_s.mean) == (2, 20)
    assert [(part.name, part.jobs, part.gpu_hours) for part in found.teams] == [("b", 1, 32), ("a", 2, 4)]
    assert [(part.name, part.jobs) for part in found.sizes] == [("1", 2), ("9-63", 1)]
    assert sum(part.gpu_hours_frac for part in found.teams) == pytest.approx(1)
    assert [(day.day, day.jobs, day.gpu_hours) for day in found.days] == [
        ("2024-05-10", 1, 1), ("2024-05-11", 1, 32), ("2024-05-12", 1, 3)]
    numbered = describe_jobs(jobs_of((0, 1, HOUR), (26 * HOUR, 1, HOUR)))
    assert [day.day for day in numbered.days] == ["1", "2"]
    assert numbered.queue_s is None
