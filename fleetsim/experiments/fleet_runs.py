"""Runs of one training fleet alone, repeated: the same jobs and random numbers under other terms."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fleetsim.model.scenario import Scenario

if TYPE_CHECKING:
    from fleetsim.engine.job_draws import Jobs
    from fleetsim.model.fleet import Fleet


@dataclass(frozen=True)
class Estimate:
    """What replications say, and how well: a mean, or another function of them."""

    mean: float
    error: float | None
    """Standard error; None of one replication."""

    @classmethod
    def of(cls, values: Sequence[float]) -> "Estimate":
        """Of one value per replication, in units of a millionth: beyond is rounding of floats."""
        values = [round(value, 6) for value in values]
        mean = math.fsum(values) / len(values)
        if len(values) < 2:
            return cls(round(mean, 6), None)
        squares = math.fsum((value - mean) ** 2 for value in values)
        return cls(round(mean, 6), round(math.sqrt(squares / (len(values) - 1) / len(values)), 6))

    @classmethod
    def jackknife(cls, replications: int, of: Callable[[Sequence[int]], float]) -> "Estimate":
        """Of a function of the replications that is no mean: its error from leaving one out at a time.

        The error is None of one replication, and where the function is infinite without one of them.
        """
        every = range(replications)
        without = [of([other for other in every if other != each]) for each in every] \
            if replications > 1 else [math.inf]
        if not all(map(math.isfinite, without)):
            return cls(round(of(every), 6), None)
        mean = math.fsum(without) / replications
        squares = math.fsum((value - mean) ** 2 for value in without)
        return cls(round(of(every), 6), round(math.sqrt(squares * (replications - 1) / replications), 6))

    def as_dict(self) -> dict[str, float | None]:
        """Plain data."""
        return {"mean": self.mean, "standard_error": self.error}


@dataclass(frozen=True)
class FleetRun:
    """What a fleet's GPUs did in one run."""

    gpu_hours: Mapping[str, float]
    """By state, without the warm-up."""
    queued_gpu_hours: float
    """Size x time in the queue of all jobs, without the warm-up."""

    @property
    def rented_gpu_hours(self) -> float:
        """Every GPU-hour is in one state."""
        return math.fsum(self.gpu_hours.values())


class FleetRuns:
    """Replications of one fleet. Random streams belong to names: variants meet the same numbers."""

    def __init__(self, scenario: Scenario, fleet: str, *, seed: int, replications: int) -> None:
        self.scenario, self.fleet = scenario, fleet
        self.seed, self.replications = seed, replications
        self._jobs: dict[int, Jobs] = {}

    @property
    def spec(self) -> "Fleet":
        """The fleet."""
        return self.scenario.fleets[self.fleet]

    def of(self, variant: Scenario, change: "Callable[[Jobs], Jobs] | None" = None) -> tuple[FleetRun, ...]:
        """A run per replication, with the jobs of the scenario, changed or as they are."""
        return tuple(self._run(variant, number, change) for number in range(self.replications))

    def _run(self, variant: Scenario, replication: int, change: "Callable[[Jobs], Jobs] | None") -> FleetRun:
        from fleetsim.engine.fleet_alone import run_alone
        from fleetsim.engine.job_draws import jobs_of
        from fleetsim.rng import Streams

        if replication not in self._jobs:
            self._jobs[replication] = jobs_of(self.scenario, self.fleet, Streams(self.seed, replication))
        drawn = self._jobs[replication]
        found = run_alone(variant, self.fleet, seed=self.seed, replication=replication,
                          jobs=drawn if change is None else change(drawn))
        return FleetRun(found.gpu_hours, found.queued_gpu_hours)


def with_fleet(scenario: Scenario, name: str, fleet: "Fleet") -> Scenario:
    """The scenario with another fleet of that name."""
    return replace(scenario, fleets={**scenario.fleets, name: fleet})
