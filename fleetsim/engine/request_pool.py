"""A pool at request level: the kernel's arrays, made from what is declared, and what comes out of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from fleetsim.engine.latency import HISTOGRAMS, Latency
from fleetsim.kernel import min_tree
from fleetsim.kernel.arrays import NEVER, Array
from fleetsim.kernel.request.advance import NO_SLOT, THERE, advance, begin, learn, take_over
from fleetsim.kernel.request.arrays import (
    CLASS,
    CLOCK,
    DONE,
    DOWN,
    GROUP,
    IDLE,
    NONE,
    QUEUE,
    REPLICA,
    REQUEST,
    UP,
    State,
)
from fleetsim.kernel.request.control import drain, fail, restore
from fleetsim.kernel.request.histogram import BUCKETS
from fleetsim.model.replica import ReplicaGroup, RequestClass, Routing
from fleetsim.model.token_law import location, spread
from fleetsim.rng import key_of
from fleetsim.timebase import SECOND_NS

ROUTINGS: tuple[Routing, ...] = ("shared_queue", "round_robin", "hash", "join_shortest_queue", "least_tokens",
                                 "least_mean_tokens", "two_choices")
"""In the order of the kernel's numbers."""
FIRST_SLOTS = 1_024
DONE_ROWS = 1 << 16


@dataclass(frozen=True)
class Arrivals:
    """Requests one by one, in order of time: a trace."""

    arrival_ns: Array
    """(N,) int64, from the start of the run."""
    prompt_tokens: Array
    output_tokens: Array
    class_: Array
    """(N,) place of the traffic class."""


NO_ARRIVALS = Arrivals(*(np.zeros(0, np.int64) for _ in range(4)))


class RequestPool:
    """Replicas and the requests in flight on them. Time moves only forward, by `advance`."""

    def __init__(self, groups: Sequence[ReplicaGroup], classes: Sequence[RequestClass], routing: Routing, *,
                 seed: int = 0, replication: int = 0, trace: Arrivals = NO_ARRIVALS,
                 rates_rps: Array | None = None, rate_row_s: float = 300.0, keep_every: int = 0,
                 start_ns: int = 0, scope: str = "", down: Sequence[int] = (),
                 latency: Array | None = None) -> None:
        """`rates_rps` is (K, C): requests per second of each class, in rows of `rate_row_s` from the start.

        One request in `keep_every` is kept for `taken`; 0 keeps none. `scope` begins the names of its
        random streams, `down` are replicas that are not there yet, and `latency` an array in which
        several pools count together.
        """
        self.groups, self.classes = tuple(groups), tuple(classes)
        count = sum(group.replicas for group in groups)
        widest = max(group.batching.max_batch for group in groups)
        if rates_rps is None:
            rates_rps = np.zeros((0, len(classes)))
        starts = min_tree.layout(count)
        idle = np.full(count, IDLE) if routing == "shared_queue" else np.arange(count)  # as `rank` gives them
        levels = sorted({each.priority for each in classes})
        self._kept: list[Array] = []
        self.state = State(
            clock=_clock(now_ns=start_ns, routing=ROUTINGS.index(routing), levels=len(levels), up=count,
                         seed=np.uint64(key_of(seed, replication, f"{scope}routing")), done_every=keep_every,
                         sought=NONE, promised=NONE),
            groups=_groups(groups),
            decode_ns=_decode(groups, widest),
            prefill=_prefill(groups),
            replicas=_replicas(groups, count),
            finish=np.full((count, widest + 2), NEVER, np.int64),
            residues=np.zeros((count, max(group.batching.block_tokens for group in groups)), np.int64),
            queues=_filled((count + 1, len(levels)), QUEUE, NONE),
            prefilling=_filled((count,), QUEUE, NONE),
            requests=_slots(FIRST_SLOTS, 0),
            leaving=np.zeros(FIRST_SLOTS, np.int64),
            starting=np.zeros(widest, np.int64),
            classes=_classes(classes, levels, lambda name: key_of(seed, replication, scope + name)),
            rates=np.ascontiguousarray(rates_rps, dtype=np.float64),
            rates_from_ns=start_ns,
            rate_ns=round(rate_row_s * SECOND_NS),
            trace_ns=np.ascontiguousarray(trace.arrival_ns, dtype=np.int64),
            trace=np.stack([trace.prompt_tokens, trace.output_tokens, trace.class_], axis=1).astype(np.int64),
            times=min_tree.filled(starts, np.full(count, NEVER)),
            ranks=min_tree.filled(starts, idle),
            tree=starts,
            serving=np.arange(count),
            latency=latency_counts(len(classes)) if latency is None else latency,
            done=_records(DONE_ROWS if keep_every else 1, DONE),
        )
        if len(down) > 0:
            self.state.replicas["up"][list(down)] = DOWN
            up = self.state.replicas["up"] == UP
            self.state.ranks[:] = min_tree.filled(starts, np.where(up, idle, NEVER))
            serving = np.flatnonzero(up)
            self.state.serving[: len(serving)] = serving
            self.state.clock["up"] = len(serving)
        begin(self.state)

    @property
    def now_ns(self) -> int:
        return int(self.state.clock[0].now_ns)

    @property
    def in_flight(self) -> int:
        """Requests that wait or run."""
        return int(self.state.clock[0].in_flight)

    def advance(self, until_ns: int) -> None:
        """Move on to a time. Any split of the way there gives the same result."""
        while (outcome := advance(self.state, until_ns)) != THERE:
            if outcome == NO_SLOT:
                self._grow()
            else:
                self._keep()

    def expect(self, rates_rps: Array) -> None:
        """Further rows of rates, (K, C), from now on; those known so far must end now."""
        self.state = self.state._replace(
            rates=np.ascontiguousarray(rates_rps, dtype=np.float64), rates_from_ns=self.now_ns)
        learn(self.state)

    def take_over(self, class_: int, requests: int, first_ns: int, last_ns: int) -> None:
        """Let requests in that came between two times before now and still wait.

        They have the remaining patience of somebody who waits: patience has no memory.
        """
        done = 0
        while (done := take_over(self.state, class_, requests, first_ns, last_ns, done)) < requests:
            self._grow()

    def run_out(self) -> None:
        """Move on until every request that has arrived is over and none is to come."""
        self.advance(int(NEVER) - 1)

    def fail(self, replica: int) -> None:
        """A replica is lost now; its requests are routed again."""
        if self.state.replicas[replica].up != DOWN:
            fail(self.state, replica)

    def drain(self, replica: int) -> None:
        """A replica takes no more requests and goes when its batch is done."""
        if self.state.replicas[replica].up == UP:
            drain(self.state, replica)

    def restore(self, replica: int) -> None:
        """A replica takes requests again."""
        if self.state.replicas[replica].up != UP:
            restore(self.state, replica)

    @property
    def active_gpu_s(self) -> float:
        """GPU-seconds of replicas with a batch, up to the last change of each batch."""
        gpus = self.state.groups["gpus"][self.state.replicas["group"]]
        return float((self.state.replicas["active_ns"] * gpus).sum()) / SECOND_NS

    @property
    def last_change_ns(self) -> int:
        """When a batch last changed."""
        return int(self.state.replicas["counted_ns"].max())

    def latency(self, class_: int, metric: str) -> Latency:
        """Of a traffic class by its place, over its served requests."""
        return Latency(self.state.latency[class_, HISTOGRAMS.index(metric)].copy())

    def count(self, class_: int, what: str) -> int:
        """Requests or tokens of a traffic class by its place: `arrived`, `served`, `rejected`, `abandoned`,
        `shed`, `slo_met`; `prompt_tokens` and `output_tokens` of the served."""
        return int(self.state.classes[class_][what])

    def waiting(self) -> tuple[Array, Array]:
        """Class and arrival of the requests that wait and have never been admitted."""
        rows = self.state.requests[self.state.requests["started"] == 0]
        return rows["class_"], rows["arrival_ns"]

    def limit_wait(self, class_: int, max_wait_s: float) -> None:
        """The longest wait of requests that arrive from now on."""
        self.state.classes[class_].max_wait_ns = _ns(max_wait_s)

    def taken(self) -> Array:
        """The kept requests that are over since the last call, in order of their end, DONE."""
        self._keep()
        kept, self._kept = self._kept, []
        return np.concatenate(kept).view(np.recarray)

    def _keep(self) -> None:
        clock = self.state.clock[0]
        self._kept.append(self.state.done[: clock.done].copy())
        clock.done = 0

    def _grow(self) -> None:
        """Twice the slots for requests in flight."""
        old = self.state.requests
        slots = _slots(2 * len(old), len(old))
        slots[: len(old)] = old
        self.state = self.state._replace(
            requests=slots, leaving=np.concatenate([self.state.leaving, np.zeros(len(old), np.int64)]))
        self.state.clock[0].free = len(old)


def _records(shape: int | tuple[int, ...], dtype: Any) -> Array:
    return np.zeros(shape, dtype).view(np.recarray)


def _filled(shape: tuple[int, ...], dtype: Any, value: int) -> Array:
    rows = _records(shape, dtype)
    for name in dtype.names:
        rows[name] = value
    return rows


def _slots(count: int, first: int) -> Array:
    """Free slots, each naming the next one."""
    slots = _records(count, REQUEST)
    slots["next"] = np.arange(1, count + 1)
    slots["next"][-1] = NONE
    slots["admission"] = NONE
    slots["started"] = 1
    return slots


def _clock(**values: Any) -> Array:
    clock = _records(1, CLOCK)
    for name, value in values.items():
        clock[name] = value
    return clock


def _groups(groups: Sequence[ReplicaGroup]) -> Array:
    rows = _records(len(groups), GROUP)
    first = 0
    for row, group in zip(rows, groups, strict=True):
        law, batching = group.law, group.batching
        grown = batching.kv == "grown"
        row.first_replica, row.last_replica = first, first + group.replicas
        row.gpus, row.max_batch = group.gpus, batching.max_batch
        row.block_tokens, row.grow = batching.block_tokens, grown
        row.kv_room = law.kv_tokens // (batching.block_tokens if grown else 1)
        row.chunk_tokens = batching.step_tokens if batching.prefill == "chunked" else 0
        row.prefill_limit_tokens = law.prefill_limit_tokens
        row.kv_ns, row.prefill_ns = law.kv_ns, law.prefill_ns
        row.prefill_points = len(law.prefill_points)
        first += group.replicas
    return rows


def _replicas(groups: Sequence[ReplicaGroup], count: int) -> Array:
    rows = _records(count, REPLICA)
    rows["group"] = np.repeat(np.arange(len(groups)), [group.replicas for group in groups])
    rows["up"] = UP
    return rows


def _decode(groups: Sequence[ReplicaGroup], widest: int) -> Array:
    rows = np.full((len(groups), widest + 1), NEVER, np.int64)
    for row, group in zip(rows, groups, strict=True):
        row[: group.batching.max_batch + 1] = group.law.decode_ns(group.batching.max_batch)
    return rows


def _prefill(groups: Sequence[ReplicaGroup]) -> Array:
    rows = np.zeros((len(groups), max(1, *(len(group.law.prefill_points) for group in groups)), 2), np.int64)
    for row, group in zip(rows, groups, strict=True):
        if points := group.law.prefill_points:
            row[: len(points)] = points
    return rows


def latency_counts(classes: int) -> Array:
    """Histograms of so many classes, empty."""
    return np.zeros((classes, len(HISTOGRAMS), BUCKETS), np.int64)


def _classes(classes: Sequence[RequestClass], levels: list[int], key: Callable[[str], int]) -> Array:
    rows = _records(len(classes), CLASS)
    for row, each in zip(rows, classes, strict=True):
        row.level = levels.index(each.priority)
        row.seed = key(f"traffic/{each.name}/requests")
        row.patience_ns = each.patience_s * SECOND_NS
        row.max_wait_ns = _ns(each.max_wait_s)
        row.cached_frac = each.cached_frac
        row.ttft_slo_ns, row.tpot_slo_ns = _ns(each.ttft_slo_s), min(_ns(each.tpot_slo_s), 1 << 40)
        row.mean_output_tokens = round(each.output_mean_tokens)
        for name, mean, cv in (("prompt", each.prompt_mean_tokens, each.prompt_cv),
                               ("output", each.output_mean_tokens, each.output_cv)):
            row[f"{name}_mu"] = location(mean, cv, each.context_limit_tokens)
            row[f"{name}_sigma"] = spread(cv)
            row[f"{name}_max"] = each.context_limit_tokens
    return rows


def _ns(seconds: float) -> int:
    return int(NEVER) if seconds == inf else round(seconds * SECOND_NS)
