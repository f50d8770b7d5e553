"""Failures and repairs: the healthy share of a fleet over a long run against MTBF / (MTBF + repair)."""

import math
from pathlib import Path

import numpy as np
import pytest
from theory_scenario import column, scenario_of, simulated

NODES = 1_000
MTBF_H, REPAIR_H = 190.0, 10.0
AVAILABILITY = MTBF_H / (MTBF_H + REPAIR_H)
HOURS = 366 * 24
SCENARIO = {
    "horizon": {"start": "2023-12-02", "end": "2025-01-01", "warmup_days": 30},
    "fleets": {"azure": {"gpu": "a100-80gb", "provider": "azure", "role": "training", "repair_h": REPAIR_H,
                         "node_mtbf_h": MTBF_H, "tranches": [{"date": "2023-12-02", "gpus": 8 * NODES}]}},
    "contracts": {"azure": {"kind": "reserved", "fleet": "azure", "usd_per_gpu_hour": 1.0}},
}


def standard_error(step_s: int) -> float:
    """Of the mean share of working nodes over n steps of N independent two-state Markov chains.

    A node's state is correlated with itself k steps later by r^k, r = 1 - p - q = exp(-step x (1/MTBF +
    1/repair)), so that var(mean) = A (1 - A) / (N n) x [(1 + r) / (1 - r) - 2 r (1 - r^n) / (n (1 - r)^2)].
    """
    n = HOURS * 3_600 // step_s
    r = math.exp(-step_s / 3_600 * (1 / MTBF_H + 1 / REPAIR_H))
    together = (1 + r) / (1 - r) - 2 * r * (1 - r**n) / (n * (1 - r) ** 2)
    return math.sqrt(AVAILABILITY * (1 - AVAILABILITY) / (NODES * n) * together)


@pytest.mark.parametrize("step_s", [60, 300, 900, 3_600])
def test_the_healthy_share_is_mtbf_over_mtbf_plus_repair(tmp_path: Path, step_s: int) -> None:
    horizon = {**SCENARIO["horizon"], "step_s": step_s, "control_s": 3_600}
    sink = simulated(scenario_of(tmp_path, **{**SCENARIO, "horizon": horizon}), seed=11)
    rented, healthy, failed = (column(sink, "fact_capacity_hourly", f"{name}_gpu_hours")
                               for name in ("rented", "healthy", "failed"))
    assert np.all(rented == 8 * NODES)
    np.testing.assert_allclose(healthy + failed, rented)
    error = standard_error(step_s)
    assert error < 0.001
    assert abs(healthy.sum() / rented.sum() - AVAILABILITY) < 3 * error


def test_the_share_moves_from_hour_to_hour_as_the_chain_says(tmp_path: Path) -> None:
    horizon = {**SCENARIO["horizon"], "step_s": 3_600, "control_s": 3_600}
    sink = simulated(scenario_of(tmp_path, **{**SCENARIO, "horizon": horizon}), seed=12)
    up = column(sink, "fact_capacity_hourly", "healthy_gpu_hours") / 8
    r = math.exp(-(1 / MTBF_H + 1 / REPAIR_H))
    # About HOURS (1 - r) / (1 + r) = 460 independent looks: a variance is known to 7 %, 3 of them 20 %.
    assert up.var() == pytest.approx(NODES * AVAILABILITY * (1 - AVAILABILITY), rel=0.2)
    assert np.corrcoef(up[:-1], up[1:])[0, 1] == pytest.approx(r, abs=0.02)


def test_failures_come_once_per_mtbf_of_working_nodes(tmp_path: Path) -> None:
    horizon = {**SCENARIO["horizon"], "step_s": 60, "control_s": 3_600}
    sink = simulated(scenario_of(tmp_path, **{**SCENARIO, "horizon": horizon}), seed=13)
    failures = column(sink, "fact_capacity_hourly", "node_failures").sum()
    repairs = column(sink, "fact_capacity_hourly", "node_repairs").sum()
    expected = NODES * AVAILABILITY * HOURS / MTBF_H
    # Failures of a minute that are repaired within it do not show: a share of 60 s / 10 h / 2.
    assert failures == pytest.approx(expected, abs=4 * math.sqrt(expected) + expected * 60 / 36_000 / 2)
    assert abs(failures - repairs) < NODES * (1 - AVAILABILITY) * 2
