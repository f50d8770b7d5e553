"""Latency by hour: between loads and replicas, shifted by waits, counted in whole messages."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import log, sqrt
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pytest
from latency_tables import bucket_at, latency_bucket, made_up

from fleetsim.engine import simulate, world
from fleetsim.engine.index import Index
from fleetsim.engine.latency_grid import between, wait_shifts
from fleetsim.engine.latency_hours import HourCounts, LatencyHours, shifted, whole_counts
from fleetsim.engine.wait_spread import fluctuation_s2, spread, wait_middles
from fleetsim.kernel.arrays import BUCKETS_PER_OCTAVE, FIRST_EDGE_S, WAIT_BUCKETS
from fleetsim.model.fleet import Fleet, Tranche
from fleetsim.model.hardware import GpuType
from fleetsim.model.latency_table import FULL, LATENCY_BUCKETS, OVER, latency_edges_s
from fleetsim.model.pool import Pool, Share
from fleetsim.model.scenario import Horizon, Scenario
from fleetsim.model.service import Service
from fleetsim.model.traffic import TokenCount, TrafficClass
from fleetsim.output.sink import TableSink

START = datetime(2024, 3, 1, tzinfo=UTC)
A100 = GpuType(bf16_dense_tflops=312, memory_gb=80, bandwidth_gb_per_s=2039, tdp_w=400, server_w_per_gpu=800,
               flops_factor=1.0, bandwidth_factor=1.0)


def scenario(load: float, *, gpus: int = 16, hours: int = 2, table: dict[str, Any] | None = None,
             **asker: Any) -> Scenario:
    """A class that asks for `load` x what so many GPUs can do, one message a second and GPU at most."""
    known = TrafficClass(pool="p", service="s", messages_per_day=86_400 * gpus * load,
                         prompt_tokens=TokenCount(1), output_tokens=TokenCount(1))
    return Scenario(
        name="latency", horizon=Horizon(start=START, end=START + timedelta(hours=hours)), gpus={"a100": A100},
        fleets={"f": Fleet(gpu="a100", provider="azure", tranches=(Tranche(START, gpus),))},
        pools={"p": Pool({"f": Share(gpus=gpus)})},
        services={"s": Service(gpu_s_per_call=1.0, gpus_per_replica=1)},
        traffic={"c": replace(known, **asker)},
        latency_tables={"s": made_up("s", ["a100"], ["c"], **table or {})})


def tables(given: Scenario) -> dict[str, Any]:
    sink = TableSink()
    simulate(given, seed=0, sink=sink)
    return sink.tables()


def counts(found: dict[str, Any], metric: str) -> dict[int, int]:
    """Messages by bucket over the run."""
    rows = found["fact_latency_hourly"].filter(pc.field("metric") == metric)
    grouped = rows.group_by("bucket").aggregate([("messages", "sum")]).to_pydict()
    return dict(zip(grouped["bucket"], grouped["messages_sum"], strict=True))


def test_a_load_between_two_points_takes_from_both() -> None:
    """At 0.5 three quarters of the messages are those of 0.6, a quarter those of 0.2."""
    found = counts(tables(scenario(0.5)), "ttft")
    assert found == {bucket_at("ttft", 0.2, 16): 14_400, bucket_at("ttft", 0.6, 16): 43_200}


@pytest.mark.parametrize(("load", "point"), [(0.05, 0.2), (0.2, 0.2), (0.9, 0.9), (0.97, 0.9)])
def test_beyond_the_ends_the_ends_hold(load: float, point: float) -> None:
    assert list(counts(tables(scenario(load)), "e2e")) == [bucket_at("e2e", point, 16)]


def test_replicas_lie_between_two_numbers_in_their_logarithm() -> None:
    """Four replicas are half way from 1 to 16, in geometric means; more than the most are the most."""
    found = counts(tables(scenario(0.6, gpus=4)), "ttft")
    assert found == {(bucket_at("ttft", 0.6, 1) + bucket_at("ttft", 0.6, 16)) // 2: 17_280}
    assert list(counts(tables(scenario(0.6, gpus=160)), "ttft")) == [bucket_at("ttft", 0.6, 16)]


def test_efficiency_takes_replicas_away() -> None:
    """At 25 % efficiency 16 GPUs are four replicas that are as full with a quarter of the work."""
    given = scenario(0.15)
    given = replace(given, services={"s": replace(given.services["s"], efficiency_frac=0.25)})
    found = counts(tables(given), "ttft")
    assert found == {(bucket_at("ttft", 0.6, 1) + bucket_at("ttft", 0.6, 16)) // 2: 17_280}


def test_who_waited_takes_the_time_of_a_full_replica_after_the_wait() -> None:
    found = tables(scenario(1.2))
    waits = found["fact_wait_hourly"].filter(pc.field("bucket") > 0)
    waited = sum(waits["messages"].to_pylist())
    tpot = counts(found, "tpot")
    assert tpot[bucket_at("tpot", FULL)] == pytest.approx(waited, abs=2)
    assert waited > 0
    longest = max(waits["wait_high_s"].to_pylist())
    alone_s = latency_edges_s()[bucket_at("ttft", FULL)]
    assert max(counts(found, "ttft")) == pytest.approx(latency_bucket(longest + alone_s), abs=3)
    assert set(counts(found, "ttft")) != set(tpot)


def test_waits_spread_as_much_as_the_table_and_patience_say() -> None:
    """1.5 x what 4 GPUs can do, patience of 300 s: a wait of T ln 1.5, of variance w k + T / rate."""
    patience_s, spread_s = 300.0, 4.0
    wait_s = patience_s * log(1.5)
    given = scenario(1.5, gpus=4, hours=12, patience_s=patience_s, table={"spread_s": spread_s})
    edges = np.array(latency_edges_s())
    found = counts(tables(given), "ttft")
    settled = {bucket: n for bucket, n in found.items() if edges[bucket] > wait_s / 2}
    middles, messages = np.sqrt(edges[list(settled)] * edges[[b + 1 for b in settled]]), [*settled.values()]
    mean = np.average(middles, weights=messages)
    alone_s = edges[bucket_at("ttft", FULL)]
    assert mean - alone_s == pytest.approx(wait_s, rel=0.05)
    variance = np.average((middles - mean) ** 2, weights=messages)
    assert variance == pytest.approx(wait_s * spread_s + patience_s / 4, rel=0.1)


@pytest.mark.parametrize(("over", "load"), [((), 0.9), (("c",), OVER)])
def test_who_is_served_before_a_queue_takes_the_time_of_an_overloaded_pool(
        over: tuple[str, ...], load: float) -> None:
    """The others fill the GPUs; without such a point in the table it is its highest load."""
    base = scenario(0.4)
    late = replace(base.traffic["c"], priority=2, messages_per_day=86_400 * 16.0)
    given = replace(base, traffic={**base.traffic, "late": late}, latency_tables={
        "s": made_up("s", ["a100"], ["c", "late"], over=over)})
    rows = tables(given)["fact_latency_hourly"].filter(
        (pc.field("metric") == "e2e") & (pc.field("traffic_class") == "c"))
    assert set(rows["bucket"].to_pylist()) == {bucket_at("e2e", load, 16)}


@pytest.mark.parametrize("part", [0.0, 0.25, 1.0])
def test_between_two_distributions_quantiles_are_geometric_means(part: float) -> None:
    draw = np.random.default_rng(3)
    low, high = np.zeros(LATENCY_BUCKETS), np.zeros(LATENCY_BUCKETS)
    low[50:200], high[150:400:3] = draw.random(150), draw.random(84)
    low, high = low / low.sum(), 0.8 * high / high.sum()
    found = between(low, high, part)
    assert found.min() >= 0
    assert found.sum() == pytest.approx(1 - 0.2 * part)

    def places(counts: Any) -> Any:
        return np.interp(np.linspace(0.01, 0.99, 99), np.cumsum(counts) / counts.sum(),
                         np.arange(LATENCY_BUCKETS) + 1)

    assert places(found) == pytest.approx((1 - part) * places(low) + part * places(high), abs=1.0)


def test_no_wait_is_the_pool_at_load_1_and_a_long_one_is_a_normal() -> None:
    """Every message stands in one of the two."""
    waits = np.zeros(WAIT_BUCKETS)
    waits[1] = 10.0
    found, at_1 = spread(waits, 0.0, 100.0**2)
    assert at_1 == pytest.approx(10.0, abs=0.01)
    assert found.sum() + at_1 == pytest.approx(10.0)
    waits[:] = 0.0
    waits[80] = 10.0
    wait_s = wait_middles()[80]
    found, at_1 = spread(waits, 0.04 * wait_s / 2, 0.04 * wait_s**2 / 2)
    assert (at_1, found.sum()) == pytest.approx((0.0, 10.0), abs=1e-4)
    mean = found @ wait_middles() / 10
    assert mean == pytest.approx(wait_s, rel=0.01)
    assert sqrt(found @ (wait_middles() - mean) ** 2 / 10) == pytest.approx(0.2 * wait_s, rel=0.03)


def test_the_pools_queue_moves_as_erlang_a_says() -> None:
    """T / rate for a class alone; what comes before it takes places and adds noise; no patience: none."""
    own, before = np.array([5.0, 5.0, 0.0]), np.array([0.0, 10.0, 1.0])
    assert fluctuation_s2(60.0, own, before).tolist() == pytest.approx([12.0, 36.0, 0.0])
    assert not fluctuation_s2(None, own, before).any()


def test_every_served_message_is_counted_once() -> None:
    found = tables(scenario(1.1, patience_s=60.0, hours=5, noise_cv_frac=0.03, table={"single_token": 25}))
    served = sum(found["fact_traffic_hourly"]["messages_served"].to_pylist())
    sums = {metric: sum(counts(found, metric).values()) for metric in ("ttft", "tpot", "e2e")}
    assert (sums["ttft"], sums["e2e"]) == (served, served)
    assert sums["tpot"] == pytest.approx(0.75 * served, abs=5)


def test_attainment_counts_inside_the_bucket() -> None:
    """Half of a bucket, in its logarithm, is half of its messages; a single token is within any TPOT."""
    b = bucket_at("ttft", 0.6, 16)
    low, high = latency_edges_s()[b], latency_edges_s()[b + 1]
    found = tables(scenario(0.6, slo_ttft_s=(low * high) ** 0.5, slo_tpot_s=1e-6, table={"single_token": 25}))
    traffic = found["fact_traffic_hourly"]
    assert traffic["slo_ttft_met_count"].to_pylist() == [17_280, 17_280]
    assert traffic["slo_tpot_met_count"].to_pylist() == [8_640, 8_640]


def test_without_a_table_nothing_is_known() -> None:
    found = tables(replace(scenario(0.6, slo_ttft_s=1.0), latency_tables={}))
    assert found["fact_latency_hourly"].num_rows == 0
    assert found["fact_traffic_hourly"]["slo_ttft_met_count"].to_pylist() == [None, None]


def test_measured_counts_take_the_place_of_the_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their shape; how many they are says what was served."""
    given = scenario(0.6)
    hours = LatencyHours(given, Index.of(given))
    hours.put(1, 0, "s", np.tile(np.bincount([7], minlength=LATENCY_BUCKETS) / 3, (3, 1)))
    monkeypatch.setattr(world, "LatencyHours", lambda *_: hours)
    rows = tables(given)["fact_latency_hourly"].filter(pc.field("metric") == "ttft").to_pylist()
    found = [(row["bucket"], row["messages"]) for row in rows]
    assert found == [(bucket_at("ttft", 0.6, 16), 34_560), (7, 34_560)]


def test_a_wait_moves_every_message_and_loses_none() -> None:
    """TTFT and E2E take longer by the mean wait, within the width of a bucket; TPOT does not."""
    before, waits = np.zeros((3, LATENCY_BUCKETS)), np.zeros(WAIT_BUCKETS)
    before[:, 100:300] = np.random.default_rng(1).random((3, 200))
    waits[[5, 40, 90]] = 0.5, 0.3, 0.2
    after = shifted(before, waits)
    assert after.sum(axis=1) == pytest.approx(before.sum(axis=1))
    assert after[1] == pytest.approx(before[1])
    assert shifted(before, waits / 4) == pytest.approx(after / 4)
    edges = np.array(latency_edges_s())
    middle = np.sqrt(edges[:-1] * edges[1:])
    wait_s = FIRST_EDGE_S * 2.0 ** ((np.array([5, 40, 90]) - 0.5) / BUCKETS_PER_OCTAVE) @ [0.5, 0.3, 0.2]
    for metric in (0, 2):
        means = [float(rows[metric] @ middle / rows[metric].sum()) for rows in (before, after)]
        assert means[1] - means[0] == pytest.approx(wait_s, rel=0.02)


def test_shifts_are_never_to_a_shorter_time() -> None:
    assert (wait_shifts() >= np.arange(LATENCY_BUCKETS)).all()
    assert (wait_shifts()[0] == np.arange(LATENCY_BUCKETS)).all()


def test_whole_counts_add_up_and_follow_the_flows() -> None:
    draw = np.random.default_rng(2)
    flows = draw.random((50, 3, LATENCY_BUCKETS)) * 0.01
    flows[:, 1] *= 0.6
    served = draw.integers(0, 1_000, 50)
    whole = whole_counts(flows, served)
    assert (whole >= 0).all()
    assert np.array_equal(whole[:, 0].sum(axis=1), served)
    part = flows.sum(axis=2) / flows[:, 0].sum(axis=1)[:, None]
    assert np.abs(whole.sum(axis=2) - np.minimum(1.0, part) * served[:, None]).max() <= 0.5 + 1e-6
    expected = np.cumsum(flows[:, 0] / flows[:, 0].sum(axis=1)[:, None] * served[:, None], axis=1)
    assert np.abs(np.cumsum(whole[:, 0], axis=1) - expected).max() <= 0.5 + 1e-6


@pytest.mark.parametrize("bucket", [0, 1, 2, 100, LATENCY_BUCKETS - 1])
def test_buckets_begin_at_their_edges(bucket: int) -> None:
    low, high = latency_edges_s()[bucket : bucket + 2]
    assert latency_bucket(low) == bucket
    assert latency_bucket(high * (1 - 1e-12)) == bucket


def test_attainment_of_an_unknown_service_is_not_zero() -> None:
    found = HourCounts((), np.zeros((2, 0, 3, LATENCY_BUCKETS), np.int64), np.zeros((2, 0), np.bool_))
    assert found.within((0, "s"), "ttft", 1.0)[1].tolist() == [False, False]
