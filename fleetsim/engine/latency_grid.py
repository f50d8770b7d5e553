"""The latency table of one class on one gpu type as arrays: by replicas, load, metric and bucket."""

from functools import cache

import numpy as np

from fleetsim.engine.wait_spread import wait_middles
from fleetsim.kernel.arrays import Array
from fleetsim.model.latency_table import (
    FULL,
    LATENCY_BUCKETS,
    METRICS,
    OVER,
    LatencyPoint,
    LatencyTable,
    latency_edges_s,
)

STEPS_PER_OCTAVE = 16
"""Numbers of replicas between which no difference is made, in each doubling."""


class LatencyGrid:
    """Distributions by replicas and load. Each sums to 1 over the requests, TPOT over those that have one."""

    def __init__(self, table: LatencyTable, gpu: str, traffic_class: str) -> None:
        """From a table that holds every point of the grid."""
        points = {(point.replicas, point.load_frac): distribution(point) for point in table.points
                  if (point.gpu, point.traffic_class) == (gpu, traffic_class)}
        self.replicas, self.loads = np.array(table.replica_counts()), np.array(table.loads(gpu))
        """Both rising; loads up to 1."""
        columns = [float(load) for load in self.loads]
        columns.append(OVER if (self.replicas[0], OVER) in points else columns[-1])
        self.cells = np.stack([[points[count, load] for load in columns] for count in self.replicas.tolist()])
        """(replicas, loads and an overloaded pool, metrics, buckets)."""
        self.full = next(found for (_, load), found in points.items() if load == FULL)
        """(metrics, buckets) of a replica kept full, from admission on."""
        self.quiet = self.cells[0, 0]
        """(metrics, buckets) at the lowest load on the fewest replicas."""
        self.spread_s = table.spread_s[gpu][traffic_class]
        """Variance / mean of waits, between the replicas of an overloaded pool."""
        self._at: dict[int, tuple[Array, Array]] = {}

    def at(self, step: int) -> tuple[Array, Array]:
        """Distributions at 2^(step / STEPS_PER_OCTAVE) replicas: places in metrics x buckets that are not
        empty everywhere, and (loads and an overloaded pool, such places).

        Between two numbers of replicas a time is that of both at its probability, geometrically in the
        logarithm of replicas; beyond the ends, the ends.
        """
        if step not in self._at:
            place = float(np.interp(step / STEPS_PER_OCTAVE, np.log2(self.replicas),
                                    np.arange(len(self.replicas))))
            low = int(place)
            cells = self.cells[low].copy()
            if place > low:
                for load, metric in np.ndindex(*cells.shape[:2]):
                    cells[load, metric] = between(cells[load, metric], self.cells[low + 1, load, metric],
                                                  place - low)
            flat = cells.reshape(len(cells), -1)
            used = np.flatnonzero(flat.any(axis=0))
            self._at[step] = used, flat[:, used]
        return self._at[step]

    def add(self, flows: Array, replicas: Array, weights: Array) -> None:
        """Add to `flows`, (H, metrics, buckets): messages `weights` (H, G + 1) on so many replicas (H,)."""
        steps = np.rint(STEPS_PER_OCTAVE * np.log2(np.clip(replicas, self.replicas[0], self.replicas[-1])))
        flat = flows.reshape(len(flows), -1)
        for step in np.unique(steps):
            rows = np.flatnonzero(steps == step)
            used, cells = self.at(int(step))
            found = np.zeros((len(rows), len(used)))
            for load in np.flatnonzero(weights[rows].any(axis=0)):
                found += weights[rows, load, None] * cells[load]  # matrix products differ between machines
            flat[rows[:, None], used] += found


def between(low: Array, high: Array, part: float) -> Array:
    """A distribution over buckets whose quantiles lie `part` of the way from one's to the other's.

    Buckets are even in the logarithm of time, so a mean of places is a geometric one of times. The sum is
    that of both, likewise between.
    """
    sums = low.sum(), high.sum()
    if min(sums) <= 0:
        return np.asarray((1 - part) * low + part * high)
    shares = [low / sums[0], high / sums[1]]
    ends = [np.minimum(np.cumsum(each), 1.0) for each in shares]
    cuts = np.unique(np.concatenate([[0.0, 1.0], *ends]))
    middle = (cuts[1:] + cuts[:-1]) / 2
    begin, end = np.zeros(len(middle)), np.zeros(len(middle))
    for each, sums_to, weight in zip(shares, ends, (1 - part, part), strict=True):
        bucket = np.minimum(np.searchsorted(sums_to, middle), np.flatnonzero(each)[-1])
        before = sums_to[bucket] - each[bucket]
        for place, cut in ((begin, cuts[:-1]), (end, cuts[1:])):
            place += weight * (bucket + np.clip((cut - before) / each[bucket], 0.0, 1.0))
    places = np.maximum.accumulate(np.stack([begin, end], axis=1).ravel())
    below = np.interp(np.arange(len(low) + 1), places, np.stack([cuts[:-1], cuts[1:]], axis=1).ravel())
    return np.asarray(np.diff(below) * ((1 - part) * sums[0] + part * sums[1]))


def distribution(point: LatencyPoint) -> Array:
    """(metrics, buckets) of a point, per request."""
    counts = np.zeros((len(METRICS), LATENCY_BUCKETS))
    for row, metric in zip(counts, METRICS, strict=True):
        found = point.counts[metric]
        row[list(found)] = list(found.values())
    shares: Array = counts / counts[0].sum()
    return shares


@cache
def wait_shifts() -> Array:
    """(wait buckets, latency buckets): where a latency falls after a wait, both at their bucket's middle.

    The middle is the geometric one, the arithmetic one in a bucket that begins at 0.
    """
    edges = np.array(latency_edges_s())
    middle = np.sqrt(edges[:-1] * edges[1:])
    middle[0] = edges[1] / 2
    found = np.searchsorted(edges, wait_middles()[:, None] + middle[None, :], side="right") - 1
    shifts: Array = np.minimum(found, LATENCY_BUCKETS - 1)
    return shifts
