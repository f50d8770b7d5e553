"""Where a window begins and ends, those who wait change between cohorts and requests."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleetsim.kernel.arrays import Array
from fleetsim.kernel.formulas import age_of_oldest
from fleetsim.kernel.reference_queue import Cohort, TrafficClass
from fleetsim.timebase import SECOND_NS


@dataclass(frozen=True)
class Span:
    """Messages that wait and came between two times, evenly."""

    messages: float
    first_ns: int
    last_ns: int


def spans_of(klass: TrafficClass, n: int, step_ns: int) -> list[Span]:
    """The queue of a class at the start of step n, the oldest first."""
    found = []
    for cohort in klass.line.cohorts:
        own_s = age_of_oldest(cohort.left, cohort.per_s, klass.patience_s, cohort.steps * klass.step_s)
        last_ns = (cohort.step + 1) * step_ns
        messages = cohort.left * klass.line.kept(cohort, n - 1)
        found.append(Span(messages, last_ns - round(own_s * SECOND_NS), last_ns))
    return found


def cohorts_of(arrivals: Sequence[tuple[Array, float]], klass: TrafficClass, n: int,
               step_ns: int) -> list[Cohort]:
    """A class's requests that wait at the end of step n: arrival times with the messages each stands for."""
    times = np.concatenate([times_ns for times_ns, _ in arrivals])
    weights = np.concatenate([np.full(len(times_ns), each) for times_ns, each in arrivals])
    steps = np.minimum(times // step_ns, n)
    cohorts = []
    for step in np.unique(steps):
        chosen = steps == step
        oldest_s = ((int(step) + 1) * step_ns - int(times[chosen].min())) / SECOND_NS
        came = float(weights[chosen].sum())
        # Those out of patience since then are not among them: so many more were there at the step's end.
        cohort = Cohort(came / max(oldest_s, 1e-9), came, int(step))
        cohort.left = came / klass.line.kept(cohort, n)
        cohort.per_s = cohort.left / max(oldest_s, 1e-9)
        cohorts.append(cohort)
    return cohorts
