"""Requests per CPU-second of the request kernel: by replicas, routing, load, prefill and KV cache."""

import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from measure import Measured

from fleetsim.engine.request_pool import RequestPool
from fleetsim.experiments.replay import replay
from fleetsim.model.replica import Batching, ReplicaGroup, RequestClass, Routing
from fleetsim.spec import catalog
from fleetsim.spec.trace import import_trace
from fleetsim.spec.trace.azure_2023 import AZURE_2023

AZURE = Path(__file__).parents[2] / "shared" / "data" / "azure-llm-inference-2023-conv.csv"
LAW = catalog.step_profiles()["llama-2-70b-2023-engine-a100-80gb"].law
CHAT = RequestClass("chat", prompt_mean_tokens=1_155, prompt_cv=0.96, output_mean_tokens=211, output_cv=0.77)
"""Means and spread of the Azure conversation trace."""
MAX_BATCH = 64
NS, MANY_NS = 1_000, 3_333
"""A million requests per CPU-second; 300,000 of them with 10,000 replicas, chunks or preemption."""


def ns_per_request(replicas: int, routing: Routing = "join_shortest_queue", load_frac: float = 0.8,
                   requests: int = 200_000, repeats: int = 2, **batching: Any) -> float:
    """CPU per request served, after the batches have filled; the least of several runs."""
    batch = Batching(**{"max_batch": MAX_BATCH, **batching})
    rps = load_frac * replicas * LAW.saturation_rps(
        CHAT.prompt_mean_tokens, CHAT.output_mean_tokens, CHAT.output_cv, batch.max_batch)
    warm_s, span_s = 120.0, requests / rps
    rates_rps = np.full((int((warm_s + span_s) / 300) + 1, 1), rps)
    least = np.inf
    for _ in range(repeats):
        pool = RequestPool([ReplicaGroup(replicas, LAW, batching=batch)], [CHAT], routing,
                           rates_rps=rates_rps)
        pool.advance(round(warm_s * 1e9))
        before, began = pool.count(0, "served"), time.process_time()
        pool.advance(round((warm_s + span_s) * 1e9))
        taken_s = time.process_time() - began
        least = min(least, taken_s / (pool.count(0, "served") - before) * 1e9)
    return least


def preempting() -> tuple[float, float]:
    """CPU per request where the KV cache of 60,000 tokens is full, and prompt tokens prefilled / served."""
    law = replace(LAW, kv_tokens=60_000)
    tokens = CHAT.prompt_mean_tokens + CHAT.output_mean_tokens * (1 + CHAT.output_cv**2) / 2
    rps = 100 * law.saturation_rps(CHAT.prompt_mean_tokens, CHAT.output_mean_tokens, CHAT.output_cv,
                                   round(law.kv_tokens / tokens))
    pool = RequestPool([ReplicaGroup(100, law, batching=Batching(max_batch=256, kv="grown"))], [CHAT],
                       "join_shortest_queue", rates_rps=np.full((20, 1), rps))
    pool.advance(round(120e9))
    served, prefilled, asked = (pool.count(0, "served"), pool.state.replicas["prompt_tokens"].sum(),
                                pool.count(0, "prompt_tokens"))
    began = time.process_time()
    pool.advance(round((120.0 + 200_000 / rps) * 1e9))
    taken_s = time.process_time() - began
    again = ((pool.state.replicas["prompt_tokens"].sum() - prefilled)
             / (pool.count(0, "prompt_tokens") - asked))
    return taken_s / (pool.count(0, "served") - served) * 1e9, float(again)


def line(what: str, ns: float, at_most: float | None = None) -> Measured:
    """A row of the table."""
    return Measured(what, ns, "ns CPU", at_most, f"{1e9 / ns:,.0f} requests per CPU-s")


def measure() -> list[Measured]:
    """One axis after the other from 100 replicas, the shortest queue and a load of 0.8."""
    by_replicas = {10: ns_per_request(10), 100: ns_per_request(100), 1_000: ns_per_request(1_000),
                   10_000: ns_per_request(10_000, repeats=1, requests=400_000)}
    lines = [line(f"{replicas:,} replicas", ns, NS if replicas < 10_000 else MANY_NS)
             for replicas, ns in by_replicas.items()]
    lines.append(Measured("1,000 replicas / 10 replicas", by_replicas[1_000] / by_replicas[10], "", 5))
    for routing in ("round_robin", "hash", "two_choices", "least_tokens"):
        lines.append(line(f"100 replicas, {routing}", ns_per_request(100, routing)))
    shared = {replicas: ns_per_request(replicas, "shared_queue", repeats=1) for replicas in (100, 1_000)}
    lines += [line(f"{replicas:,} replicas, shared_queue", ns, MANY_NS) for replicas, ns in shared.items()]
    lines.append(Measured("shared_queue, 1,000 replicas / 100 replicas", shared[1_000] / shared[100], "", 4))
    for load_frac in (0.2, 0.5, 0.95):
        ns = ns_per_request(100, load_frac=load_frac)
        lines.append(line(f"100 replicas, load {load_frac:g}", ns, 2 * NS))
    for name, batching in (("chunked prefill", {"prefill": "chunked"}),
                           ("grown KV, batch 256", {"kv": "grown", "max_batch": 256}),
                           ("both", {"prefill": "chunked", "kv": "grown", "max_batch": 256})):
        lines.append(line(f"100 replicas, {name}", ns_per_request(100, **batching), MANY_NS))
    ns, again = preempting()
    lines.append(line(f"100 replicas, KV full: {again - 1:.0%} of prompts prefilled again", ns, MANY_NS))
    lines.append(Measured("prompts served / prefilled, KV full", 1 / again, "", 0.97))
    return lines + ([by_trace()] if AZURE.exists() else [])


def by_trace() -> Measured:
    """A million requests like those of the Azure conversation trace."""
    with TemporaryDirectory() as folder:
        trace = Path(folder) / "azure.parquet"
        assert AZURE_2023.layout is not None
        import_trace(AZURE, AZURE_2023.layout, trace)
        found = replay(trace, service="llama-2-70b", gpu="a100-80gb", replicas=100, requests=1_000_000,
                       load_frac=0.8, batching=Batching(max_batch=MAX_BATCH))
    ns = found.kernel_cpu_s / found.arrived * 1e9
    return line("100 replicas, Azure trace to 1,000,000", ns, NS)
