"""The best checkpoint interval in dollars: one job alone on its fleet, by the exact formula and simulated.

Alone, so that the formula's world is nearly its own: a node is at hand for every one that fails, as far as
the fleet has any, and nobody takes its GPUs. Queueing is not in it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

from fleetsim.experiments.fleet_runs import Estimate
from fleetsim.model.checkpoint import SHORTEST_S, daly_interval, exact_interval, expected_time, young_interval
from fleetsim.model.failure_rate import NODE_OUT_FRAC, domain_failures_per_h, node_failures_per_h
from fleetsim.model.scenario import Scenario
from fleetsim.model.training_job import TrainingJob
from fleetsim.timebase import HOUR_NS, HOUR_S
from fleetsim.units import MOST_JOB_H

MULTIPLES = {"1/4": 0.25, "1/2": 0.5, "": 1.0, "2": 2.0, "4": 4.0}
"""Of the job's own interval, as they are written."""
LONGEST_S = float(MOST_JOB_H * HOUR_S)
"""What takes longer than any job may does not end."""
SAME = 1e-3
"""Intervals that differ by less are one."""


class Held(NamedTuple):
    """GPU-hours that the job held in one replication, and those of them that were productive."""

    gpu_hours: float
    productive: float


@dataclass(frozen=True)
class Interval:
    """What the job's work costs with one interval."""

    names: tuple[str, ...]
    """Where it comes from: `own`, `own x 2`, `Young`, `Daly`, `exact`; and `shortest` where it would be
    shorter than an interval may be."""
    interval_s: float
    """Useful work between two checkpoints."""
    expected_s: float | None
    """Wall time by the exact formula; None where that is longer than LONGEST_S."""
    expected_usd: float | None
    """What the GPUs cost in that time."""
    simulated_usd: Estimate | None = None
    """Of all replications together; None where the job did no work in any."""
    more_usd: Estimate | None = None
    """Simulated, more than with the own interval, replication by replication."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"names": list(self.names), "interval_s": self.interval_s,
                "expected_s": self.expected_s, "expected_usd": self.expected_usd,
                "simulated_usd": None if self.simulated_usd is None else self.simulated_usd.as_dict(),
                "more_usd": None if self.more_usd is None else self.more_usd.as_dict()}


@dataclass(frozen=True)
class JobIntervals:
    """A named job and the intervals that were tried, from the shortest on."""

    job: str
    gpus: int
    mtbf_s: float
    stop_s: float
    """How long a checkpoint stops the job."""
    back_s: float
    """From a failure to work that is not lost again: detection, replacement, restart, and what an overlapped
    write needs to become durable."""
    work_gpu_hours: float
    tried: tuple[Interval, ...]

    @property
    def own(self) -> Interval:
        """The job's own."""
        return next(each for each in self.tried if "own" in each.names)

    @property
    def best(self) -> Interval:
        """The least expected time, and so the least cost; of equals the job's own."""
        return min(self.tried, key=lambda each: (
            math.inf if each.expected_s is None else each.expected_s, each is not self.own))

    @property
    def own_more_usd(self) -> float | None:
        """What the own interval is expected to cost more than the best, over the whole job."""
        if self.own.expected_usd is None or self.best.expected_usd is None:
            return None
        return self.own.expected_usd - self.best.expected_usd

    def as_dict(self) -> dict[str, Any]:
        """Plain data; dollars are those of the whole job."""
        return {"job": self.job, "gpus": self.gpus, "mtbf_s": self.mtbf_s, "stop_s": self.stop_s,
                "back_s": self.back_s, "work_gpu_hours": self.work_gpu_hours,
                "own_interval_s": self.own.interval_s, "best_interval_s": self.best.interval_s,
                "own_more_usd": self.own_more_usd, "tried": [each.as_dict() for each in self.tried]}


def job_intervals(scenario: Scenario, name: str, *, usd_per_gpu_hour: float, seed: int,
                  replications: int) -> JobIntervals | None:
    """Intervals of a named job around its own and those of the rules; None where the job never fails."""
    from fleetsim.engine.job_draws import mtbf_s

    job = scenario.training_jobs[name]
    fleet, saves = scenario.fleets[job.fleet], job.checkpoint
    gpu = scenario.gpus[fleet.gpu]
    mtbf = mtbf_s(job, fleet, gpu, job.gpus)
    if mtbf == math.inf:
        return None
    work_s = job.work_h(gpu) * HOUR_S
    drain_s = saves.duration_s - saves.stop_s
    back = back_s(scenario, job, mtbf)
    own = saves.interval_of(mtbf)
    asked = candidates(own, work_s, saves.stop_s, mtbf, least_s=max(SHORTEST_S, drain_s))

    work_gpu_hours = work_s / HOUR_S * job.gpus
    held = {tau: _simulated(scenario, name, tau, seed, replications) for tau in asked}
    own_held = held[next(tau for tau, names in asked.items() if "own" in names)]

    def cost(of: Sequence[Held], chosen: Sequence[int]) -> float:
        useful = math.fsum(of[each].productive for each in chosen)
        whole = math.fsum(of[each].gpu_hours for each in chosen)
        return whole / useful * work_gpu_hours * usd_per_gpu_hour if useful else math.inf

    def more(of: Sequence[Held], chosen: Sequence[int]) -> float:
        return cost(of, chosen) - cost(own_held, chosen)

    def estimate(value: Callable[[Sequence[int]], float]) -> Estimate | None:
        known = math.isfinite(value(range(replications)))
        return Estimate.jackknife(replications, value) if known else None

    tried = []
    for tau in sorted(asked):
        expected_s = expected_time(work_s, tau, saves.stop_s, mtbf, back)
        known, of = expected_s < LONGEST_S, held[tau]
        tried.append(Interval(
            names=asked[tau], interval_s=tau, expected_s=expected_s if known else None,
            expected_usd=expected_s / HOUR_S * job.gpus * usd_per_gpu_hour if known else None,
            simulated_usd=estimate(partial(cost, of)),
            more_usd=estimate(partial(more, of))))
    return JobIntervals(name, job.gpus, mtbf, saves.stop_s, back, work_gpu_hours, tuple(tried))


def candidates(own_s: float | None, work_s: float, stop_s: float, mtbf_s: float, *,
               least_s: float) -> dict[float, tuple[str, ...]]:
    """Intervals to try, seconds, with where they come from.

    A job that saves at its end alone is tried there and around the exact optimum. None is shorter than
    `least_s`, but for the own, nor longer than the work.
    """
    def within(tau: float) -> float:
        return min(max(tau, least_s), work_s)

    rules = {"Young": young_interval(stop_s, mtbf_s), "Daly": daly_interval(stop_s, mtbf_s),
             "exact": exact_interval(stop_s, mtbf_s)}
    at_end = own_s is None or own_s >= work_s
    middle, name = (rules["exact"], "exact") if own_s is None or at_end else (own_s, "own")
    asked = [("own", work_s if own_s is None else min(own_s, work_s))]
    asked += [(rule, within(tau)) for rule, tau in rules.items()]
    asked += [(f"{name} x {text}", within(within(middle) * factor)) for text, factor in MULTIPLES.items()
              if text]
    found: dict[float, tuple[str, ...]] = {}
    for label, tau in asked:
        near = next((known for known in found if abs(known - tau) <= SAME * tau), tau)
        found[near] = (*found.get(near, ()), label)
    return {tau: (*names, "shortest") if tau == least_s and names != ("own",) else names
            for tau, names in found.items()}


def back_s(scenario: Scenario, job: TrainingJob, mtbf_s: float) -> float:
    """R of the exact formula, seconds, for a job with several kinds of failure and overlapped writes.

    The formula takes R as e^(R/M); of kinds with shares p and times r it needs the R with
    e^(-R/M) = sum of p e^(-r/M). An overlapped write that is durable d after the stop delays the first
    checkpoint after a failure by d and no other: R + d.
    """
    fleet, saves = scenario.fleets[job.fleet], job.checkpoint
    gpu = scenario.gpus[fleet.gpu]
    nodes = max(1.0, job.gpus / gpu.gpus_per_node)
    replaced_per_h = node_failures_per_h(fleet, nodes) * NODE_OUT_FRAC + domain_failures_per_h(fleet, nodes)
    replaced = min(1.0, replaced_per_h * mtbf_s / HOUR_S)
    same_s = job.detection_s + job.restart_s
    other_s = same_s + fleet.reliability.replacement_s
    mean = replaced * math.exp(-other_s / mtbf_s) + (1.0 - replaced) * math.exp(-same_s / mtbf_s)
    mixed_s = -mtbf_s * math.log(mean) if mean > 0.0 else other_s
    return mixed_s + saves.duration_s - saves.stop_s


def _simulated(scenario: Scenario, name: str, tau_s: float, seed: int, replications: int) -> list[Held]:
    """The job alone with this interval, by replication. One that the horizon cuts off goes on as it went."""
    from fleetsim.engine.fleet_alone import run_alone
    from fleetsim.kernel.training.arrays import PRODUCTIVE

    job = scenario.training_jobs[name]
    saves = replace(job.checkpoint, rule="fixed", interval_s=tau_s)
    lone = replace(scenario, training_jobs={name: replace(job, checkpoint=saves)}, job_streams={})
    found = []
    for replication in range(replications):
        state = run_alone(lone, job.fleet, seed=seed, replication=replication).training.pool.state
        held = (state.job_s * 1e9 + state.job_ns).sum(axis=0) / HOUR_NS  # nothing of a job that never comes
        found.append(Held(float(held.sum()), float(held[PRODUCTIVE])))
    return found
