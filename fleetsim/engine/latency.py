"""Latencies as the request kernel counts them: one histogram per class and metric, which add up."""

from dataclasses import dataclass

import numpy as np

from fleetsim.kernel.arrays import Array
from fleetsim.kernel.request.histogram import edges_ns
from fleetsim.timebase import SECOND_NS

HISTOGRAMS = ("ttft", "tpot", "e2e", "wait")
"""Time to first token, per output token after it, to the last token, to admission: the kernel's rows."""


@dataclass(frozen=True)
class Latency:
    """The distribution of one metric."""

    counts: Array
    """(buckets,) requests."""

    def __add__(self, other: "Latency") -> "Latency":
        return Latency(self.counts + other.counts)

    @property
    def requests(self) -> int:
        """How many it was measured of."""
        return int(self.counts.sum())

    @property
    def mean_s(self) -> float | None:
        """Mean, of the buckets' middles; None without requests."""
        edges = edges_ns()
        middles = (edges[:-1] + edges[1:]) / 2
        return None if not self.requests else float(self.counts @ middles / self.requests) / SECOND_NS

    def quantile_s(self, share: float) -> float | None:
        """The time within which this share of the requests lies; relative error below 0.8 %.

        None without requests. The middle of the bucket in which the share is reached.
        """
        if not self.requests:
            return None
        edges = edges_ns()
        at = int(np.searchsorted(np.cumsum(self.counts), max(1.0, np.ceil(share * self.requests))))
        return float(edges[at] + edges[at + 1] - 1) / 2 / SECOND_NS
