"""The latency table of one class on one gpu type as arrays: by replicas, load, metric and bucket."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from fleetsim.kernel.arrays import BUCKETS_PER_OCTAVE, FIRST_EDGE_S, WAIT_BUCKETS, Array
from fleetsim.model.latency_table import (
    FULL,
    LATENCY_BUCKETS,
    METRICS,
    LatencyPoint,
    LatencyTable,
    latency_edges_s,
)


@dataclass(frozen=True)
class LatencyGrid:
    """Distributions by replicas and load. Each sums to 1 over the requests, TPOT over those that have one."""

    replicas: Array
    """(R,) rising."""
    loads: Array
    """(G,) rising, below FULL."""
    used: Array
    """Places in metrics x buckets that are not empty everywhere."""
    table: Array
    """(R x G, used)."""
    full: Array
    """(metrics, buckets) of a replica kept full, from admission on."""
    quiet: Array
    """(metrics, buckets) at the lowest load on the fewest replicas."""

    @classmethod
    def of(cls, table: LatencyTable, gpu: str, traffic_class: str) -> "LatencyGrid":
        """From a table that holds every point of the grid."""
        points = {(point.replicas, point.load_frac): distribution(point) for point in table.points
                  if (point.gpu, point.traffic_class) == (gpu, traffic_class)}
        replicas, loads = table.replica_counts(), table.loads(gpu)
        cells = np.stack([points[r, load].ravel() for r in replicas for load in loads])
        used = np.flatnonzero(cells.any(axis=0))
        full = next(found for (_, load), found in points.items() if load == FULL)
        return cls(np.array(replicas), np.array(loads), used, cells[:, used], full,
                   points[replicas[0], loads[0]])

    def add(self, flows: Array, replicas: Array, weights: Array) -> None:
        """Add to `flows`, (H, metrics, buckets): messages `weights` (H, G) on so many replicas (H,).

        Between two numbers of replicas linear in their logarithm; beyond the ends, the ends.
        """
        place = np.interp(np.log(np.maximum(replicas, 1e-9)), np.log(self.replicas),
                          np.arange(len(self.replicas)))
        below = place.astype(np.int64)
        above = place - below
        spread = np.zeros((len(weights), len(self.replicas), len(self.loads)))
        hours = np.arange(len(weights))
        spread[hours, below] = weights * (1.0 - above[:, None])
        spread[hours, np.minimum(below + 1, len(self.replicas) - 1)] += weights * above[:, None]
        cells = spread.reshape(len(weights), -1)
        found = np.zeros((len(weights), len(self.used)))
        for cell in np.flatnonzero(cells.any(axis=0)):  # no matrix product: its sums differ between machines
            rows = np.flatnonzero(cells[:, cell])
            found[rows] += cells[rows, cell, None] * self.table[cell]
        flows.reshape(len(weights), -1)[:, self.used] += found


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
    wait = FIRST_EDGE_S * 2.0 ** ((np.arange(WAIT_BUCKETS) - 0.5) / BUCKETS_PER_OCTAVE)
    wait[:2] = 0.0, FIRST_EDGE_S * 2.0 ** (1 / BUCKETS_PER_OCTAVE) / 2
    edges = np.array(latency_edges_s())
    middle = np.sqrt(edges[:-1] * edges[1:])
    middle[0] = edges[1] / 2
    found = np.searchsorted(edges, wait[:, None] + middle[None, :], side="right") - 1
    shifts: Array = np.minimum(found, LATENCY_BUCKETS - 1)
    return shifts
