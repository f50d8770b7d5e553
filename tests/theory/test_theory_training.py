"""One gang with failures and checkpoints against the exact expected wall time, and the best interval.

Under the formula's assumptions: whole intervals, each ending in a checkpoint, failures during restarts, too,
and a spare always at hand, which is back at once.
"""

import itertools
import math

import numpy as np
import pytest

from fleetsim.engine.training_pool import Terms, TrainingPool, gangs
from fleetsim.model.checkpoint import daly_interval, exact_ettr, exact_interval, expected_time, young_interval

MINUTE_NS = 60_000_000_000
RUNS = 300


def wall_times_min(mtbf_min: float, tau_min: float, w_min: float, restart_min: float, intervals: int,
                   runs: int = RUNS) -> np.ndarray:
    """Wall times of one job by seed, minutes: two nodes that fail, and a spare."""
    interval_ns = round(tau_min * MINUTE_NS)
    jobs = gangs(1, work_ns=intervals * interval_ns, gpus=16, interval_ns=interval_ns,
                 write_ns=round(w_min * MINUTE_NS), restart_ns=round(restart_min * MINUTE_NS), waits=1)
    terms = Terms(node_mtbf_h=2 * mtbf_min / 60, repair_h=0.0, spare_gpus=8)
    expected = expected_time(intervals * tau_min, tau_min, w_min, mtbf_min, restart_min)
    hours = int(3 * expected / 60) + 24
    found = np.empty(runs)
    for seed in range(runs):
        pool = TrainingPool(jobs, terms, gpus=24, hours=hours, seed=seed)
        pool.advance(hours * 60 * MINUTE_NS - 1)
        assert pool.jobs["ended_ns"][0] > 0
        found[seed] = pool.jobs["ended_ns"][0] / MINUTE_NS
    return found


GRID = list(itertools.product((15.0, 60.0, 360.0, 1_440.0), (0.5, 1.0, 2.0), (0.5, 5.0), (2.0, 10.0)))


@pytest.mark.parametrize(("mtbf_min", "of_daly", "w_min", "restart_min"), GRID)
def test_the_mean_wall_time_is_the_exact_expectation(mtbf_min: float, of_daly: float, w_min: float,
                                                     restart_min: float) -> None:
    tau_min = of_daly * daly_interval(w_min, mtbf_min)
    failures = exact_ettr(tau_min, w_min, mtbf_min, restart_min) * mtbf_min / tau_min
    intervals = max(250, math.ceil(120 * failures))
    times = wall_times_min(mtbf_min, tau_min, w_min, restart_min, intervals)
    exact = expected_time(intervals * tau_min, tau_min, w_min, mtbf_min, restart_min)
    error = times.std(ddof=1) / math.sqrt(len(times))
    assert error <= 0.005 * exact
    assert abs(times.mean() - exact) <= 3 * error


@pytest.mark.parametrize(("mtbf_min", "w_min", "restart_min"),
                         [(15.0, 0.5, 2.0), (60.0, 5.0, 10.0), (360.0, 5.0, 10.0), (1_440.0, 5.0, 10.0)])
def test_the_cost_at_dalys_interval_is_the_least(mtbf_min: float, w_min: float, restart_min: float) -> None:
    """The same failures strike whatever the interval, so that the difference is sharp."""
    daly = daly_interval(w_min, mtbf_min)
    work_min = 160 * daly
    counts = [round(160 / factor) for factor in (0.5, 0.7, 0.85, 1.0, 1.2, 1.5, 2.0)]
    cost = {count: wall_times_min(mtbf_min, work_min / count, w_min, restart_min, count) for count in counts}
    least = min(counts, key=lambda count: float(cost[count].mean()))
    more = cost[160] - cost[least]
    error = more.std(ddof=1) / math.sqrt(RUNS)
    assert error <= 0.002 * cost[160].mean()
    assert more.mean() <= 3 * error
    # And the ends of the grid cost more than that: the test can fail.
    for count in (counts[0], counts[-1]):
        worse = cost[count] - cost[160]
        assert worse.mean() > 3 * worse.std(ddof=1) / math.sqrt(RUNS)


def test_the_published_and_computed_optimum_intervals() -> None:
    """Daly 2006 with w = 5 and R = 10 minutes, and the exact optimum."""
    for mtbf_min, published, higher_order, exact in ((1_440, 117, 116.69, 116.69), (360, 57, 56.71, 56.71),
                                                     (15, 9.1, 9.14, 9.17)):
        assert daly_interval(5, mtbf_min) == pytest.approx(published, abs=0.5)
        assert daly_interval(5, mtbf_min) == pytest.approx(higher_order, abs=0.005)
        assert exact_interval(5, mtbf_min) == pytest.approx(exact, abs=0.005)
    assert young_interval(5, 360) == 60
    assert daly_interval(40, 15) == 15
    assert expected_time(500 * 60, 116.69, 5, 1_440, 10) == pytest.approx(32_873, abs=1)
    assert expected_time(500 * 60, 56.71, 5, 360, 10) == pytest.approx(36_613, abs=1)
    assert expected_time(500 * 60, 9.14, 5, 15, 10) == pytest.approx(150_250, abs=30)
