"""The four GPU counts are ordered at every step, and their hours can be rebuilt without the kernel."""

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd
from failures_by_hand import Nodes
from hypothesis import given
from random_scenarios import scenarios
from whole_run import SEED, WholeRun, by_step, gpu_seconds, per_hour, rented_by_step, step_at

from fleetsim.model.fleet import Tranche
from fleetsim.model.scenario import Scenario

ROUNDING = 1 + 1e-9
FLOAT32 = 1 + 1e-6


@given(scenarios())
def test_busy_allocated_healthy_rented_in_every_hour(scenario: Scenario) -> None:
    rows = WholeRun(scenario).frame("fact_capacity_hourly")
    assert (rows.select_dtypes("number").fillna(0) >= 0).all().all()
    own = rows["healthy_gpu_hours"] - rows["lent_gpu_hours"] + rows["borrowed_gpu_hours"]
    assert (rows["busy_gpu_hours"] <= rows["allocated_gpu_hours"] * ROUNDING).all()
    assert (rows["allocated_gpu_hours"] <= own * ROUNDING).all()
    assert (rows["healthy_gpu_hours"] <= rows["rented_gpu_hours"]).all()
    assert (rows["lent_gpu_hours"] <= rows["healthy_gpu_hours"]).all()
    assert (rows["prefill_gpu_hours"] + rows["decode_gpu_hours"] == rows["busy_gpu_hours"]).all()
    fleets = rows.groupby("fleet")
    assert np.array_equal(gpu_seconds(fleets["lent_gpu_hours"].sum()),
                          gpu_seconds(fleets["borrowed_gpu_hours"].sum()))


@given(scenarios())
def test_busy_allocated_healthy_rented_in_every_step(scenario: Scenario) -> None:
    run = WholeRun(scenario, resolution="step")
    rows = run.frame("series_step_capacity")
    assert rows["time"].nunique() == len(run.hours) * 3_600 // scenario.horizon.step_s
    own = rows["healthy_gpus"] - rows["lent_gpus"] + rows["borrowed_gpus"]
    assert (rows["busy_gpus"] <= rows["allocated_gpus"] * FLOAT32).all()
    assert (rows["allocated_gpus"] <= own).all()
    assert (rows["healthy_gpus"] <= rows["rented_gpus"]).all()
    assert (rows["busy_gpus"] >= 0).all()
    for column in ("rented_gpus", "healthy_gpus", "allocated_gpus", "lent_gpus", "borrowed_gpus"):
        assert (rows[column] == np.rint(rows[column])).all()
    fleets = rows.groupby(["time", "fleet"]).sum(numeric_only=True)
    assert (fleets["lent_gpus"] == fleets["borrowed_gpus"]).all()
    assert (fleets["busy_gpus"] <= fleets["allocated_gpus"] * FLOAT32).all()
    assert (fleets["allocated_gpus"] <= fleets["healthy_gpus"]).all()
    assert (fleets["healthy_gpus"] <= fleets["rented_gpus"]).all()


@given(scenarios())
def test_hours_are_the_sum_of_their_steps(scenario: Scenario) -> None:
    run = WholeRun(scenario, resolution="step")
    steps, hours = run.frame("series_step_capacity"), run.frame("fact_capacity_hourly")
    steps["hour"] = steps["time"].dt.floor("h")
    summed = steps.groupby(["hour", "fleet", "pool"]).sum(numeric_only=True) * scenario.horizon.step_s / 3_600
    hours = hours.set_index(["hour", "fleet", "pool"])
    for column in ("rented", "healthy", "allocated", "busy", "required", "offered", "lent", "borrowed"):
        values = summed.loc[hours.index, f"{column}_gpus"].to_numpy()
        np.testing.assert_allclose(hours[f"{column}_gpu_hours"], values, rtol=1e-5, atol=1e-4)


@given(scenarios())
def test_rented_hours_follow_from_the_events(scenario: Scenario) -> None:
    run = WholeRun(scenario)
    for fleet in scenario.fleets:
        rented = rented_by_step(run, fleet, lambda kind: True)
        elastic = rented_by_step(run, fleet, lambda kind: kind.startswith("elastic"))
        assert run.fleet_seconds(fleet, "rented") == per_hour(scenario.horizon, rented).tolist()
        assert run.fleet_seconds(fleet, "elastic") == per_hour(scenario.horizon, elastic).tolist()


def stay(tranche: Tranche, scenario: Scenario) -> list[tuple[int, int]]:
    """(step, change of the rented GPUs) of a tranche that comes on time."""
    begin = max(0, step_at(scenario.horizon, tranche.date))
    if tranche.end is None:
        return [(begin, tranche.gpus)]
    return [(begin, tranche.gpus), (max(0, step_at(scenario.horizon, tranche.end)), -tranche.gpus)]


@given(scenarios())
def test_tranches_on_time_are_rented_as_the_scenario_says(scenario: Scenario) -> None:
    run = WholeRun(scenario)
    for name, fleet in scenario.fleets.items():
        if any(tranche.slip for tranche in fleet.tranches):
            continue
        promised = by_step(scenario.horizon, [
            change for tranche in fleet.tranches for change in stay(tranche, scenario)])
        rented = rented_by_step(run, name, lambda kind: not kind.startswith("elastic"))
        assert rented.tolist() == promised.tolist()
        elastic = rented_by_step(run, name, lambda kind: kind.startswith("elastic"))
        assert 0 <= elastic.min() <= elastic.max() <= (fleet.elastic.max_gpus if fleet.elastic else 0)


@given(scenarios(steps_s=(3_600,), warm_up=False))
def test_failed_hours_follow_from_failures_and_repairs(scenario: Scenario) -> None:
    """With steps of an hour each hour's counts are a step's, and the tables alone are enough."""
    run = WholeRun(scenario)
    for name, fleet in scenario.fleets.items():
        failed = np.cumsum(run.fleet_hours(name, "node_failures") - run.fleet_hours(name, "node_repairs"))
        gpus = failed * scenario.gpus[fleet.gpu].gpus_per_node
        assert run.fleet_seconds(name, "failed") == (gpus * 3_600).tolist()


@given(scenarios(most_days=2, steps_s=(900, 3_600)))
def test_unhealthy_hours_follow_from_the_streams(scenario: Scenario) -> None:
    run = WholeRun(scenario)
    for name in scenario.fleets:
        rented = rented_by_step(run, name, lambda kind: True)
        nodes = Nodes(scenario, name, SEED)
        by_hand = pd.DataFrame([nodes.step(n, int(gpus)) for n, gpus in enumerate(rented)])
        for column, level in (("failed", "failed"), ("draining", "draining"), ("outage", "out"),
                              ("healthy", "healthy")):
            expected = per_hour(scenario.horizon, by_hand[level].to_numpy())
            assert run.fleet_seconds(name, column) == expected.tolist(), column
        for column, count in (("node_failures", "failures"), ("node_repairs", "repairs")):
            expected = per_hour(scenario.horizon, by_hand[count].to_numpy()) // scenario.horizon.step_s
            assert run.fleet_hours(name, column).tolist() == expected.tolist(), column


def unit_gpu_s(scenario: Scenario, name: str) -> float:
    """GPU-seconds of one message of a class with one service of constant efficiency, on an A100."""
    asker = scenario.traffic[name]
    service = scenario.services[asker.services()[0]]
    efficiency: Any = service.efficiency_frac
    if service.gpu_s_per_call is not None:
        return asker.calls_per_message * service.gpu_s_per_call / efficiency
    assert service.rates is not None
    per_call = (asker.prompt_tokens.mean / service.rates.prefill_tokens_per_s_per_gpu
                + asker.output_tokens.mean / service.rates.decode_tokens_per_s_per_gpu)
    return asker.calls_per_message * per_call / efficiency


@given(scenarios(gpus=("a100",), warm_up=False))
def test_busy_is_served_messages_times_what_one_takes(scenario: Scenario) -> None:
    """Pools whose classes have one service of constant efficiency each, and none is degraded."""
    run = WholeRun(scenario, resolution="step")
    busy = run.frame("series_step_capacity").groupby(["pool", "time"])["busy_gpus"].sum()
    served = run.frame("series_step_traffic").groupby(["traffic_class", "time"]).sum(numeric_only=True)
    hourly = run.frame("fact_traffic_hourly").groupby("traffic_class").sum(numeric_only=True)
    for pool in scenario.pools:
        classes = [name for name, asker in scenario.traffic.items() if asker.pool == pool]
        plain = all(isinstance(scenario.services[service].efficiency_frac, float)
                    and len(scenario.traffic[name].services()) == 1
                    and hourly.loc[name, "messages_degraded"] == 0
                    and served.loc[name, "messages_degraded"].sum() == 0
                    for name in classes for service in scenario.traffic[name].services())
        if not classes or not plain:
            continue
        work = sum(served.loc[name, "messages_served"] * unit_gpu_s(scenario, name) for name in classes)
        np.testing.assert_allclose(busy.loc[pool] * scenario.horizon.step_s, work, rtol=1e-5, atol=1e-3)
        for name in classes:
            unit = unit_gpu_s(scenario, name)
            metered = hourly.loc[name, "busy_gpu_hours"] * 3_600
            assert abs(metered - hourly.loc[name, "messages_served"] * unit) <= 3 * unit + 1e-9 * metered


@given(scenarios())
def test_both_tables_meter_the_same_work(scenario: Scenario) -> None:
    run = WholeRun(scenario)
    by_fleet = run.frame("fact_capacity_hourly").groupby(["pool", "hour"])["busy_gpu_hours"].sum()
    by_class = run.frame("fact_traffic_hourly").groupby(["pool", "hour"])["busy_gpu_hours"].sum()
    for pool in {asker.pool for asker in scenario.traffic.values()}:
        np.testing.assert_allclose(by_fleet.loc[pool], by_class.loc[pool], rtol=1e-9, atol=1e-9)


@given(scenarios(warm_up=False))
def test_events_carry_both_times(scenario: Scenario) -> None:
    events = WholeRun(scenario).frame("fact_event")
    step = timedelta(seconds=scenario.horizon.step_s)
    assert (events["effective_time"] >= events["time"]).all()
    assert (events["effective_time"] < events["time"] + step).all()
    assert events["time"].is_monotonic_increasing
