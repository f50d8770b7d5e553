"""Fidelity: when and where a scenario is simulated request by request; the fluid model does the rest."""

from dataclasses import dataclass
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import OpenFraction, ReplicaCount, UtcTime, WindowWarmupSeconds


@dataclass(frozen=True)
class RequestWindow:
    """A stretch of time in which every request of some pools runs through continuous batching."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    start: UtcTime
    """First instant, at the start of a step."""
    end: UtcTime
    """Last instant, exclusive, at the start of a step."""
    pools: tuple[str, ...] = ()
    """Pools in question; all of them by default."""
    warmup_s: WindowWarmupSeconds = 600.0
    """Simulated before the window so that replicas are as busy as they would be, and discarded."""
    cell_replicas: ReplicaCount | None = None
    """Splits a service's replicas into cells of at most so many, each with its share of the requests and a
    router of its own; cells run on all cores. One cell by default."""
    sample_frac: OpenFraction = 1.0
    """Share of the requests and of the replicas that is simulated; what comes out is scaled up."""


@dataclass(frozen=True)
class Fidelity:
    """How closely a scenario is simulated."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    windows: tuple[RequestWindow, ...] = ()
    """Stretches at request level, in order of time."""
