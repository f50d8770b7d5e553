"""Cells: parts of a service's replicas that share no request with the others, so each is run by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fleetsim.engine.request_pool import RequestPool, latency_counts
from fleetsim.kernel.arrays import NEVER, Array
from fleetsim.model.replica import ReplicaGroup, RequestClass, Routing

TALLIED = ("arrived", "admitted", "abandoned", "shed", "rejected", "admitted_prompt_tokens",
           "admitted_output_tokens", "waited_ns")
"""Columns of `Tally.classes`."""
Act = tuple[str, tuple[Any, ...]]
"""A method of `RequestPool` and its arguments."""


@dataclass(frozen=True)
class Cell:
    """What a cell is at its start."""

    service: int
    """Place of its service; cells of one service are tallied together."""
    scope: str
    """Begins the names of its random streams."""
    groups: tuple[ReplicaGroup, ...]
    classes: tuple[RequestClass, ...]
    routing: Routing
    down: tuple[int, ...]
    """Replicas that are not there yet."""
    start_ns: int
    rate_row_s: float
    seed: int
    replication: int


@dataclass(frozen=True)
class Tally:
    """What the cells of a service add up to so far: whole numbers, so their order does not matter."""

    classes: Array
    """(C, TALLIED) since the start."""
    waiting: Array
    """(C) requests that wait now."""
    waiting_ns: Array
    """(C) how long they have waited, added up."""
    oldest_ns: Array
    """(C) earliest arrival of them; NEVER when nobody waits."""
    tokens: Array
    """(G, 2) prompt and output tokens made by each group of replicas since the start."""
    active_ns: Array
    """(G) time that its replicas had a batch, added up."""

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(self.classes + other.classes, self.waiting + other.waiting,
                     self.waiting_ns + other.waiting_ns, np.minimum(self.oldest_ns, other.oldest_ns),
                     self.tokens + other.tokens, self.active_ns + other.active_ns)


class CellGroup:
    """Cells that one process runs."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.cells = cells
        self.latencies = {cell.service: latency_counts(len(cell.classes)) for cell in cells}
        self.pools = [
            RequestPool(cell.groups, cell.classes, cell.routing, seed=cell.seed, replication=cell.replication,
                        rate_row_s=cell.rate_row_s, start_ns=cell.start_ns, scope=cell.scope, down=cell.down,
                        latency=self.latencies[cell.service])
            for cell in cells]

    def advance(self, acts: Sequence[Sequence[Act]], until_ns: int) -> dict[int, Tally]:
        """Let each cell act now, then move on; the tally of each service."""
        tallies: dict[int, Tally] = {}
        for cell, pool, own in zip(self.cells, self.pools, acts, strict=True):
            for name, values in own:
                getattr(pool, name)(*values)
            pool.advance(until_ns)
            found = tally(pool)
            before = tallies.get(cell.service)
            tallies[cell.service] = found if before is None else before + found
        return tallies

    def latency(self) -> dict[int, Array]:
        """By service: histograms since the start, (C, HISTOGRAMS, buckets)."""
        return {service: counts.copy() for service, counts in self.latencies.items()}

    def waiting(self) -> dict[int, tuple[Array, Array]]:
        """By service: class and arrival of the requests that wait now."""
        found: dict[int, list[tuple[Array, Array]]] = {}
        for cell, pool in zip(self.cells, self.pools, strict=True):
            found.setdefault(cell.service, []).append(pool.waiting())
        return {service: joined(parts) for service, parts in found.items()}


def joined(parts: Sequence[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Class and arrival of several queues."""
    classes, arrivals = zip(*parts, strict=True)
    return np.concatenate(classes), np.concatenate(arrivals)


def tally(pool: RequestPool) -> Tally:
    """Of one cell, now."""
    state, now_ns = pool.state, pool.now_ns
    class_, arrival_ns = pool.waiting()
    count = len(pool.classes)
    oldest = np.full(count, NEVER, np.int64)
    np.minimum.at(oldest, class_, arrival_ns)
    waiting_ns = np.zeros(count, np.int64)
    np.add.at(waiting_ns, class_, now_ns - arrival_ns)
    replicas, groups = state.replicas, len(pool.groups)
    active_ns = replicas["active_ns"] + np.where(replicas["running"] > 0, now_ns - replicas["counted_ns"], 0)
    by_group = np.zeros((groups, 3), np.int64)
    np.add.at(by_group, replicas["group"],
              np.stack([replicas["prompt_tokens"], replicas["output_tokens"], active_ns], axis=1))
    return Tally(
        classes=np.stack([state.classes[name] for name in TALLIED], axis=1).astype(np.int64),
        waiting=np.bincount(class_, minlength=count).astype(np.int64), waiting_ns=waiting_ns,
        oldest_ns=oldest, tokens=by_group[:, :2], active_ns=by_group[:, 2])
