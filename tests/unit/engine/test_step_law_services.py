"""Services with step laws in the fluid model: busy GPU-seconds are the formula's, on every gpu type."""

from dataclasses import replace

import numpy as np
import pytest

from fleetsim.engine import simulate
from fleetsim.engine.request_pool import Arrivals, RequestPool
from fleetsim.model.replica import Batching, ReplicaGroup, RequestClass
from fleetsim.model.scenario import Scenario
from fleetsim.output.dimensions import dimension_rows
from fleetsim.output.sink import TableSink
from fleetsim.spec import load

SCENARIO = """
fleetsim: 1
name: laws
horizon: {start: 2024-01-01, end: 2024-01-02}
fleets:
  old: {gpu: a100-80gb, provider: x, tranches: [{date: 2024-01-01, gpus: 800}]}
  new: {gpu: h100-80gb, provider: x, tranches: [{date: 2024-01-01, gpus: 800}]}
pools:
  one: {fleets: {old: {gpus: 800}}}
  two: {fleets: {new: {gpus: 800}}}
services:
  named:
    {step_law: {model: llama-2-70b, profile: 2026-engine}, batching: {max_batch: 64}, efficiency_frac: 0.5}
  own:
    step_law:
      gpus:
        h100-80gb:
          decode_ms: [{batch: 1, ms: 30}, {batch: 64, ms: 50}]
          prefill_ms: [{tokens: 128, ms: 40}, {tokens: 2_048, ms: 130}]
          kv_ns_per_token: 40
          kv_tokens: 100_000
          prefill_limit_tokens: 2_048
      source: by hand
      grade: D
    batching: {max_batch: 64}
    gpus_per_replica: 4
  drawn:
    step_law: {roofline: {shape: llama-2-70b, flops_efficiency_frac: 0.5, bandwidth_efficiency_frac: 0.5}}
traffic:
  a:
    {pool: one, service: named, messages_per_day: 864_000, prompt_tokens: {mean: 1_000, cv: 1},
      output_tokens: {mean: 250, cv: 0.8}, calls_per_message: 1.5}
  b: {pool: two, service: own, messages_per_day: 86_400, prompt_tokens: {mean: 1_088},
      output_tokens: {mean: 500, cv: 1}}
  c: {pool: two, service: drawn, messages_per_day: 86_400, prompt_tokens: {mean: 1_000},
      output_tokens: {mean: 250}}
contracts:
  rent-old: {kind: reserved, fleet: old, usd_per_gpu_hour: 1}
  rent-new: {kind: reserved, fleet: new, usd_per_gpu_hour: 2}
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    file = tmp_path_factory.mktemp("laws") / "scenario.yaml"
    file.write_text(SCENARIO)
    return load(file).scenario


@pytest.fixture(scope="module")
def ran(loaded: Scenario) -> TableSink:
    sink = TableSink()
    simulate(loaded, seed=0, sink=sink)
    return sink


def gpu_s(ran: TableSink, pool: str, column: str) -> float:
    rows = ran.table("fact_capacity_hourly").to_pylist()
    return 3_600 * sum(float(row[column]) for row in rows if row["pool"] == pool)


def test_busy_gpu_seconds_are_the_formula(ran: TableSink) -> None:
    """2026-engine on A100: a 17.1 ms, b_p 100 us, b_d 62 us, c 29 ns; half the efficiency; 1.5 calls."""
    calls = 864_000 * 1.5 / 0.5
    prefill = 8 * 100e-6 * 1_000
    decode = 8 * (250 * (17.1e-3 / 64 + 62e-6) + 29e-9 * (250 * 1_000 + (250**2 * 1.64 - 250) / 2))
    assert gpu_s(ran, "one", "prefill_gpu_hours") == pytest.approx(calls * prefill, rel=1e-6)
    assert gpu_s(ran, "one", "decode_gpu_hours") == pytest.approx(calls * decode, rel=1e-6)
    assert gpu_s(ran, "one", "busy_gpu_hours") == pytest.approx(calls * (prefill + decode), rel=1e-6)


def test_classes_of_tables_and_rooflines_add_up(ran: TableSink) -> None:
    """b: tables half way, at 1,088 prompt tokens, and at the batch of 47.9 that KV allows; c: roofline."""
    n = 100_000 / (1_088 + 2 * 500)
    step = 30e-3 + 20e-3 * (n - 1) / 63
    prefill = 4 * (85e-3 - 30e-3 - 40e-9 * 1_088)
    decode = 4 * (500 * step / n + 40e-9 * (500 * 1_088 + (2 * 500**2 - 500) / 2))
    sent = 160 * 8_192 * 2 * 2 * 7 / 8 / 450e9
    batch = 256
    read = 68.98e9 * 2 / (8 * 3.35e12 * 0.5)
    step_c = max(read, 2 * 68.98e9 / (8 * 989e12 * 0.5) * batch) + 160 * 26e-6 + sent * batch
    kv = round(327_680 / (8 * 3.35e12 * 0.5) * 1e9) / 1e9
    decode_c = 8 * (250 * step_c / batch + kv * (250 * 1_000 + (250**2 - 250) / 2))
    assert gpu_s(ran, "two", "decode_gpu_hours") == pytest.approx(86_400 * (decode + decode_c), rel=1e-5)
    attention = 2 * 80 * 8_192 * 1_000**2
    prompt_c = (2 * 68.98e9 * 1_001 + attention) / (8 * 989e12 * 0.5) - read + sent * 1_000
    expected = 86_400 * (prefill + 8 * prompt_c)
    assert gpu_s(ran, "two", "prefill_gpu_hours") == pytest.approx(expected, rel=2e-3)


def test_services_say_which_law_they_follow(loaded: Scenario) -> None:
    rows = dimension_rows(loaded, seed=0, replication=0, resolution="hour")["dim_service"]
    assert rows["service"] == ["named", "own", "drawn", "idle"]
    assert rows["engine_profile"] == ["2026-engine", "declared", "roofline", None]
    assert rows["max_batch"] == [64, 64, 256, None]
    assert rows["routing"] == [*["join_shortest_queue"] * 3, None]
    assert rows["prefill_tokens_per_s_per_gpu"] == rows["gpu_s_per_call"] == [None] * 4


@pytest.mark.parametrize(("service", "gpu", "kv_tokens", "batching"), [
    ("named", "a100-80gb", None, Batching(max_batch=64)),
    ("own", "h100-80gb", 1_000_000, Batching(max_batch=64)),
    ("own", "h100-80gb", 30_000, Batching(max_batch=64)),
    ("own", "h100-80gb", 1_000_000, Batching(max_batch=64, prefill="chunked")),
    ("drawn", "h100-80gb", None, Batching(max_batch=64)),
])
def test_a_full_replica_at_request_level_makes_what_the_formula_says(
        loaded: Scenario, service: str, gpu: str, kv_tokens: int | None, batching: Batching) -> None:
    """Requests that all wait from the start, the first and the last tenth left out."""
    law = loaded.services[service].laws[gpu]
    law = replace(law, kv_tokens=kv_tokens or law.kv_tokens)
    numbers = np.random.default_rng(0)
    prompt, output = (np.maximum(1, np.rint(numbers.lognormal(np.log(mean), 0.7, 10_000))).astype(int)
                      for mean in (800, 200))
    none = np.zeros(10_000, int)
    pool = RequestPool([ReplicaGroup(1, law, 8, batching)], [RequestClass("all")], "shared_queue",
                       trace=Arrivals(none, prompt, output, none), keep_every=1)
    pool.run_out()
    finish_ns = np.sort(pool.taken().finish_ns)
    rate = 8_000 / (finish_ns[9_000] - finish_ns[1_000]) * 1e9
    chunk = batching.step_tokens if batching.prefill == "chunked" else 0
    seconds = sum(law.replica_s_per_call(prompt.mean(), output.mean(), output.std() / output.mean(),
                                         batching.max_batch, chunk_tokens=chunk))
    assert rate * seconds == pytest.approx(1, abs=0.03)
