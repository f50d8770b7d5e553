"""Windows at request level: messages, GPUs and work pass both edges whole, on any number of processes."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from whole_run import WholeRun

from fleetsim.model.scenario import Scenario
from fleetsim.spec.loader import from_source

OUTCOMES = ("messages_served", "messages_shed", "messages_abandoned")
STANDING = ("messages_waiting", "messages_in_retry")
LAW = {"step_ms": 40, "prefill_us_per_token": 100, "decode_us_per_sequence": 300, "kv_ns_per_token": 60,
       "kv_tokens": 1_000_000, "prefill_limit_tokens": 8_192}


def scenario(messages_per_day: Any = 400_000, window: Mapping[str, Any] | None = None,
             **more: Any) -> Scenario:
    """Nine hours of a pool of five replicas, which 591,000 messages a day fill; window from 3 h to 6 h."""
    at = {"start": "2024-01-01T03:00:00Z", "end": "2024-01-01T06:00:00Z", **(window or {})}
    return from_source({
        "fleetsim": 1, "name": "windows", "horizon": {"start": "2024-01-01", "end": "2024-01-01T09:00:00Z"},
        "fleets": {"azure": {"gpu": "a100-80gb", "provider": "azure",
                             "tranches": [{"date": "2024-01-01", "gpus": 40}]}},
        "pools": {"chat": {"fleets": {"azure": {"share_frac": 1.0}}}},
        "services": {name: {"step_law": {"gpus": {"a100-80gb": {**LAW, "step_ms": step_ms}}},
                            "batching": {"max_batch": 16}, "routing": "join_shortest_queue"}
                     for name, step_ms in (("large", 40), ("small", 10))},
        "traffic": {"ask": {
            "pool": "chat", "service": "large", "messages_per_day": messages_per_day,
            "calls_per_message": 1.5, "prompt_tokens": {"mean": 600, "cv": 1.0},
            "output_tokens": {"mean": 150, "cv": 0.8}, "slo_wait_s": 5, **more.pop("ask", {})}},
        "contracts": {"azure": {"kind": "reserved", "fleet": "azure", "usd_per_gpu_hour": 1.0}},
        "fidelity": {"windows": [at]}, **more}, Path())


def conserved(run: WholeRun) -> pd.DataFrame:
    """The rows of the traffic, after a look that every hour's messages are all somewhere."""
    rows = run.frame("fact_traffic_hourly").groupby("hour").sum(numeric_only=True)
    before = rows[list(STANDING)].sum(axis=1).shift(fill_value=0)
    came = rows["messages_arrived"] + before
    went = rows[list(OUTCOMES)].sum(axis=1) + rows[list(STANDING)].sum(axis=1)
    assert (came == went).all()
    assert (rows[[*OUTCOMES, *STANDING]] >= 0).all(axis=None)
    waits = run.frame("fact_wait_hourly").groupby("hour")["messages"].sum()
    assert np.array_equal(waits.reindex(rows.index, fill_value=0).to_numpy(), rows["messages_served"])
    gpus = run.frame("fact_capacity_hourly")
    assert (gpus["rented_gpu_hours"] >= gpus["healthy_gpu_hours"]).all()
    assert (gpus["healthy_gpu_hours"] >= gpus["allocated_gpu_hours"]).all()
    assert (gpus["allocated_gpu_hours"] * 1.05 >= gpus["busy_gpu_hours"]).all()  # booked at admission
    assert gpus["active_gpu_hours"].notna().sum() == 3
    assert (gpus["active_gpu_hours"].fillna(0) <= gpus["allocated_gpu_hours"] * (1 + 1e-9)).all()
    return rows


def work_of(run: WholeRun) -> float:
    """Busy GPU-hours of the whole run."""
    return float(run.frame("fact_capacity_hourly")["busy_gpu_hours"].sum())


def test_below_capacity_a_window_serves_what_comes() -> None:
    inside = WholeRun(scenario())
    fluid = WholeRun(scenario(fidelity={"windows": []}))
    rows, plain = conserved(inside), fluid.frame("fact_traffic_hourly").set_index("hour")
    expected = plain["messages_served"].sum()
    assert rows["messages_served"].sum() == pytest.approx(expected, abs=4 * expected**0.5)
    assert work_of(inside) == pytest.approx(work_of(fluid), rel=0.03)
    outside = [0, 1, 2, 7, 8]
    assert np.array_equal(rows["messages_served"].iloc[outside], plain["messages_served"].iloc[outside])


def test_a_queue_passes_both_edges() -> None:
    """Overloaded from the start: nobody leaves, so whoever waits at an edge waits on the other side."""
    run = WholeRun(scenario(900_000))
    rows = conserved(run)
    fluid = WholeRun(scenario(900_000, fidelity={"windows": []})).frame("fact_traffic_hourly")
    waiting, plain = rows["messages_waiting"].to_numpy(), fluid["messages_waiting"].to_numpy()
    assert plain[2] > 4_000
    assert (np.diff(waiting) > 0).all()
    assert waiting == pytest.approx(plain, rel=0.05)
    assert work_of(run) == pytest.approx(9 * 40, rel=0.02)
    ages = run.frame("fact_wait_hourly")
    for hour in range(1, 9):  # the first to have come are served, however they waited
        of_hour = ages[ages["hour"] == run.hours[hour]]
        mean_s = np.average(of_hour["wait_high_s"], weights=of_hour["messages"])
        assert mean_s == pytest.approx(3_600 * (hour + 0.5) * (1 - 40 * 9 / plain_work(fluid)), rel=0.15)


def plain_work(fluid: pd.DataFrame) -> float:
    """GPU-hours that nine hours of arrivals ask for."""
    served = fluid["messages_served"].sum()
    return float(9 * 40 * fluid["messages_arrived"].sum() / served)


def test_patience_and_retries_pass_both_edges() -> None:
    run = WholeRun(scenario(900_000, ask={
        "patience_s": 90, "retry": {"max_retries": 2, "retry_frac": 0.7, "delay_s": 400}}))
    rows = conserved(run)
    inside, outside = rows.iloc[3:6], rows.iloc[[1, 2, 7, 8]]
    for name in ("messages_abandoned", "messages_retried", "messages_served"):
        assert inside[name].mean() == pytest.approx(outside[name].mean(), rel=0.08), name
    assert inside["messages_in_retry"].mean() == pytest.approx(outside["messages_in_retry"].mean(), rel=0.15)


def test_a_plan_holds_inside_a_window() -> None:
    """A rate limit, a longest wait and degrading act on requests as on cohorts."""
    limited = WholeRun(scenario(900_000, policies={
        "limit": {"kind": "rate_limit", "class": "ask", "max_messages_per_s": 5},
        "wait": {"kind": "max_wait", "class": "ask", "max_wait_s": 60}}))
    rows = conserved(limited)
    assert rows["messages_shed"].iloc[3:6].mean() == pytest.approx(rows["messages_shed"].iloc[1], rel=0.08)
    assert rows["messages_served"].iloc[3:6].mean() == pytest.approx(5 * 3_600, rel=0.02)
    waited = limited.frame("fact_wait_hourly")
    assert waited["wait_low_s"].max() <= 60
    cheap = scenario(900_000, policies={
        "degrade": {"kind": "degrade", "pool": "chat", "above_load_frac": 0.9, "to": {"ask": "small"}}})
    degraded = conserved(WholeRun(cheap))["messages_degraded"]
    assert degraded.iloc[3:6].mean() == pytest.approx(degraded.iloc[1], rel=0.1)
    assert degraded.iloc[1] > 0


def test_lost_gpus_lose_their_requests_and_nobody_is_lost() -> None:
    outage = {"azure": {"gpu": "a100-80gb", "provider": "azure",
                        "tranches": [{"date": "2024-01-01", "gpus": 40}],
                        "outages": {"fire": {"start": "2024-01-01T04:10:00Z", "end": "2024-01-01T04:40:00Z",
                                             "share_frac": 0.6}}}}
    run = WholeRun(scenario(fleets=outage))
    rows = conserved(run)
    assert rows["messages_waiting"].max() == 0 or rows["waiting_message_s"].iloc[4] > 10_000
    assert rows["messages_served"].sum() == rows["messages_arrived"].sum()
    assert rows["waiting_message_s"].iloc[4] > 50 * rows["waiting_message_s"].iloc[3]


def test_any_number_of_processes_gives_the_same_rows() -> None:
    split = scenario(window={"cell_replicas": 2}, ask={"patience_s": 30})
    one, *others = (WholeRun(split, workers=workers) for workers in (1, 2, 3))
    for other in others:
        for table in ("fact_traffic_hourly", "fact_capacity_hourly", "fact_wait_hourly"):
            pd.testing.assert_frame_equal(one.frame(table), other.frame(table))


def test_a_sample_stands_for_all() -> None:
    whole = WholeRun(scenario(4_000_000, fleets={"azure": {
        "gpu": "a100-80gb", "provider": "azure", "tranches": [{"date": "2024-01-01", "gpus": 400}]}}))
    part = WholeRun(scenario(4_000_000, window={"sample_frac": 0.2}, fleets={"azure": {
        "gpu": "a100-80gb", "provider": "azure", "tranches": [{"date": "2024-01-01", "gpus": 400}]}}))
    served, sampled = (conserved(run)["messages_served"].iloc[3:6].sum() for run in (whole, part))
    assert sampled == pytest.approx(served, abs=4 * (served * 5) ** 0.5)
    assert work_of(part) == pytest.approx(work_of(whole), rel=0.02)


def served(run: WholeRun) -> "pd.Series[Any]":
    """Served messages by hour."""
    return conserved(run)["messages_served"]


@pytest.mark.parametrize("more", [
    pytest.param({"policies": {"degrade": {"kind": "degrade", "pool": "chat", "above_load_frac": 0.9,
                                           "to": {"ask": "small"}}},
                  "surges": {"rush": {"kind": "multiplier", "class": "ask", "factor": 2.2,
                                      "start": "2024-01-01T04:10:00Z", "end": "2024-01-01T04:40:00Z"}}},
                 id="degraded in a rush"),
    pytest.param({"ask": {"service": {"mix": [{"from": "large", "to": "small", "end": "2024-01-01T04:35:00Z",
                                               "start": "2024-01-01T04:30:00Z"}]}}},
                 id="moved to another service"),
    pytest.param({"services": {"large": {
        "step_law": {"gpus": {"a100-80gb": LAW}}, "batching": {"max_batch": 16},
        "efficiency_frac": {"2024-01-01": 0.8, "2024-01-01T04:30:00Z": 1.0}}}}, id="more efficient"),
])
def test_what_changes_inside_a_window_loses_nobody(more: dict[str, Any]) -> None:
    """Services get replicas when they get work; a rise of efficiency brings replicas that were not there."""
    patient = {"ask": {"patience_s": 60, **more.pop("ask", {})}}
    run = WholeRun(scenario(350_000, **patient, **more))
    fluid = WholeRun(scenario(350_000, **patient, **more, fidelity={"windows": []}))
    plain = fluid.frame("fact_traffic_hourly").groupby("hour")["messages_served"].sum()
    assert served(run).to_numpy() == pytest.approx(plain.to_numpy(), rel=0.02)


def test_a_rare_class_has_a_replica_of_its_service() -> None:
    traffic: Any = scenario(350_000).source["traffic"]
    rare = {**traffic["ask"], "service": "small", "messages_per_day": 3_000, "patience_s": 60}
    run = WholeRun(scenario(350_000, traffic={**traffic, "rare": rare}))
    rows = run.frame("fact_traffic_hourly").query("traffic_class == 'rare'")
    assert rows["messages_arrived"].sum() > 900
    assert rows["messages_abandoned"].sum() < 10


def test_windows_are_independent_samples() -> None:
    two = [{"start": f"2024-01-01T0{hour}:00:00Z", "end": f"2024-01-01T0{hour + 1}:00:00Z"}
           for hour in (3, 5)]
    run = WholeRun(scenario(fidelity={"windows": two}))
    arrived = run.frame("fact_traffic_hourly").groupby("hour")["messages_arrived"].sum()
    assert arrived.iloc[3] != arrived.iloc[5]
