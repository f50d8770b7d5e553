"""A replay: energy by hand, rates without warm-up and drain, gauges, kept requests, resamples, loads."""

import math
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from made_up_trace import poisson, trace_of

import fleetsim as fs
from fleetsim.experiments.offered_load import at_load, offered_load_frac
from fleetsim.experiments.replay import Replay, replay, step_profile
from fleetsim.experiments.resample import resample
from fleetsim.experiments.trace_statistics import describe
from fleetsim.model.replica import Batching, ReplicaGroup, RequestClass, Routing
from fleetsim.model.step_power import StepPower
from fleetsim.spec.trace.canonical import Trace

ON = {"service": "llama-2-70b", "gpu": "a100-80gb", "profile": "2026-engine"}
PROFILE = step_profile("llama-2-70b", "a100-80gb", "2026-engine")
LAW, POWER = PROFILE.law, PROFILE.power


@pytest.fixture(scope="module")
def calls() -> Trace:
    return poisson(2_000, 12.0)


def steps_of_two() -> list[tuple[float, float]]:
    """(prefill ns, whole ns) of the steps of two requests that come together: 300 + 3 and 500 + 5 tokens.

    The first finds the replica idle and starts its step at once, the second joins at the next one.
    """
    batch_kv_prefill = [(1, 300, 300), (2, 801, 500), (2, 803, 0), (1, 502, 0), (1, 503, 0), (1, 504, 0)]
    return [(LAW.prefill_ns * prefill, LAW.step_ns(batch, kv, prefill))
            for batch, kv, prefill in batch_kv_prefill]


def test_energy_is_the_sum_over_steps() -> None:
    """Two such pairs, 100 s apart: idle power between them."""
    assert POWER is not None
    pair = ((300, 3), (500, 5))
    calls = trace_of(*((at, *tokens) for at in (0.0, 100.0) for tokens in pair))
    found = replay(calls, replicas=1, **ON)
    joules, active_s = 0.0, 0.0
    for prefill_ns, step_ns in 2 * steps_of_two():
        joules += 8 * (POWER.prompt_w * prefill_ns + POWER.token_w * (step_ns - prefill_ns)) / 1e9
        active_s += step_ns / 1e9
    span_s = 100 + active_s / 2
    assert found.span_s == pytest.approx(span_s, rel=1e-12)
    assert found.active_gpu_s == pytest.approx(8 * active_s, rel=1e-12)
    assert found.energy_j == pytest.approx(joules + 8 * POWER.idle_w * (span_s - active_s), rel=1e-12)
    assert found.joules_per_request == pytest.approx((found.energy_j or 0) / 4)
    assert found.as_dict()["energy_kwh"] == pytest.approx((found.energy_j or 0) / 3.6e6)


def test_power_by_phase_adds_up() -> None:
    """10 GPU-s rented, 6 at work, 2 of them on prompts: 4 x 60 + 4 x 250 + 2 x 400 J."""
    assert StepPower(60.0, 400.0, 250.0).joules(10, 6, 2) == 4 * 60 + 4 * 250 + 2 * 400


@pytest.mark.parametrize("gpu", ["a100-80gb", "h100-80gb"])
def test_power_is_that_of_the_gpu(gpu: str) -> None:
    """serving.md: idle / prompt / token, A100 63 / 400 / 250, H100 75 / 700 / 380; never above the rating."""
    power = step_profile("llama-2-70b", gpu, "2023-engine").power
    assert power is not None
    assert (power.idle_w, power.prompt_w, power.token_w) == {
        "a100-80gb": (63, 400, 250), "h100-80gb": (75, 700, 380)}[gpu]
    assert power.source


@pytest.mark.parametrize(("routing", "batching"), [
    ("join_shortest_queue", Batching()),
    ("least_tokens", Batching(prefill="chunked")),
    ("shared_queue", Batching(kv="grown")),
])
def test_ticks_change_nothing_and_count_everything(calls: Trace, routing: Routing,
                                                   batching: Batching) -> None:
    plain, ticked = (replay(calls, replicas=2, series_s=series, warm_up_s=10, keep_every=1, routing=routing,
                            batching=batching, **ON) for series in (None, 0.5))
    assert same(plain, ticked)
    gauges = ticked.gauges
    assert len(gauges) == math.floor(ticked.span_s / 0.5) + 2
    assert max(gauge.active_gpus for gauge in gauges) == 16
    assert gauges[-1].batch == gauges[-1].queue == gauges[-1].kv_tokens == 0
    assert gauges[-1].active_gpu_s == pytest.approx(ticked.active_gpu_s)
    rises = np.diff([gauge.active_gpu_s for gauge in gauges])
    assert rises.min() >= 0
    assert rises.max() <= 16 * 0.5 + 1e-9


def same(one: Replay, other: Replay) -> bool:
    """Everything but the time that the simulation took."""
    assert one.kept is not None
    assert other.kept is not None
    left, right = ({**each.as_dict(), "kernel_cpu_s": 0, "requests_per_cpu_s": 0} for each in (one, other))
    return left == right and bool(np.array_equal(one.kept, other.kept))


def test_a_gauge_holds_what_single_requests_say(calls: Trace) -> None:
    """In the system at a tick: arrived before it, over after it; those with a first token hold KV."""
    found = replay(calls, replicas=2, series_s=1.0, keep_every=1, **ON)
    rows = found.kept
    assert rows is not None
    assert len(rows) == len(calls)
    for second, gauge in enumerate(found.gauges):
        now = second * 10**9
        inside = (rows["arrival_ns"] < now) & (rows["finish_ns"] > now)
        assert gauge.batch + gauge.queue == np.count_nonzero(inside)
        started = inside & (rows["first_ns"] <= now)
        assert gauge.batch >= np.count_nonzero(started)
        assert gauge.kv_tokens >= (rows["prompt"] + 1)[started].sum()
        assert gauge.kv_tokens <= (rows["prompt"] + rows["output"])[inside].sum()


def test_kv_of_a_lone_request_is_counted_step_by_step() -> None:
    """1,000 prompt tokens and 50 to make: one more KV token with every step."""
    found = replay(trace_of((0.0, 1_000, 50)), replicas=1, series_s=0.01, **ON)
    ends = np.cumsum([LAW.step_ns(1, 1_000 + step, 1_000 if step == 0 else 0) for step in range(50)])
    for tick, gauge in enumerate(found.gauges[1:-1], start=1):
        assert gauge.kv_tokens == 1_000 + np.count_nonzero(ends <= tick * 10**7)
    assert found.gauges[1].batch == 1


def test_rates_leave_warm_up_and_drain_out(calls: Trace) -> None:
    found = replay(calls, replicas=2, warm_up_s=20.0, keep_every=1, **ON)
    steady, rows = found.steady, found.kept
    assert steady is not None
    assert rows is not None
    last_ns = int(calls.arrival_ns[-1])
    between = (rows["finish_ns"] > 20 * 10**9) & (rows["finish_ns"] <= last_ns)
    span_s = last_ns / 1e9 - 20
    assert steady.warm_up_s == 20.0
    assert steady.span_s == pytest.approx(span_s)
    assert steady.served_per_s == pytest.approx(np.count_nonzero(between) / span_s)
    assert steady.output_tokens_per_s == pytest.approx(rows["output"][between].sum() / span_s)
    assert steady.warm_up_requests + steady.drain_requests + np.count_nonzero(between) == len(calls)
    assert steady.drain_requests > 0
    assert steady.drain_s == pytest.approx(found.span_s - last_ns / 1e9)
    assert 0 < steady.active_frac <= 1
    with pytest.raises(fs.UsageError, match="leaves nothing"):
        replay(calls, replicas=2, warm_up_s=1e6, **ON)


def test_patience_loses_requests_in_overload(calls: Trace) -> None:
    hasty = [RequestClass(name, patience_s=0.5) for name in calls.class_names]
    found = replay(calls, replicas=1, classes=hasty, load_frac=2.0, **ON)
    assert sum(each.lost for each in found.classes) > 0.2 * len(calls)
    assert found.served + sum(each.lost for each in found.classes) == len(calls)


def test_one_in_n_requests_is_kept(calls: Trace) -> None:
    some, every = (replay(calls, replicas=2, keep_every=each, **ON).kept for each in (7, 1))
    assert some is not None
    assert every is not None
    assert np.array_equal(some, every[every["number"] % 7 == 0])


@pytest.mark.parametrize("load", [0.3, 0.8, 1.5])
def test_a_load_is_what_it_says(calls: Trace, load: float) -> None:
    group = ReplicaGroup(3, LAW, 8, Batching())
    found = at_load(calls, load, group)
    assert offered_load_frac(found, group) == pytest.approx(load, rel=1e-9)
    prompt, output = calls.prompt_tokens, calls.output_tokens
    full = 3 * LAW.saturation_rps(prompt.mean(), output.mean(), output.std() / output.mean(), 256)
    assert (len(found) - 1) / found.span_s == pytest.approx(load * full, rel=1e-9)
    ratio = found.arrival_ns[1:] / calls.arrival_ns[1:]
    assert ratio.min() == pytest.approx(ratio.max(), rel=1e-6)


def test_a_load_needs_a_rate() -> None:
    group = ReplicaGroup(1, LAW, 8, Batching())
    with pytest.raises(fs.UsageError, match="two requests at different times"):
        at_load(trace_of((0.0, 10, 10), (0.0, 10, 10)), 0.5, group)
    for wrong in (0.0, -1.0, math.nan, math.inf):
        with pytest.raises(fs.UsageError, match="above 0"):
            at_load(poisson(10, 1.0), wrong, group)


def test_a_resample_keeps_rates_gaps_and_lengths() -> None:
    """A trace whose rate trebles half-way and whose prompts then are ten times as long, ten laps of it."""
    calls = poisson(6_000, 10.0)
    half = np.arange(6_000) >= 3_000
    gaps = np.diff(calls.arrival_ns, prepend=0) // np.where(half, 3, 1)
    changing = Trace(np.cumsum(gaps), np.where(half, 10, 1) * calls.prompt_tokens, calls.output_tokens,
                     calls.class_names, calls.class_index, {})
    found = resample(changing, 60_000, seed=4)
    assert len(found) == 60_000
    assert found.arrival_ns[0] == 0
    assert np.diff(found.arrival_ns).min() >= 0
    assert found.span_s == pytest.approx(10 * changing.span_s, rel=0.03)
    before, after = describe(changing)[0], describe(found)[0]
    assert after.mean_rps == pytest.approx(before.mean_rps, rel=0.03)
    assert after.gap_cv == pytest.approx(before.gap_cv, rel=0.03)
    for lap in (0, 7):
        own = slice(6_000 * lap, 6_000 * (lap + 1))
        times, prompts = found.arrival_ns[own], found.prompt_tokens[own]
        slow, fast = times[3_000] - times[0], times[-1] - times[3_000]
        assert slow / fast == pytest.approx(3, rel=0.12)
        assert prompts[3_000:].mean() / prompts[:3_000].mean() == pytest.approx(10, rel=0.25)
    drawn = {(p, o) for p, o in zip(found.prompt_tokens.tolist(), found.output_tokens.tolist(), strict=True)}
    assert drawn <= set(zip(changing.prompt_tokens.tolist(), changing.output_tokens.tolist(), strict=True))


def test_a_resample_is_seeded_and_may_be_short() -> None:
    calls = poisson(500, 5.0)
    one, again, other = (resample(calls, 800, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one.arrival_ns, again.arrival_ns)
    assert not np.array_equal(one.arrival_ns, other.arrival_ns)
    assert np.array_equal(resample(calls, 100, seed=1).prompt_tokens, one.prompt_tokens[:100])
    assert len(resample(trace_of((0.0, 5, 5)), 3)) == 3
    with pytest.raises(fs.UsageError, match="at least 1"):
        resample(calls, 0)


def test_the_python_call_takes_a_path_and_all_options(calls: Trace) -> None:
    """As keyword arguments, the same as on the transformed trace."""
    group = ReplicaGroup(2, LAW, 8, Batching())
    own = at_load(resample(calls, 3_000, seed=5), 0.7, group)
    first = fs.replay(own, replicas=2, seed=5, keep_every=1, **ON)
    second = fs.replay(calls, replicas=2, seed=5, requests=3_000, load_frac=0.7, keep_every=1, **ON)
    assert same(first, second)
    with pytest.raises(fs.UsageError, match=r"no trace nowhere\.parquet"):
        fs.replay("nowhere.parquet", replicas=1, **ON)


@pytest.mark.parametrize(("words", "said"), [
    ({"replicas": 0}, "1 to 65,536 replicas, not 0"),
    ({"replicas": 65_537}, "1 to 65,536 replicas, not 65,537"),
    ({"usd_per_gpu_hour": float("nan")}, "a price is 0 to 10,000 USD"),
    ({"warm_up_s": -1.0}, "warm-up takes 0 s or more"),
    ({"series_s": 0.0}, "a row every"),
    ({"series_s": 0.001, "load_frac": 1e-4}, "more than 10,000,000 rows"),
    ({"keep_every": -1}, "one request in 1"),
])
def test_wrong_options_are_told(calls: Trace, words: dict[str, Any], said: str) -> None:
    with pytest.raises(fs.UsageError, match=said):
        replay(calls, **{"replicas": 1, **ON, **words})


def test_a_steady_replay_says_all_as_plain_data(calls: Trace) -> None:
    found = replay(calls, replicas=2, **ON)
    assert found.steady is not None
    assert found.as_dict()["steady"] == asdict(found.steady)
    assert found.requests_per_cpu_s == pytest.approx(len(calls) / found.kernel_cpu_s)
