"""The request kernel against the SimPy oracle: all times of all requests, bit for bit, under all options."""

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from request_oracle import Pool, Request

from fleetsim.engine.request_pool import ROUTINGS, Arrivals, RequestPool
from fleetsim.model.replica import Batching, ReplicaGroup, RequestClass, Routing
from fleetsim.model.step_law import BatchTime, PromptTime, StepLaw
from fleetsim.rng import key_of

MASK = 2**64 - 1
SECOND_NS = 10**9


def uniform(key: int, number: int) -> float:
    """splitmix64 in whole numbers."""
    bits = (key + (number + 1) * 0x9E3779B97F4A7C15) & MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    bits ^= bits >> 31
    return ((bits >> 11) + 0.5) * 2.0**-53


@dataclass(frozen=True)
class Case:
    groups: tuple[ReplicaGroup, ...]
    classes: tuple[RequestClass, ...]
    routing: Routing
    arrival_ns: tuple[int, ...]
    requests: tuple[tuple[int, int, int], ...]
    """Prompt, output, class."""
    controls: tuple[tuple[int, str, int], ...]
    splits: tuple[int, ...]
    seed: int


@st.composite
def laws(draw: st.DrawFn) -> StepLaw:
    """Straight laws, and tables with slopes that are no whole numbers."""
    decode = draw(st.sampled_from([
        {"step_ms": 0.001, "decode_us_per_sequence": 0}, {"step_ms": 0.02, "decode_us_per_sequence": 0.05},
        {"decode_ms": (BatchTime(1, 0.001), BatchTime(3, 0.0017), BatchTime(15, 0.03))},
        {"decode_ms": (BatchTime(1, 0.02), BatchTime(15, 0.02))}]))
    limit = draw(st.sampled_from([50, 200, 8_192]))
    prefill = draw(st.sampled_from([
        {"prefill_us_per_token": 0}, {"prefill_us_per_token": 0.007}, {"prefill_us_per_token": 0.1},
        {"prefill_ms": (PromptTime(7, 0.05), PromptTime(60, 0.04), PromptTime(97, 0.0431),
                        PromptTime(limit + 90, 0.9))},
        {"prefill_ms": (PromptTime(1, 0.05), PromptTime(limit + 3, 0.8))}]))
    return StepLaw(**decode, **prefill, prefill_limit_tokens=limit,
                   kv_ns_per_token=draw(st.sampled_from([0, 1, 13])),
                   kv_tokens=draw(st.sampled_from([300, 600, 2_000, 10**6])))


groups = st.builds(
    ReplicaGroup,
    replicas=st.sampled_from([1, 2, 3, 17]),
    law=laws(),
    batching=st.builds(
        Batching, max_batch=st.sampled_from([1, 2, 4, 8, 15]), prefill=st.sampled_from(["whole", "chunked"]),
        step_tokens=st.sampled_from([16, 64, 300]), kv=st.sampled_from(["reserved", "grown"]),
        block_tokens=st.sampled_from([1, 4, 16])))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    count = draw(st.sampled_from([1, 20, 200, 500]))
    gap_ns = draw(st.sampled_from([100, 3_000, 20_000, 200_000]))
    end_ns = count * gap_ns
    numbers = np.random.default_rng(draw(st.integers(0, 2**32)))
    arrival_ns = np.sort(numbers.integers(0, end_ns, count))
    if draw(st.booleans()):
        arrival_ns = arrival_ns // 1_000 * 1_000  # many at one nanosecond
    classes = tuple(
        RequestClass(name=f"class-{k}", priority=draw(st.integers(0, 2)),
                     patience_s=draw(st.sampled_from([math.inf, 1e-4, 1e-3])),
                     max_wait_s=draw(st.sampled_from([math.inf, 3e-4])),
                     cached_frac=draw(st.sampled_from([0.0, 0.5, 1.0])),
                     output_mean_tokens=draw(st.sampled_from([1.0, 20.0])))
        for k in range(draw(st.integers(1, 3))))
    tokens = np.clip(numbers.lognormal((3.5, 2.5), 1.0, (count, 2)), 1, 400).astype(int)
    requests = [(int(p), int(o), int(numbers.integers(len(classes)))) for p, o in tokens]
    chosen = tuple(draw(st.lists(groups, min_size=1, max_size=2)))
    replicas = sum(group.replicas for group in chosen)
    times = st.integers(0, end_ns)
    return Case(
        groups=chosen, classes=classes, routing=draw(st.sampled_from(ROUTINGS)),
        arrival_ns=tuple(int(t) for t in arrival_ns), requests=tuple(requests),
        controls=tuple(sorted(draw(st.lists(
            st.tuples(times, st.sampled_from(["fail", "drain", "restore"]), st.integers(0, replicas - 1)),
            max_size=8, unique_by=lambda each: each[0])))),
        splits=tuple(draw(st.lists(times, max_size=4))), seed=draw(st.integers(0, 1_000)))


def by_kernel(case: Case, end_ns: int) -> tuple[RequestPool, list[tuple[int, ...]]]:
    prompt, output, class_ = (np.array(column) for column in zip(*case.requests, strict=True))
    pool = RequestPool(case.groups, case.classes, case.routing, seed=case.seed, keep_every=1,
                       trace=Arrivals(np.array(case.arrival_ns), prompt, output, class_))
    acts = [*case.controls, *((time, "", 0) for time in case.splits)]
    for time, act, replica in sorted(acts, key=lambda each: each[0]):
        pool.advance(time)
        if act:
            getattr(pool, act)(replica)
    pool.advance(end_ns)
    return pool, sorted((int(row.number), int(row.arrival_ns), int(row.admitted_ns), int(row.first_ns),
                         int(row.finish_ns), int(row.replica), int(row.outcome)) for row in pool.taken())


def by_oracle(case: Case, end_ns: int) -> list[tuple[int, ...]]:
    levels = sorted({each.priority for each in case.classes})
    pool = Pool(case.groups, len(levels), case.routing, lambda n: uniform(key_of(case.seed, 0, "routing"), n))
    drawn = [0] * len(case.classes)
    for number, (prompt, output, c) in enumerate(case.requests):
        arrival_ns = case.arrival_ns[number]
        class_ = case.classes[c]
        key = key_of(case.seed, 0, f"traffic/{class_.name}/requests")
        patience_ns = -math.log(uniform(key, 4 * drawn[c] + 3)) * (class_.patience_s * SECOND_NS)
        wait_ns = min(class_.max_wait_s * SECOND_NS, patience_ns)
        drawn[c] += 1
        deadline_ns = arrival_ns + int(wait_ns) if wait_ns < math.inf else None
        pool.expect(Request(
            number, c, levels.index(class_.priority), arrival_ns, prompt, output,
            cached=min(prompt - 1, int(prompt * class_.cached_frac)), deadline_ns=deadline_ns,
            shed_at_deadline=wait_ns >= round(min(class_.max_wait_s, 1e9) * SECOND_NS),
            mean_output=round(class_.output_mean_tokens)))
    for time, act, replica in case.controls:
        pool.control(time, lambda act=act, replica=replica: getattr(pool, act)(replica))
    pool.env.run(until=end_ns)
    return sorted(pool.over)


@settings(suppress_health_check=list(HealthCheck), deadline=None)
@given(cases())
def test_the_kernel_is_the_oracle(case: Case) -> None:
    end_ns = case.arrival_ns[-1] + 10**12
    pool, found = by_kernel(case, end_ns)
    assert found == by_oracle(case, end_ns)
    assert len(found) + pool.in_flight == len(case.requests)
    if pool.in_flight == 0:
        left = pool.state.replicas
        for name in ("load", "running", "batch", "kv", "used", "tokens", "finishing"):
            assert not left[name].any(), name
        assert not pool.state.residues.any()
