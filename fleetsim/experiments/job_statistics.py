"""What a trace of jobs says: sizes, run times, waits, arrivals by day; shares by team, outcome and size."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.experiments.job_sizes import size_index, size_names
from fleetsim.timebase import DAY_S, SECOND_NS, epoch_s, instant_of

if TYPE_CHECKING:
    from fleetsim.kernel.arrays import Array
    from fleetsim.spec.trace.jobs.canonical import JobTrace

QUANTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Spread:
    """Mean, and quantiles that are values that occur."""

    jobs: int
    """With a value."""
    mean: float
    p50: float
    p90: float
    p99: float
    max: float


@dataclass(frozen=True)
class Part:
    """The jobs of one team, outcome or size."""

    name: str
    jobs: int
    gpu_hours: float
    gpu_hours_frac: float
    """Of all GPU-hours."""


@dataclass(frozen=True)
class Day:
    """What was submitted on a day."""

    day: str
    """2017-10-07 in UTC, or the number of the day from the first submission for a trace without dates."""
    jobs: int
    gpu_hours: float


@dataclass(frozen=True)
class JobDescription:
    """The figures of a trace of jobs."""

    jobs: int
    gpu_hours: float
    """Held: whole GPUs times run time."""
    asked_gpu_hours: float
    """The same with the fractions of GPUs that were asked for."""
    span_s: float
    """First to last submission."""
    mean_gpus: float | None
    """GPU-hours over the span: GPUs at work on average if nobody waited; null without a span."""
    gpus: Spread
    duration_s: Spread
    queue_s: Spread | None
    """As recorded; null where no wait is."""
    teams: tuple[Part, ...]
    """Most GPU-hours first, as in `states`."""
    states: tuple[Part, ...]
    sizes: tuple[Part, ...]
    """By GPUs."""
    days: tuple[Day, ...]
    """Every day from the first to the last submission."""

    def as_dict(self) -> dict[str, Any]:
        """The description as JSON has it."""
        return asdict(self)


def describe_jobs(trace: "JobTrace") -> JobDescription:
    """The figures of all jobs."""
    hours, span_s = trace.gpu_hours, trace.span_s
    names = size_names()
    sizes = parts_of(names, size_index(trace.gpus), hours)
    return JobDescription(
        jobs=len(trace), gpu_hours=float(hours.sum()), asked_gpu_hours=float((hours * trace.gpu_frac).sum()),
        span_s=span_s, mean_gpus=float((trace.gpus * trace.duration_s).sum()) / span_s if span_s else None,
        gpus=spread(trace.gpus), duration_s=spread(trace.duration_s),
        queue_s=None if np.isnan(trace.queue_s).all() else spread(trace.queue_s[~np.isnan(trace.queue_s)]),
        teams=by_hours(parts_of(trace.teams.names, trace.teams.index, hours)),
        states=by_hours(parts_of(trace.states.names, trace.states.index, hours)),
        sizes=tuple(part for part in sizes if part.jobs), days=days_of(trace))


def spread(values: "Array") -> Spread:
    """Mean, quantiles and maximum of values, of which there is at least one."""
    p50, p90, p99 = np.quantile(values, QUANTILES, method="inverted_cdf").tolist()
    return Spread(int(values.size), float(values.mean()), p50, p90, p99, values.max().item())


def parts_of(names: tuple[str, ...], index: "Array", gpu_hours: "Array") -> tuple[Part, ...]:
    """Jobs and GPU-hours by name."""
    jobs = np.bincount(index, minlength=len(names)).tolist()
    hours = np.bincount(index, gpu_hours, minlength=len(names)).tolist()
    total = float(gpu_hours.sum())
    return tuple(Part(name, *each, each[1] / total)
                 for name, each in zip(names, zip(jobs, hours, strict=True), strict=True))


def by_hours(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """Most GPU-hours first; equal ones by name."""
    return tuple(sorted(parts, key=lambda part: (-part.gpu_hours, part.name)))


def days_of(trace: "JobTrace") -> tuple[Day, ...]:
    """What was submitted by day: of the calendar in UTC where the trace has one, else from its start."""
    start = trace.metadata.get("start")
    first_s = 0 if start is None else epoch_s(datetime.fromisoformat(start[:19] + "+00:00"))
    day = (trace.submit_ns // SECOND_NS + first_s % DAY_S) // DAY_S
    count = int(day[-1]) + 1
    jobs = np.bincount(day, minlength=count).tolist()
    hours = np.bincount(day, trace.gpu_hours, minlength=count).tolist()
    midnight_s = first_s - first_s % DAY_S
    names = [str(place + 1) if start is None else f"{instant_of(midnight_s + place * DAY_S):%Y-%m-%d}"
             for place in range(count)]
    return tuple(Day(*each) for each in zip(names, jobs, hours, strict=True))
