"""Checkpoints of training jobs: what one takes, how often it is written, and what the best interval is.

All formulas take one unit of time throughout. M: mean time between failures of the job; w: time that a
checkpoint stops the job; R: time from a failure to work again; tau: useful work between two checkpoints,
the write not included.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import GigaBytesPerSecond, JobSeconds, PositiveJobSeconds, StateGigaBytes

Rule = Literal["young", "daly", "exact", "fixed", "none"]
MAX_EXPONENT = 700.0
"""Above it e^x does not fit a float: a job of that kind never ends."""


def young_interval(w: float, m: float) -> float:
    """sqrt(2 w M). Young, A first order approximation to the optimum checkpoint interval, 1974."""
    return math.sqrt(2.0 * w * m)


def daly_interval(w: float, m: float) -> float:
    """The higher-order optimum. Daly, A higher order estimate of the optimum checkpoint interval, 2006."""
    if w >= 2.0 * m:
        return m
    ratio = math.sqrt(w / (2.0 * m))
    return math.sqrt(2.0 * w * m) * (1.0 + ratio / 3.0 + ratio * ratio / 9.0) - w


def exact_interval(w: float, m: float) -> float:
    """tau that solves (tau / M) e^((tau + w) / M) = e^((tau + w) / M) - 1, by bisection."""
    low, high = 0.0, m
    for _ in range(100):
        middle = (low + high) / 2.0
        # 1 - x = e^-(x + w/M), with x = tau / M between 0 and 1.
        if 1.0 - middle / m > math.exp(-(middle + w) / m):
            low = middle
        else:
            high = middle
    return (low + high) / 2.0


def expected_time(work: float, tau: float, w: float, m: float, restart: float, down: float = 0.0) -> float:
    """Expected wall time of so much work in whole intervals; infinity where it does not fit a float.

    (work / tau) (M + D) e^(R/M) (e^((tau + w)/M) - 1): Poisson failures during work, checkpoint and restart,
    after each of them `down` in which nothing fails, and back to the last complete checkpoint. Daly 2006.
    """
    if (restart + tau + w) / m > MAX_EXPONENT:
        return math.inf
    return work / tau * (m + down) * math.exp(restart / m) * math.expm1((tau + w) / m)


def exact_ettr(tau: float, w: float, m: float, restart: float) -> float:
    """Useful work / expected wall time, in (0, 1)."""
    time = expected_time(tau, tau, w, m, restart)
    return tau / time


def first_order_ettr(tau: float, w: float, m: float, restart: float) -> float:
    """(1 - (R + tau/2) / M) / (1 + w / tau); negative where M is short. Meta, arXiv:2410.21680, 2024."""
    return (1.0 - (restart + tau / 2.0) / m) / (1.0 + w / tau)


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """How a job saves its work. Its duration is given, or follows from the state's size and the storage."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    rule: Rule = "daly"
    """Where the interval comes from: `fixed` takes `interval_s`, `none` saves at the end only; the others
    take the job's own failure rate."""
    interval_s: PositiveJobSeconds | None = None
    """Useful work between two checkpoints, the write not included, for `fixed`."""
    write_s: JobSeconds | None = None
    """To write one; or give `state_gb` and `storage_gb_per_s`."""
    state_gb: StateGigaBytes | None = None
    """Size of one: weights and optimizer, about 16 bytes a parameter with mixed-precision Adam."""
    storage_gb_per_s: GigaBytesPerSecond | None = None
    """Bandwidth that the job gets to write it."""
    blocking_s: JobSeconds | None = None
    """Where writing overlaps with work: how long the job stops for a copy. It stops for all by default."""

    @property
    def duration_s(self) -> float:
        """From the stop to the durable checkpoint, seconds."""
        if self.write_s is not None:
            return self.write_s
        if self.state_gb is None or self.storage_gb_per_s is None:
            return 0.0
        return self.state_gb / self.storage_gb_per_s

    @property
    def stop_s(self) -> float:
        """How long a checkpoint stops the job, seconds."""
        return self.duration_s if self.blocking_s is None else min(self.blocking_s, self.duration_s)

    def interval_of(self, mtbf_s: float) -> float | None:
        """Seconds of work between two checkpoints of a job that fails every `mtbf_s`; None: only at the end.

        Never less than a minute, nor than it takes an overlapped write to become durable.
        """
        if self.rule == "fixed":
            return self.interval_s
        if self.rule == "none" or mtbf_s == math.inf:
            return None
        rules = {"young": young_interval, "daly": daly_interval, "exact": exact_interval}
        least_s = max(SHORTEST_S, self.duration_s - self.stop_s)
        return max(least_s, rules[self.rule](self.stop_s, mtbf_s))


SHORTEST_S = 60.0
"""Shortest interval that a rule gives: where checkpoints cost nothing it would be none at all."""
