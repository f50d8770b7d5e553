"""Steady overload with patience: the fluid limits of a queue that people leave (Erlang-A), and priorities."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from theory_scenario import GPU_S, column, one_class, one_pool, scenario_of, simulated

GPUS = 600
MU = GPUS / GPU_S
PATIENCE_S = 900.0
HOUR_S = 3_600.0


def overloaded(folder: Path, load: float, step_s: int = 300, **more: Any) -> Any:
    """Six hours of a constant load, after so many that what is left of the start is below 1e-10."""
    parts = one_pool(GPUS, end="2024-01-01T12:00", step_s=step_s, warmup_days=0.25)
    traffic = {"users": one_class(load * MU * 86_400, patience_s=PATIENCE_S), **more}
    return simulated(scenario_of(folder, **parts, traffic=traffic), steps=True)


@pytest.mark.parametrize("load", [1.05, 1.5, 4.0])
def test_who_cannot_be_served_gives_up(tmp_path: Path, load: float) -> None:
    sink = overloaded(tmp_path, load)
    served, abandoned, shed = (column(sink, "fact_traffic_hourly", f"messages_{name}")
                               for name in ("served", "abandoned", "shed"))
    np.testing.assert_allclose(abandoned, (load - 1) * MU * HOUR_S, atol=1)
    np.testing.assert_allclose(served, MU * HOUR_S, atol=1)
    assert not shed.any()
    # Little: the queue is arrivals x their mean time in it, (load - 1) x mu x patience.
    waiting_s = column(sink, "fact_traffic_hourly", "waiting_message_s")
    np.testing.assert_allclose(waiting_s, (load - 1) * MU * PATIENCE_S * HOUR_S, rtol=1e-9)


@pytest.mark.parametrize("step_s", [60, 300, 900])
@pytest.mark.parametrize("load", [1.05, 1.5, 4.0])
def test_who_is_served_has_waited_patience_times_the_log_of_the_load(
    tmp_path: Path, load: float, step_s: int
) -> None:
    sink = overloaded(tmp_path, load, step_s)
    wait_s = PATIENCE_S * math.log(load)
    np.testing.assert_allclose(column(sink, "series_step_traffic", "wait_s"), wait_s, rtol=1e-6)
    low, high, messages = (column(sink, "fact_wait_hourly", name)
                           for name in ("wait_low_s", "wait_high_s", "messages"))
    inside = (low <= wait_s) & (wait_s < high)
    assert messages[inside].sum() == pytest.approx(6 * HOUR_S * MU, abs=6)
    assert messages[~inside].sum() <= 6


def test_a_higher_class_does_not_see_a_lower_one(tmp_path: Path) -> None:
    traffic = {"paid": one_class(0.7 * MU * 86_400, priority=0, noise_cv_frac=0.03),
               "free": one_class(1.1 * MU * 86_400, priority=1, patience_s=PATIENCE_S)}
    parts = one_pool(GPUS, end="2024-01-01T12:00", step_s=300, warmup_days=0.25)
    both = simulated(scenario_of(tmp_path, **parts, traffic=traffic))
    alone = simulated(scenario_of(tmp_path, **parts, traffic={"paid": traffic["paid"]}))
    for table in ("fact_traffic_hourly", "fact_wait_hourly"):
        for name in alone.table(table).column_names:
            here = column(both, table, name, traffic_class="paid")
            np.testing.assert_array_equal(here, column(alone, table, name, traffic_class="paid"), name)
    assert not column(both, "fact_traffic_hourly", "waiting_message_s", traffic_class="paid").any()


def test_a_lower_class_gets_what_the_higher_one_leaves(tmp_path: Path) -> None:
    traffic = {"paid": one_class(0.7 * MU * 86_400, priority=0),
               "free": one_class(1.1 * MU * 86_400, priority=1, patience_s=PATIENCE_S)}
    parts = one_pool(GPUS, end="2024-01-01T12:00", step_s=300, warmup_days=0.25)
    sink = simulated(scenario_of(tmp_path, **parts, traffic=traffic), steps=True)
    served, abandoned = (column(sink, "fact_traffic_hourly", f"messages_{name}", traffic_class="free")
                         for name in ("served", "abandoned"))
    np.testing.assert_allclose(served, 0.3 * MU * HOUR_S, atol=1)
    np.testing.assert_allclose(abandoned, 0.8 * MU * HOUR_S, atol=1)
    wait_s = column(sink, "series_step_traffic", "wait_s", traffic_class="free")
    np.testing.assert_allclose(wait_s, PATIENCE_S * math.log(1.1 / 0.3), rtol=1e-6)


def test_an_overloaded_higher_class_leaves_nothing(tmp_path: Path) -> None:
    sink = overloaded(tmp_path, 1.5, free=one_class(0.5 * MU * 86_400, priority=2, patience_s=60))
    served, abandoned = (column(sink, "fact_traffic_hourly", f"messages_{name}", traffic_class="free")
                         for name in ("served", "abandoned"))
    assert not served.any()
    np.testing.assert_allclose(abandoned, 0.5 * MU * HOUR_S, atol=1)


def test_equal_priorities_share_in_proportion_to_their_demand(tmp_path: Path) -> None:
    """Demand is backlog and arrivals; with equal patience both classes lose the same share."""
    sink = overloaded(tmp_path, 1.2, other=one_class(0.4 * MU * 86_400, patience_s=PATIENCE_S))
    for name, load in (("users", 1.2), ("other", 0.4)):
        served = column(sink, "fact_traffic_hourly", "messages_served", traffic_class=name)
        np.testing.assert_allclose(served, MU * HOUR_S * load / 1.6, atol=1)
