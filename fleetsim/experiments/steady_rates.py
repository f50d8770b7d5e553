"""Steady rates: what replicas did per second, without the warm-up and the drain."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleetsim.timebase import SECOND_NS

if TYPE_CHECKING:
    from fleetsim.engine.request_pool import RequestPool

COUNTED = ("arrived", "served", "prompt_tokens", "output_tokens")


@dataclass(frozen=True)
class Counts:
    """All classes together, up to a moment."""

    at_s: float
    arrived: int
    served: int
    prompt_tokens: int
    """Of the served."""
    output_tokens: int
    active_gpu_s: float

    @classmethod
    def of(cls, pool: "RequestPool", at_s: float) -> "Counts":
        """Of a pool as it is now."""
        from fleetsim.engine.request_gauge import gauge_of

        found = {what: sum(pool.count(c, what) for c in range(len(pool.classes))) for what in COUNTED}
        return cls(at_s, **found, active_gpu_s=gauge_of(pool).active_gpu_s)


@dataclass(frozen=True)
class SteadyRates:
    """From the end of the warm-up to the last arrival: replicas that fill up and empty are left out."""

    warm_up_s: float
    drain_s: float
    """From the last arrival to the last token."""
    span_s: float
    """In between: what the rates are of."""
    warm_up_requests: int
    """Served in the warm-up."""
    drain_requests: int
    """Served after the last arrival."""
    arrived_per_s: float
    served_per_s: float
    prompt_tokens_per_s: float
    output_tokens_per_s: float
    active_frac: float
    """Of the time of a replica: with a batch."""

    @classmethod
    def between(cls, first: Counts, last: Counts, end: Counts, gpus: int) -> "SteadyRates | None":
        """Of the counts at the end of the warm-up, at the last arrival and at the end.

        None without time in between, or when no batch ever ran.
        """
        span_s = last.at_s - first.at_s
        if span_s <= 1 / SECOND_NS or end.active_gpu_s <= 0:
            return None
        return cls(
            warm_up_s=first.at_s, drain_s=max(0.0, end.at_s - last.at_s), span_s=span_s,
            warm_up_requests=first.served, drain_requests=end.served - last.served,
            arrived_per_s=(last.arrived - first.arrived) / span_s,
            served_per_s=(last.served - first.served) / span_s,
            prompt_tokens_per_s=(last.prompt_tokens - first.prompt_tokens) / span_s,
            output_tokens_per_s=(last.output_tokens - first.output_tokens) / span_s,
            active_frac=min(1.0, (last.active_gpu_s - first.active_gpu_s) / (span_s * gpus)))
