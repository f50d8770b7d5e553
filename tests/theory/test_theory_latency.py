"""Calibration: what a table says at no load, at full load, and between its points."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import exp
from typing import Any

import pytest
from latency_tables import latency_bucket

from fleetsim.experiments.calibrate import LOADS, _Bench, calibrate
from fleetsim.model.fleet import Fleet, Tranche
from fleetsim.model.latency_table import (
    FULL,
    METRICS,
    OVER,
    LatencyPoint,
    LatencyTable,
    latency_edges_s,
)
from fleetsim.model.pool import Pool, Share
from fleetsim.model.replica import Batching
from fleetsim.model.scenario import Horizon, Scenario
from fleetsim.model.service import Service
from fleetsim.model.step_law import StepLaw
from fleetsim.model.step_law_source import StepLawSource
from fleetsim.model.traffic import TokenCount, TrafficClass
from fleetsim.output.waits import percentile
from fleetsim.spec import catalog

START = datetime(2024, 1, 1, tzinfo=UTC)
LAW = StepLaw(step_ms=17.1, prefill_us_per_token=100, decode_us_per_sequence=62, kv_ns_per_token=29,
              kv_tokens=1_414_000, prefill_limit_tokens=8_192)
"""The worked example of an 8x A100 replica: TTFT 117.191 ms, TPOT 17.194625 ms for 1,000 and 250 tokens."""


def scenario(cv: float = 0.0, max_batch: int = 32, **more: Any) -> Scenario:
    asker = TrafficClass(pool="p", service="s", messages_per_day=1e5, prompt_tokens=TokenCount(1_000, cv),
                         output_tokens=TokenCount(250, cv))
    return Scenario(
        name="calibration", horizon=Horizon(start=START, end=START + timedelta(days=1)),
        gpus={"a100-80gb": catalog.gpus()["a100-80gb"]},
        fleets={"f": Fleet(gpu="a100-80gb", provider="azure", tranches=(Tranche(START, 80),))},
        pools={"p": Pool({"f": Share(gpus=80)})},
        services={"s": Service(step_law=StepLawSource(gpus={"a100-80gb": LAW}),
                               batching=Batching(max_batch=max_batch))},
        traffic={"c": asker, **more})


def point(table: LatencyTable, load: float, replicas: int = 1, name: str = "c") -> LatencyPoint:
    return next(each for each in table.points if (each.load_frac, each.replicas, each.traffic_class) ==
                (load, replicas, name))


def mean_s(found: LatencyPoint, metric: Any) -> float:
    edges = latency_edges_s()
    counts = found.counts[metric]
    return sum((edges[b] * edges[b + 1]) ** 0.5 * n for b, n in counts.items()) / sum(counts.values())


def test_alone_a_request_takes_the_time_of_the_law() -> None:
    """Nobody else came in the time before and while it ran, with probability exp(-2 rate x time)."""
    table = calibrate(scenario(), "s", loads=(0.001,), replicas=(1,), requests=2_000)
    (replica,) = table.replicas_of.values()
    alone = exp(-2 * 0.001 * replica.formula_rps * 4.398652625)
    least = alone - 4 * (alone * (1 - alone) / 2_000) ** 0.5
    found = point(table, 0.001)
    for metric, alone_s in {"ttft": 0.117191, "tpot": 0.017194625, "e2e": 4.398652625}.items():
        counts = found.counts[metric]
        assert counts[latency_bucket(alone_s)] >= least * sum(counts.values())
        assert min(counts) == latency_bucket(alone_s)


@pytest.mark.parametrize("max_batch", [8, 64])
def test_a_full_replica_serves_its_largest_batch(max_batch: int) -> None:
    """By Little, batch = rate x time; with equal requests all of it is prefill step and decode steps."""
    table = calibrate(scenario(max_batch=max_batch), "s", loads=(0.5,), replicas=(1,), requests=4_000)
    (replica,) = table.replicas_of.values()
    full = point(table, FULL)
    assert replica.measured_rps == pytest.approx(replica.formula_rps, rel=0.03)
    assert replica.measured_rps * mean_s(full, "e2e") == pytest.approx(max_batch, rel=0.03)
    assert mean_s(full, "tpot") == pytest.approx(max_batch / replica.formula_rps / 250, rel=0.04)


def test_the_wait_is_not_in_the_point_of_a_full_replica() -> None:
    """Its queue grows without end; from admission on, the first token is one step away."""
    table = calibrate(scenario(), "s", loads=(0.5,), replicas=(1,), requests=4_000)
    step_s = (LAW.step_ms or 0) / 1e3 + 0.1 + 32 * (62e-6 + 29e-9 * 1_250)
    longest = max(point(table, FULL).counts["ttft"])
    assert latency_edges_s()[longest] <= 2 * step_s


def test_fewer_replicas_wait_longer_and_more_load_takes_longer() -> None:
    table = calibrate(scenario(cv=0.8), "s", loads=(0.3, 0.9, 0.95), replicas=(1, 4), requests=8_000)
    assert mean_s(point(table, 0.95, 1), "ttft") > 1.5 * mean_s(point(table, 0.95, 4), "ttft")
    for metric in METRICS:
        assert mean_s(point(table, 0.3, 4), metric) < mean_s(point(table, 0.9, 4), metric)


def test_loads_above_what_a_replica_really_does_are_left_out() -> None:
    """Where the head of the queue is too long for the KV that is left, the batch is not the formula's."""
    tight = replace(LAW, kv_tokens=12_000)
    service = Service(step_law=StepLawSource(gpus={"a100-80gb": tight}))
    given = replace(scenario(cv=0.8), services={"s": service})
    table = calibrate(given, "s", loads=(0.5, 0.999), replicas=(1,), requests=2_000)
    (replica,) = table.replicas_of.values()
    assert replica.measured_rps < 0.97 * replica.formula_rps
    assert table.loads("a100-80gb") == [0.5]


def test_a_class_of_lower_priority_waits_longer() -> None:
    base = scenario(cv=0.8)
    late = replace(base.traffic["c"], priority=2)
    table = calibrate(scenario(cv=0.8, late=late), "s", loads=(0.95,), replicas=(1,), requests=10_000)
    assert [part.share_frac for part in table.mix.values()] == pytest.approx([0.5, 0.5])
    assert mean_s(point(table, 0.95, 1, "late"), "ttft") > 2 * mean_s(point(table, 0.95, 1), "ttft")


@pytest.mark.parametrize("below", [1, 5, 9, 13, 15])
def test_between_two_loads_of_the_grid_percentiles_are_close(below: int) -> None:
    """Half of two neighbours against a run half way between them: p50 and p99 within 10 %."""
    low, high = LOADS[below : below + 2]
    table = calibrate(scenario(cv=0.8), "s", loads=(low, (low + high) / 2, high), replicas=(16,),
                      requests=20_000)
    edges = latency_edges_s()
    for metric in METRICS:
        mixed: dict[int, int] = {}
        for load in (low, high):
            for b, n in point(table, load, 16).counts[metric].items():
                mixed[b] = mixed.get(b, 0) + n
        for q in (0.5, 0.99):
            interpolated, simulated = (
                percentile([(edges[b], edges[b + 1], n) for b, n in sorted(counts.items())], q)
                for counts in (mixed, point(table, (low + high) / 2, 16).counts[metric]))
            assert interpolated == pytest.approx(simulated, rel=0.10), (metric, q)


def test_loads_up_to_1_are_measured_when_everybody_leaves_in_the_end() -> None:
    """Then there is no queue without end; the longer their patience, the longer they wait."""
    def found(patience_s: float | None) -> LatencyTable:
        base = scenario(cv=0.8)
        asker = replace(base.traffic["c"], patience_s=patience_s)
        given = replace(base, traffic={"c": asker})
        return calibrate(given, "s", loads=(0.5, 1.0), replicas=(4,), requests=4_000)

    assert [found(patience_s).loads("a100-80gb") for patience_s in (None, 3_600.0)] == [[0.5], [0.5]]
    short, long = found(2.0), found(20.0)
    assert short.mix["c"].patience_s == 2.0
    assert short.loads("a100-80gb") == [0.5, 1.0]
    assert mean_s(point(long, 1.0, 4), "ttft") > 1.5 * mean_s(point(short, 1.0, 4), "ttft")


def test_who_is_served_first_waits_for_a_slot_where_others_queue() -> None:
    """About the time between two slots that become free on a replica, nowhere near the others' queue."""
    base = scenario(cv=0.8)
    late = replace(base.traffic["c"], priority=2)
    table = calibrate(scenario(cv=0.8, late=late), "s", loads=(0.5,), replicas=(4, 16), requests=10_000)
    assert [(each.traffic_class, each.replicas) for each in table.points if each.load_frac == OVER] == [
        ("c", 4), ("c", 16)]
    (replica,) = table.replicas_of.values()
    slot_s = 1 / replica.measured_rps
    wait_s = mean_s(point(table, OVER, 16), "ttft") - mean_s(point(table, 0.5, 16), "ttft")
    assert 0.5 * slot_s < wait_s < 3 * slot_s


@pytest.mark.parametrize(("routing", "low", "high"), [("shared_queue", 0.0, 0.1),
                                                      ("join_shortest_queue", 0.2, 1.5)])
def test_waits_differ_where_each_replica_has_its_own_queue(routing: Any, low: float, high: float) -> None:
    """Variance / mean of the waits is about the time between admissions; with one queue all wait alike."""
    base = scenario(cv=0.8)
    given = replace(base, services={"s": replace(base.services["s"], routing=routing)})
    table = calibrate(given, "s", loads=(0.5,), replicas=(1,), requests=10_000)
    (replica,) = table.replicas_of.values()
    assert low < table.spread_s["a100-80gb"]["c"] * replica.measured_rps < high


def test_work_adds_up_over_classes() -> None:
    """Two classes with half the calls each: capacity is that of their mean work."""
    base = scenario()
    other = replace(base.traffic["c"], prompt_tokens=TokenCount(4_000), output_tokens=TokenCount(50))
    mixed = scenario(other=other)
    both = calibrate(mixed, "s", loads=(0.5,), replicas=(1,), requests=500)
    alone = [1 / LAW.saturation_rps(1_000, 250, 0.0, 32), 1 / LAW.saturation_rps(4_000, 50, 0.0, 32)]
    (replica,) = both.replicas_of.values()
    assert replica.formula_rps == pytest.approx(2 / sum(alone))
    bench = _Bench(mixed, mixed.services["s"], "a100-80gb", dict(both.mix), 100, 0)
    assert bench.formula_rps == replica.formula_rps
