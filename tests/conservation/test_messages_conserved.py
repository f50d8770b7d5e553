"""No message is lost or made up: in whole numbers in the tables, and as flows in the state."""

import math
from typing import Any

import numpy as np
from hypothesis import given
from random_scenarios import scenarios
from whole_run import WholeRun

from fleetsim.kernel import fluid
from fleetsim.kernel.arrays import COHORTS
from fleetsim.model.scenario import Scenario

OUTCOMES = ["messages_served", "messages_shed", "messages_abandoned"]
FLOWS = ["arrived", "served", "shed", "abandoned", "retried", "degraded", "slo_met"]
LEVELS = ["messages_waiting", "messages_in_retry"]


@given(scenarios())
def test_arrived_messages_have_one_outcome_or_are_still_open(scenario: Scenario) -> None:
    run = WholeRun(scenario)
    hourly = run.frame("fact_traffic_hourly").groupby(["traffic_class", "hour"]).sum(numeric_only=True)
    assert len(hourly) == len(scenario.traffic) * len(run.hours)
    for name in scenario.traffic:
        rows = hourly.loc[name]
        level = rows[LEVELS].sum(axis=1).to_numpy()
        entered = (rows["messages_arrived"] - rows[OUTCOMES].sum(axis=1)).to_numpy()
        if scenario.horizon.recorded_from:  # what was open when the record began is not in the table
            level, entered = level - level[0], entered[1:]
            level = level[1:]
        assert np.cumsum(entered).tolist() == level.tolist()


@given(scenarios())
def test_counts_are_never_negative_and_parts_never_more_than_the_whole(scenario: Scenario) -> None:
    run = WholeRun(scenario)
    rows = run.frame("fact_traffic_hourly")
    numbers = rows.select_dtypes("number").fillna(0)
    assert (numbers >= 0).all().all()
    assert (rows["messages_degraded"] <= rows["messages_served"]).all()
    sums = rows.groupby(["traffic_class", "hour"]).sum(numeric_only=True)
    assert (sums["slo_met_count"] <= sums["messages_served"]).all()
    with_slo = {name for name, asker in scenario.traffic.items() if asker.slo_wait_s is not None}
    assert set(rows.loc[rows["slo_met_count"].notna(), "traffic_class"]) == with_slo


@given(scenarios())
def test_every_served_message_has_one_wait(scenario: Scenario) -> None:
    run = WholeRun(scenario)
    waits = run.frame("fact_wait_hourly")
    assert (waits["messages"] > 0).all()
    assert ((waits["bucket"] == 0) == (waits["wait_high_s"] == 0)).all()
    assert (waits["wait_low_s"] <= waits["wait_high_s"]).all()
    assert not waits.duplicated(["hour", "traffic_class", "bucket"]).any()
    counted = waits.groupby(["traffic_class", "hour"])["messages"].sum()
    served = run.frame("fact_traffic_hourly").groupby(["traffic_class", "hour"])["messages_served"].sum()
    assert counted.to_dict() == served[served > 0].to_dict()


def open_flow(things: Any, c: int) -> tuple[float, float]:
    """Messages that came and have no outcome yet, by their arrivals and by where they are."""
    klass = things.classes[c]
    came = klass["open_messages"] + klass["arrived"]
    gone = klass["served"] + klass["shed"] + klass["abandoned"]
    return float(came - gone), float(things.waiting[c].sum() + things.in_retry[c].sum())


def in_line(things: Any, c: int, n: int) -> float:
    """Messages in a class's line at the end of step n, from its cohorts."""
    klass, patience_s = things.classes[c], float(things.classes["patience_s"][c])
    found = 0.0
    for i in range(int(klass["cohort_count"])):
        cohort = things.cohorts[c, (int(klass["cohort_head"]) + i) % COHORTS]
        age_s = (n - int(cohort["step"])) * things.step_s
        found += float(cohort["left"]) * math.exp(-age_s / patience_s)
    return found


@given(scenarios())
def test_flows_balance_whenever_somebody_looks(scenario: Scenario) -> None:
    """The tables balance by construction, so look at the flows that they are rounded from."""
    most = np.zeros(len(scenario.traffic))

    def watched(things: Any, inputs: Any, hourly: Any, steps: Any, first: int, last: int) -> None:
        fluid.advance(things, inputs, hourly, steps, first, last)
        rows = slice(first - inputs.first_step, last - inputs.first_step)
        arriving = inputs.expected_per_s[rows] * inputs.noise[rows] * things.step_s
        np.add(most, arriving.sum(axis=0), out=most)
        for c in range(len(scenario.traffic)):
            came, somewhere = open_flow(things, c)
            assert abs(came - somewhere) <= 1e-9 * (1.0 + most[c])
            assert min(things.waiting[c].min(), things.in_retry[c].min()) >= 0
            if last % things.steps_per_hour == 0:  # what was not counted is less than a few messages
                assert max(abs(float(things.classes[flow][c])) for flow in FLOWS) < 3.0
            waiting = float(things.waiting[c].sum())
            assert abs(in_line(things, c, last - 1) - waiting) <= 1e-6 * (1e-3 + waiting)

    WholeRun(scenario, kernel=watched)
