"""Training fleets against queueing theory: Erlang C, preemptive priority, machine repair, Little's law.

Every mean is taken over independent replications and is within 3 standard errors of its closed form.
"""

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest

from fleetsim.engine.training_pool import Terms, TrainingPool, gangs
from fleetsim.kernel.arrays import Array
from fleetsim.kernel.training.arrays import (
    DOWN,
    NODE_FAILED,
    PREEMPTED,
    PRIORITY,
    RESTARTED,
    STARTED,
    SUBMITTED,
)
from fleetsim.timebase import HOUR_NS

K = 3.0
RUNS = 40


def within(values: Sequence[float] | Array, expected: float, error_frac: float) -> bool:
    """Whether the mean of replications is within K of its standard errors, which are a small part of it."""
    found = np.asarray(values, dtype=np.float64)
    error = found.std(ddof=1) / math.sqrt(len(found))
    assert error <= error_frac * expected
    return bool(abs(found.mean() - expected) <= K * error)


def poisson_jobs(per_h: float, mean_h: float, count: int, seed: int, **columns: object) -> Array:
    """Jobs of one GPU and exponential work, that arrive at random."""
    numbers = np.random.default_rng(seed)
    submit_ns = np.cumsum(numbers.exponential(HOUR_NS / per_h, count)).astype(np.int64)
    work_ns = 1 + numbers.exponential(mean_h * HOUR_NS, count).astype(np.int64)
    return gangs(count, **{"submit_ns": submit_ns, "work_ns": work_ns, "gpus": 1, **columns})


def run_out(jobs: Array, terms: Terms, gpus: int) -> TrainingPool:
    """Until all jobs are done."""
    hours = int(jobs["submit_ns"][-1] // HOUR_NS + jobs["work_ns"].sum() / gpus // HOUR_NS) + 1_000
    pool = TrainingPool(jobs, terms, gpus=gpus, hours=hours)
    pool.advance(hours * HOUR_NS - 1)
    assert (pool.jobs["ended_ns"] > 0).all()
    return pool


def erlang_c(servers: int, load: float) -> float:
    """The chance that an arrival waits; `load` in servers."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked / (1 - load / servers * (1 - blocked))


@pytest.mark.parametrize(("gpus", "busy_frac"), [(1, 0.6), (4, 0.8), (20, 0.85), (100, 0.9)])
def test_jobs_of_one_gpu_wait_as_erlang_says(gpus: int, busy_frac: float) -> None:
    """M/M/c. The first fifth of the jobs finds a fleet that is not busy yet, and does not count."""
    waits, delayed, jobs = [], [], max(10_000, 1_000 * gpus)
    for seed in range(RUNS):
        pool = run_out(poisson_jobs(busy_frac * gpus, 1.0, jobs, seed), Terms(), gpus)
        wait_ns = (pool.jobs["started_ns"] - pool.jobs["submit_ns"])[jobs // 5 :]
        assert (pool.jobs["queued_ns"][jobs // 5 :] == wait_ns).all()
        waits.append(wait_ns.mean() / HOUR_NS)
        delayed.append((wait_ns > 0).mean())
    chance = erlang_c(gpus, busy_frac * gpus)
    assert within(delayed, chance, 0.02)
    assert within(waits, chance / (gpus * (1 - busy_frac)), 0.05)


def test_preemptive_priority_is_as_cobham_says_with_resumption() -> None:
    """M/M/1 of three classes, work resumed: Conway, Maxwell, Miller, Theory of Scheduling, 1967, ch. 8.

    Time in the system of class k = (m_k + R_k / (1 - s_k)) / (1 - s_(k-1)), with mean work m, s the load
    of the classes up to k, R_k the sum of load x mean work over them (exponential work).
    """
    rates, means_h = np.array([0.2, 0.3, 0.1]), np.array([0.5, 1.0, 2.0])
    times: list[list[float]] = [[], [], []]
    preemptions = 0
    for seed in range(RUNS):
        numbers = np.random.default_rng(10_000 + seed)
        class_ = numbers.choice(3, 20_000, p=rates / rates.sum())
        jobs = poisson_jobs(rates.sum(), 1.0, 20_000, seed, priority=class_)
        jobs["work_ns"] = jobs["interval_ns"] = 1 + jobs["work_ns"] * means_h[class_]
        pool = run_out(jobs, Terms(order=PRIORITY, preempt=True), 1)
        assert (pool.state.hours[:, 1:5] == 0).all()  # it costs nothing, and no work is lost
        preemptions += int(pool.jobs["preemptions"].sum())
        for k in range(3):
            mine = np.flatnonzero(class_ == k)[400:]
            times[k].append((pool.jobs["ended_ns"] - pool.jobs["submit_ns"])[mine].mean() / HOUR_NS)
    assert preemptions > 1_000 * RUNS
    loads = rates * means_h
    for k in range(3):
        upto, before, rest_h = loads[: k + 1].sum(), loads[:k].sum(), (loads * means_h)[: k + 1].sum()
        assert within(times[k], (means_h[k] + rest_h / (1 - upto)) / (1 - before), 0.03), k


def nodes_down(nodes: int, crews: int, mtbf_h: float, repair_h: float) -> float:
    """Mean number of machines down with so many repairers: a birth and death process."""
    weights = [1.0]
    for down in range(1, nodes + 1):
        weights.append(weights[-1] * (nodes - down + 1) / mtbf_h / (min(down, crews) / repair_h))
    return sum(down * weight for down, weight in enumerate(weights)) / sum(weights)


@pytest.mark.parametrize(("crews", "with_jobs"), list(itertools.product((1, 2, 5, None), (False, True))))
def test_nodes_that_wait_for_a_crew(crews: int | None, with_jobs: bool) -> None:
    """Machine repair, whatever jobs do meanwhile: mean nodes down, and failures per hour."""
    nodes, mtbf_h, repair_h, hours, warm = 16, 50.0, 6.0, 6_000, 500
    terms = Terms(node_mtbf_h=mtbf_h, repair_h=repair_h, crews=crews, spare_gpus=16)
    minute_ns = HOUR_NS // 60
    jobs = gangs(8, work_ns=hours * HOUR_NS, gpus=16, interval_ns=HOUR_NS, write_ns=minute_ns,
                 detect_ns=minute_ns, restart_ns=5 * minute_ns, waits=[0, 1] * 4)[: 8 * with_jobs]
    down, failures = [], []
    for seed in range(RUNS):
        pool = TrainingPool(jobs, terms, gpus=8 * nodes, hours=hours, seed=seed)
        pool.advance(hours * HOUR_NS)
        down.append(pool.state.hours[warm:, DOWN].sum() / (hours - warm) / HOUR_NS / 8)
        log = np.concatenate(pool.events)
        failures.append(((log["kind"] == NODE_FAILED) & (log["time_ns"] >= warm * HOUR_NS)).sum()
                        / (hours - warm))
    expected = nodes_down(nodes, crews or nodes, mtbf_h, repair_h)
    assert within(down, expected, 0.02)
    assert within(failures, (nodes - expected) / mtbf_h, 0.02)


@pytest.mark.parametrize("gpus", [64, 1_024, 16_384])
def test_time_to_failure_of_a_job_falls_with_its_nodes(gpus: int) -> None:
    """MTTF = 1/(N r) at the rate of RSC-1, also of a job that shares its fleet; gaps are exponential."""
    nodes, per_node_day = gpus // 8, 6.50e-3
    mttf_h = 24 / (nodes * per_node_day)
    hours = math.ceil(150 * mttf_h)
    jobs = gangs(1, work_ns=hours * HOUR_NS, gpus=gpus, waits=1)
    terms = Terms(node_mtbf_h=24 / per_node_day, repair_h=0.0, spare_gpus=8)
    found, squares = [], []
    for seed in range(RUNS):
        pool = TrainingPool(jobs, terms, gpus=2 * gpus + 8, hours=hours, seed=seed)
        pool.advance(hours * HOUR_NS)
        log = np.concatenate(pool.events)
        struck_ns = log["time_ns"][(log["kind"] == NODE_FAILED) & (log["job"] == 0)]
        assert len(struck_ns) == pool.jobs["failures"][0] > 90
        gaps_h = np.diff(struck_ns) / HOUR_NS
        found.append(pool.jobs["failures"][0] / hours)
        squares.append((gaps_h**2).mean())
    assert within(found, 1 / mttf_h, 0.02)
    assert within(squares, 2 * mttf_h**2, 0.05)


def waiting_gpu_ns(log: Array) -> int:
    """The integral of the number of jobs in the queue, from what happened."""
    steps, first = {SUBMITTED: 1, STARTED: -1, PREEMPTED: 1}, set[int]()
    waiting, since_ns, total = 0, 0, 0
    for time_ns, kind, job, _, _ in log.tolist():
        total += waiting * (time_ns - since_ns)
        since_ns = time_ns
        waiting += steps.get(kind, 0)
        if kind == PREEMPTED:
            first.add(job)
        elif kind == RESTARTED and job in first:
            first.remove(job)
            waiting -= 1
    assert waiting == 0
    return total


def test_littles_law() -> None:
    """The queue's integral is the sum of the waits, to the ns; its mean is rate x mean wait."""
    per_h, lengths = 3.2, []
    for seed in range(RUNS):
        jobs = poisson_jobs(per_h, 1.0, 4_000, seed, priority=np.arange(4_000) % 3)
        pool = run_out(jobs, Terms(order=PRIORITY, preempt=True), 4)
        integral = waiting_gpu_ns(np.concatenate(pool.events))
        assert pool.jobs["preemptions"].sum() > 0
        assert integral == pool.jobs["queued_ns"].sum()
        lengths.append(integral / jobs["submit_ns"][-1])
    # Work is exponential, so that who waits does not change how many do: M/M/4.
    assert within(lengths, per_h * erlang_c(4, per_h) / (4 - per_h), 0.05)
