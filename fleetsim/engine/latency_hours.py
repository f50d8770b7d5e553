"""Latency by hour: histograms of what messages waited and took, for services whose latency is known by load.

The fluid kernel says how many messages were served at which load; the latency tables say what that means.
Counts follow the whole served messages of `fact_traffic_hourly`.
"""

from datetime import timedelta
from functools import cached_property

import numpy as np

from fleetsim.engine.index import Index
from fleetsim.engine.latency_grid import LatencyGrid, wait_shifts
from fleetsim.engine.wait_spread import fluctuation_s2, spread
from fleetsim.kernel.arrays import GPU_SECONDS, Array, Hourly
from fleetsim.model.base import Dated, at
from fleetsim.model.latency_table import LATENCY_BUCKETS, METRICS, Metric, latency_edges_s
from fleetsim.model.scenario import Scenario
from fleetsim.timebase import HOUR_S

ALLOCATED = GPU_SECONDS.index("allocated")


class LatencyHours:
    """Histograms of the hours at hand by (traffic class, service) with a latency table."""

    def __init__(self, scenario: Scenario, index: Index) -> None:
        self.scenario, self.index = scenario, index
        self.keys = tuple(dict.fromkeys((c, index.slots[c][m]) for c, m, _ in index.units))
        """(class, service) of each histogram."""
        self.grids = [self._grid(*unit) for unit in index.units]
        self._measured: dict[tuple[int, int, str], Array] = {}

    def _grid(self, c: int, m: int, k: int) -> LatencyGrid:
        service, gpu = self.index.slots[c][m], self.scenario.fleets[self.index.shares[k][0]].gpu
        return LatencyGrid(self.scenario.latency_tables[service], gpu, self.index.classes[c])

    def put(self, hour: int, class_: int, service: str, counts: Array) -> None:
        """What an hour of the run was measured to take, (metrics, buckets), in place of what a table says.

        For hours that were simulated request by request, also of classes and services without a table.
        """
        self._measured[hour, class_, service] = counts

    @property
    def known(self) -> bool:
        """Whether anything is known of any latency."""
        return bool(self.keys or self._measured)

    def counts(self, hourly: Hourly, skip: int) -> "HourCounts":
        """Whole messages of the block's hours after the first `skip`, which are forgotten."""
        hours = hourly.served.shape[0] - skip
        first = hourly.first_hour + skip
        given = {key: counts for key, counts in self._measured.items() if first <= key[0] < first + hours}
        self._measured = {key: counts for key, counts in self._measured.items() if key[0] >= first + hours}
        keys = (*self.keys, *dict.fromkeys(key[1:] for key in given if key[1:] not in self.keys))
        found = np.zeros((hours, len(keys), len(METRICS), LATENCY_BUCKETS), dtype=np.int64)
        has = np.zeros((hours, len(keys)), dtype=np.bool_)
        for q in range(len(self.keys)):
            found[:, q] = self._whole(q, hourly, skip)
            has[:, q] = True
        for (hour, c, service), counts in given.items():
            q, row = keys.index((c, service)), hour - first
            slots = [m for m, name in enumerate(self.index.slots[c]) if name == service]
            served = hourly.served[skip + row, c, slots].sum(keepdims=True)
            found[row, q] = whole_counts(counts[None], served)
            has[row, q] = bool(counts[0].any())
        return HourCounts(keys, found, has)

    def _whole(self, q: int, hourly: Hourly, skip: int) -> Array:
        """(H, metrics, buckets) whole messages of a class and service."""
        c, service = self.keys[q]
        slots = [m for m, name in enumerate(self.index.slots[c]) if name == service]
        served = hourly.served[skip:, c, slots].sum(axis=1)
        flows = np.zeros((len(served), len(METRICS), LATENCY_BUCKETS))
        fluctuation = self._fluctuation_s2(hourly, skip, c, service)
        for unit, (of, m, k) in enumerate(self.index.units):
            if of == c and m in slots:
                replicas = self._replicas(hourly, skip, c, m, k)
                self._add(flows, unit, hourly, skip, replicas, fluctuation)
        empty = flows[:, 0].sum(axis=1) <= 0  # a whole message counted in an hour without flow
        if empty.any():
            units = [u for u, (of, m, _) in enumerate(self.index.units) if of == c and m in slots]
            flows[empty] = self.grids[units[0]].quiet
        return whole_counts(flows, served)

    def _fluctuation_s2(self, hourly: Hourly, skip: int, c: int, service: str) -> Array:
        """(H,) variance of a class's waits that the queue of a service makes, by the hour's admissions."""
        traffic, classes = self.scenario.traffic, self.index.classes
        (pool,) = (of_pool for of_pool in self.index.pool_classes if c in of_pool)
        per_s = {}
        for other in pool:
            slots = [m for m, name in enumerate(self.index.slots[other]) if name == service]
            calls = traffic[classes[other]].calls_per_message * hourly.served[skip:, other, slots].sum(axis=1)
            per_s[other] = calls / HOUR_S
        spec = traffic[classes[c]]
        before = np.zeros(len(per_s[c]))
        for other in pool:
            if traffic[classes[other]].priority < spec.priority:
                before = before + per_s[other]
        return fluctuation_s2(spec.patience_s, per_s[c], before)

    def _add(self, flows: Array, unit: int, hourly: Hourly, skip: int, replicas: Array,
             pool_s2: Array) -> None:
        """Add the messages of one unit by load, and those that waited at the load of a full replica."""
        c, grid = self.index.units[unit][0], self.grids[unit]
        weights = hourly.load_served[skip:, unit, : len(grid.loads) + 1].copy()
        rows = np.flatnonzero(hourly.waited[skip:, c])
        queued = np.zeros(len(weights))
        if len(rows):
            waits = hourly.waits[skip:][rows, c]
            everybody = np.maximum(hourly.served[skip:][rows, c].sum(axis=1), waits.sum(axis=1))
            part = waits.sum(axis=1) / np.maximum(everybody, 1e-300)
            queued[rows] = part * weights[rows].sum(axis=1)
            # Those that waited came to full replicas, so they are the ones with the highest loads; the last
            # column is of steps in which they had no queue.
            order = [*range(len(grid.loads) - 1, -1, -1), len(grid.loads)]
            above = np.cumsum(weights[np.ix_(rows, order)], axis=1)
            left = np.maximum(0.0, above - queued[rows, None])
            weights[np.ix_(rows, order)] = np.diff(left, axis=1, prepend=0.0)
            for row, wait in zip(rows, waits, strict=True):
                if queued[row] > 0:
                    real, at_1 = spread(wait / wait.sum() * queued[row], grid.spread_s, float(pool_s2[row]))
                    flows[row] += shifted(grid.full, real)
                    weights[row, len(grid.loads) - 1] += at_1
        grid.add(flows, replicas, weights)

    def _replicas(self, hourly: Hourly, skip: int, c: int, m: int, k: int) -> Array:
        """(H,) replicas of a service on a share: its part of the pool's work, less what efficiency takes."""
        name = self.index.slots[c][m]
        service = self.scenario.services[name]
        gpus = hourly.gpu_s[ALLOCATED, skip:, k] / HOUR_S
        of_pool = next(classes for classes in self.index.pool_classes if c in classes)
        work = own = np.zeros(len(gpus))
        for other in of_pool:
            done = hourly.work_gpu_s[skip:, other]
            work = work + done.sum(axis=1)
            slots = [s for s, slot in enumerate(self.index.slots[other]) if slot == name]
            own = own + done[:, slots].sum(axis=1)
        part = np.divide(own, work, out=np.ones_like(work), where=work > 0)
        start = self.scenario.horizon.start + timedelta(hours=hourly.first_hour + skip)
        efficiency: Dated[float] = service.efficiency_frac
        by_hour = np.array([at(efficiency, start + timedelta(hours=h)) for h in range(len(gpus))])
        return np.asarray(gpus * part * by_hour / service.gpus_per_replica)


class HourCounts:
    """Whole messages by hour, (class, service), metric and bucket."""

    def __init__(self, keys: tuple[tuple[int, str], ...], counts: Array, known: Array) -> None:
        self.keys = keys
        self.counts = counts
        """(H, keys, metrics, buckets)."""
        self.known = known
        """(H, keys): whether the latency of what was served is known."""

    @cached_property
    def _edges(self) -> Array:
        return np.array(latency_edges_s())

    def within(self, key: tuple[int, str], metric: Metric, limit_s: float) -> tuple[Array, Array]:
        """(H,) messages within a limit, interpolated inside its bucket; and whether that is known.

        Messages without the metric, as those of a single token for TPOT, count as within.
        """
        if key not in self.keys:
            return np.zeros(len(self.counts), np.int64), np.zeros(len(self.counts), np.bool_)
        q = self.keys.index(key)
        counts, edges = self.counts[:, q, METRICS.index(metric)], self._edges
        b = min(int(np.searchsorted(edges, limit_s, side="right")) - 1, LATENCY_BUCKETS - 1)
        low, high = edges[b], edges[b + 1]
        inside = limit_s / high if b == 0 else np.log(limit_s / low) / np.log(high / low)
        met = counts[:, :b].sum(axis=1) + np.floor(counts[:, b] * min(1.0, inside) + 0.5).astype(np.int64)
        without = self.counts[:, q, 0].sum(axis=1) - counts.sum(axis=1)
        return met + without, self.known[:, q]


def shifted(counts: Array, waits: Array) -> Array:
    """(metrics, buckets) of the messages `waits`, by bucket of their wait, each of which takes `counts` after
    it: TTFT and E2E are that longer."""
    found: Array = counts * waits.sum()
    bucket = np.flatnonzero(waits)
    shifts = wait_shifts()[bucket]
    for metric in ("ttft", "e2e"):
        row = METRICS.index(metric)
        used = np.flatnonzero(counts[row])
        found[row] = np.bincount(shifts[:, used].ravel(), minlength=LATENCY_BUCKETS,
                                 weights=np.outer(waits[bucket], counts[row, used]).ravel())
    return found


def whole_counts(flows: Array, served: Array) -> Array:
    """Flows (H, metrics, buckets) as whole messages: of the first metric as many as were served.

    The cumulative counts are rounded, so that none is off by more than half a message and their sum is
    exact; of the others as many as they have of the first, rounded.
    """
    used = np.flatnonzero(flows.any(axis=(0, 1)))
    found = np.zeros(flows.shape, dtype=np.int64)
    if not len(used):
        return found
    span = slice(used[0], used[-1] + 1)
    sums = np.cumsum(flows[:, :, span], axis=2)
    whole = sums[:, :, -1].copy()
    everybody = np.maximum(whole[:, :1], 1e-300)
    totals = np.floor(np.minimum(1.0, whole / everybody + 1e-12) * served[:, None] + 0.5)
    sums /= np.maximum(whole, 1e-300)[:, :, None]
    sums *= totals[:, :, None]
    sums += 0.5
    np.floor(sums, out=sums)
    found[:, :, span] = np.diff(sums, axis=2, prepend=0)
    return found
