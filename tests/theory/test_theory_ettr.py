"""Effective training time as Meta publishes it: formulas, and fleets of that size in the kernel.

The RSC rates are per 1,000 node-days (arXiv:2410.21680); Llama 3's is 419 interruptions in 54 days of 2,048
nodes (arXiv:2407.21783). Small jobs fail far more often than these rates say: not for want of nodes.
"""

import math

import numpy as np
import pytest

from fleetsim.engine.training_pool import Terms, TrainingPool, gangs
from fleetsim.model.checkpoint import exact_ettr, first_order_ettr, young_interval

RSC_1, RSC_2, LLAMA_3 = 6.50, 2.34, 419 / (54 * 2.048)
MINUTE_NS = 60 * 10**9
FAILURES = 2_000
ROWS = [
    # nodes, rate per 1,000 node-days, w, R and tau in minutes, exact, first order
    (2_048, LLAMA_3, 10 / 60, 5, 7.75, 0.933, 0.932),
    (2_048, LLAMA_3, 10 / 60, 10, 7.75, 0.908, 0.906),
    (2_048, LLAMA_3, 1, 5, 18.6, 0.876, 0.876),
    (2_048, LLAMA_3, 5, 5, 39.8, 0.765, 0.768),
    (2_048, RSC_1, 0, 5, 5, 0.933, 0.931),
    (2_048, RSC_1, 0, 5, 60, 0.714, 0.676),
    (256, RSC_1, 0, 5, 60, 0.960, 0.960),
    (512, RSC_1, 0, 5, 60, 0.922, 0.919),
    (1_500, RSC_1, 10 / 60, 5, 7.0, 0.922, 0.921),
    (12_500, RSC_2, 0, 2, 2, 0.941, 0.939),
]


def mtbf_min(nodes: int, rate: float) -> float:
    """Mean time between failures of a job on so many nodes, minutes."""
    return 1_000 * 1_440 / (nodes * rate)


@pytest.mark.parametrize(("nodes", "rate", "w", "restart", "tau", "exact", "first_order"), ROWS)
def test_the_ettr_of_a_gang_of_that_size(nodes: int, rate: float, w: float, restart: float, tau: float,
                                         exact: float, first_order: float) -> None:
    """The formulas give the tabulated values, and the gang the exact one within 3 standard errors.

    The first-order formula is taken at its own best interval, sqrt(2 w M), where a write takes time.
    """
    mtbf = mtbf_min(nodes, rate)
    expected = exact_ettr(tau, w, mtbf, restart)
    assert expected == pytest.approx(exact, abs=0.0006)
    own = young_interval(w, mtbf) if w > 0 else tau
    assert first_order_ettr(own, w, mtbf, restart) == pytest.approx(first_order, abs=0.0006)
    intervals = math.ceil(400 * mtbf / tau)  # some four hundred failures
    interval_ns = round(tau * MINUTE_NS)
    jobs = gangs(1, work_ns=intervals * interval_ns, gpus=8 * nodes, interval_ns=interval_ns,
                 write_ns=round(w * MINUTE_NS), restart_ns=restart * MINUTE_NS, waits=1)
    terms = Terms(node_mtbf_h=24_000 / rate, repair_h=0.0, spare_gpus=8)
    hours = int(2 * intervals * tau / expected / 60)
    times = []
    for seed in range(30):
        pool = TrainingPool(jobs, terms, gpus=8 * nodes + 8, hours=hours, seed=seed)
        pool.advance(hours * 60 * MINUTE_NS - 1)
        assert pool.jobs["ended_ns"][0] > 0
        times.append(float(pool.jobs["ended_ns"][0]))
    error = np.std(times, ddof=1) / math.sqrt(len(times))
    ettr = intervals * interval_ns / np.mean(times)
    print(f"ETTR {8 * nodes:>7,} GPUs, {rate:.2f} failures, w {60 * w:3.0f} s, R {restart:2} min, "
          f"tau {tau:5.2f} min: simulated {ettr:.3f}, exact {expected:.3f}, first order {first_order:.3f}")
    assert error <= 0.005 * np.mean(times)
    assert abs(np.mean(times) - intervals * interval_ns / expected) <= 3 * error


@pytest.mark.parametrize(("gpus", "rate", "published_h", "agrees"), [
    (16_384, RSC_1, 1.8, True), (131_072, RSC_1, 0.23, True), (16_384, LLAMA_3, 3.09, True),
    (1_024, RSC_1, 7.9, False), (8, RSC_1, 47.7 * 24, False)])
def test_mean_times_to_failure_from_one_rate(gpus: int, rate: float, published_h: float,
                                             agrees: bool) -> None:
    """Large jobs fail as the rate says; small ones three times as often, by what is no failure of a node.

    Gangs of that size side by side in the kernel, until some two thousand failures.
    """
    hours = mtbf_min(gpus // 8, rate) / 60
    count = max(1, 1_024 // gpus)
    horizon_h = math.ceil(FAILURES * hours / count)
    jobs = gangs(count, gpus=gpus, work_ns=2 * horizon_h * 60 * MINUTE_NS, waits=1)
    terms = Terms(node_mtbf_h=24_000 / rate, repair_h=0.0, spare_gpus=8)
    pool = TrainingPool(jobs, terms, gpus=count * gpus + 8, hours=horizon_h)
    pool.advance(horizon_h * 60 * MINUTE_NS - 1)
    failures = int(pool.jobs["failures"].sum())
    print(f"MTTF {gpus:>7,} GPUs, {rate:.2f} failures: simulated {horizon_h * count / failures:8.2f} h, "
          f"formula {hours:8.2f} h, published {published_h:8.2f} h: "
          f"{'agrees' if agrees else f'{hours / published_h:.2f} times too long'}")
    expected = horizon_h * count / hours
    assert abs(failures - expected) <= 3 * math.sqrt(expected)
    assert (abs(hours - published_h) <= 0.03 * published_h) == agrees
    if not agrees:
        assert 3 <= hours / published_h <= 4
