"""Latency tables: what requests of a service take by load and replicas, measured one by one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Literal

from fleetsim.model.replica import Batching, Routing
from fleetsim.model.step_law import StepLaw

Metric = Literal["ttft", "tpot", "e2e"]
METRICS: tuple[Metric, ...] = ("ttft", "tpot", "e2e")
"""Time to first token, per output token after it, to the last token."""
FIRST_EDGE_S = 0.001
BUCKETS_PER_OCTAVE = 16
LATENCY_BUCKETS = 1 + 33 * BUCKETS_PER_OCTAVE
"""Bucket 0 is below 1 ms; bucket b >= 1 ends at 0.001 x 2^(b/16) s, so the last one at 99 days."""
FULL = inf
"""`load_frac` of a replica that is kept full, counted from admission: a queue's wait comes on top."""
OVER = 1.25
"""`load_frac` of an overloaded pool, counted from arrival: what classes see that are served before others."""


def latency_edges_s() -> tuple[float, ...]:
    """Where the buckets begin, and where the last one ends, seconds; one more than there are buckets."""
    return (0.0, *(FIRST_EDGE_S * 2.0 ** (b / BUCKETS_PER_OCTAVE) for b in range(LATENCY_BUCKETS)))


@dataclass(frozen=True)
class MixPart:
    """What a table assumes of one traffic class."""

    share_frac: float
    """Its part of the calls."""
    priority: int
    prompt_mean_tokens: float
    prompt_cv: float
    output_mean_tokens: float
    output_cv: float
    patience_s: float | None = None
    """Mean of the exponential patience until admission; None: nobody leaves."""
    prefix_cached_frac: float = 0.0
    """Of the prompt tokens."""


@dataclass(frozen=True)
class Replica:
    """What a table was measured on, for one gpu type."""

    law: StepLaw
    gpus: int
    """GPUs of one replica."""
    formula_rps: float
    """Calls per second at which one replica is full, by the formula of the step law: load 1."""
    measured_rps: float
    """The same as measured on a replica that is kept full."""
    settle_s: float
    """Least time before counting begins, and after it ends, with the same arrivals."""


@dataclass(frozen=True)
class LatencyPoint:
    """Requests counted at one load."""

    gpu: str
    traffic_class: str
    replicas: int
    """Of the pool; 1 where a single replica is kept full, which does not depend on the others."""
    load_frac: float
    """Offered work / capacity by the formula, up to 1; OVER: an overloaded pool; FULL: kept full."""
    counts: Mapping[Metric, Mapping[int, int]]
    """By metric and bucket."""

    def requests(self, metric: Metric = "ttft") -> int:
        """How many were measured."""
        return sum(self.counts[metric].values())


@dataclass(frozen=True)
class LatencyTable:
    """Histograms of TTFT, TPOT and E2E of one service by gpu type, class, replicas and load."""

    service: str
    profile: str
    """Engine profile of the step laws."""
    replicas_of: Mapping[str, Replica]
    """By gpu type: what was measured on."""
    batching: Batching
    routing: Routing
    mix: Mapping[str, MixPart]
    """By traffic class."""
    seed: int
    version: str
    """Of the package."""
    requests: int
    """Counted at each point, of all classes."""
    warmup_frac: float
    """Of them, at least so many more came before and are not counted."""
    spread_s: Mapping[str, Mapping[str, float]]
    """By gpu type and class: variance / mean of the waits, between the replicas of an overloaded pool."""
    points: tuple[LatencyPoint, ...] = field(repr=False)
    sha256: str = ""
    """Of the file."""

    def replica_counts(self) -> list[int]:
        """The numbers of replicas of the points up to load 1, in order."""
        return sorted({point.replicas for point in self.points if point.load_frac <= 1})

    def loads(self, gpu: str) -> list[float]:
        """The loads up to 1 of a gpu type, in order."""
        return sorted({point.load_frac for point in self.points if point.gpu == gpu and point.load_frac <= 1})
