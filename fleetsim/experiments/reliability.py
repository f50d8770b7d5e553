"""Reliability in money: what failures cost a training fleet, what a spare is worth, how often to save."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.experiments.checkpoint_cost import JobIntervals, job_intervals
from fleetsim.experiments.failure_price import (
    FailurePrice,
    failure_price,
    keeps_checkpoints,
    without_crashes,
    without_failures,
)
from fleetsim.experiments.fleet_runs import FleetRuns
from fleetsim.experiments.job_cost import JobCosts, job_costs
from fleetsim.experiments.spare_value import FEW_JOBS, SpareValue, spare_value
from fleetsim.ledger.money import MICRO
from fleetsim.model.pool import TRAINING
from fleetsim.model.scenario import Scenario
from fleetsim.output.run import Run
from fleetsim.policies import Borrow
from fleetsim.timebase import HOUR_NS, YEAR_H, ns_between

JOBS_IN_ALL = 20_000
"""Replications are as many as simulate so many jobs, within these bounds:"""
LEAST, MOST = 5, 50
SHORT_PER_YEAR = 20
"""Runs that a year has more of are short."""
LEAST_OF_A_JOB = 20
"""Replications of a job alone, which takes no time, at least."""
MOST_SPARES = 1_000_000
Progress = Callable[[int, int], None]
Doing = Callable[[str], None]
"""Called with what is done next."""


@dataclass(frozen=True)
class FleetReliability:
    """One training fleet."""

    fleet: str
    run: Run
    """The run that the price and the cost per job are from: replication 0."""
    usd_per_gpu_hour: float
    """Effective cost / rented GPU-hours."""
    replications: int
    jobs: int
    """That are submitted in replication 0."""
    price: FailurePrice
    spares: SpareValue
    intervals: tuple[JobIntervals, ...]
    """Of the named jobs that can fail."""
    costs: JobCosts
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"fleet": self.fleet, "run": str(self.run.path), "usd_per_gpu_hour": self.usd_per_gpu_hour,
                "replications": self.replications, "jobs": self.jobs,
                "failures_per_year": self.price.as_dict(), "spares_per_year": self.spares.as_dict(),
                "checkpoints": [each.as_dict() for each in self.intervals],
                "cost_per_job": self.costs.as_dict(), "notes": list(self.notes)}


@dataclass(frozen=True)
class Reliability:
    """The training fleets of a scenario, in its order."""

    name: str
    seed: int
    fleets: tuple[FleetReliability, ...]

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {"name": self.name, "seed": self.seed, "fleets": [each.as_dict() for each in self.fleets]}


def reliability(scenario: Scenario, *, fleet: str | None = None, seed: int = 0,
                replications: int | None = None, spares: Sequence[int] | None = None,
                results: Path | str = "results", progress: Progress | None = None,
                doing: Doing = lambda what: None) -> Reliability:
    """What failures cost the training fleets of a scenario, or the one that is named.

    One run of the whole scenario gives the price of a GPU-hour and the cost per job; it is kept under
    `results`. Then each fleet is simulated alone, `replications` times in every variant. `spares` are the
    numbers of spare nodes to try. UsageError where no training fleet has jobs, the names are unknown, or
    there are fewer than one replication or than no spares.
    """
    if replications is not None and replications < 1:
        raise UsageError(f"{replications} replications are none: give 1 or more")
    for nodes in spares or ():
        if not 0 <= nodes <= MOST_SPARES:
            raise UsageError(f"{nodes} spare nodes: give numbers from 0 to {MOST_SPARES:,}")
    from fleetsim.runner import simulate

    names = chosen_fleets(scenario, fleet)
    run = simulate(scenario, seed=seed, results=results, progress=progress)
    return Reliability(scenario.name, seed, tuple(
        _fleet(scenario, name, run, seed, replications, spares, doing) for name in names))


def chosen_fleets(scenario: Scenario, fleet: str | None) -> list[str]:
    """The training fleets with jobs, or the one that is named; UsageError when there is none."""
    found = [name for name, spec in scenario.fleets.items()
             if spec.role == "training" and name in scenario.fleets_with_jobs]
    if fleet in scenario.fleets_with_jobs and fleet not in found:
        raise UsageError(f"fleet {fleet} serves traffic, and its jobs run on what pools lend: failures are "
                         f"priced of training fleets with jobs, here {', '.join(found) or 'none'}")
    if not found:
        raise UsageError(f"{scenario.name} has no training fleet with jobs: give one training_jobs or "
                         "job_streams, as in workloads/training-2024.yaml; of serving fleets fleetsim run "
                         "shows what failures leave")
    if fleet is None:
        return found
    if fleet not in found:
        raise UsageError(f"no training fleet {fleet!r} with jobs; {did_you_mean(fleet, found)}")
    return [fleet]


def _fleet(scenario: Scenario, name: str, run: Run, seed: int, replications: int | None,
           spares: Sequence[int] | None, doing: Doing) -> FleetReliability:
    horizon, summary, costs = scenario.horizon, run.summary["training"][name], job_costs(run, name)
    recorded_h = ns_between(horizon.start, horizon.end) / HOUR_NS - horizon.recorded_from
    per_year, rented = YEAR_H / recorded_h, summary["rented_gpu_hours"]
    usd = costs.fleet_micro_usd / MICRO / rented if rented else 0.0
    usual = max(LEAST, min(MOST, JOBS_IN_ALL // max(1, summary["jobs"])))
    count = usual if replications is None else replications
    runs = FleetRuns(scenario, name, seed=seed, replications=count)
    doing(f"{name}: as it is")
    own = runs.of(scenario)
    doing(f"{name}: without failures")
    kept = keeps_checkpoints(scenario, name)
    unfailing = runs.of(without_failures(scenario, name), partial(without_crashes, checkpoints=kept))
    price = failure_price(own, unfailing, usd_per_gpu_hour=usd, per_year=per_year, checkpoints_kept=kept)
    value = spare_value(runs, own, spares, usd_per_gpu_hour=usd, per_year=per_year,
                        few_jobs=summary["jobs"] <= FEW_JOBS, doing=lambda what: doing(f"{name}: {what}"))
    intervals = []
    for job, made in scenario.training_jobs.items():
        if made.fleet == name:
            doing(f"{name}: intervals of {job}")
            intervals.append(job_intervals(scenario, job, usd_per_gpu_hour=usd, seed=seed,
                                           replications=max(count, LEAST_OF_A_JOB)))
    return FleetReliability(name, run, usd, count, summary["jobs"], price, value,
                            tuple(each for each in intervals if each is not None), costs,
                            tuple(_notes(scenario, name, usd, per_year)))


def _notes(scenario: Scenario, name: str, usd_per_gpu_hour: float, per_year: float) -> list[str]:
    """What the numbers have in them, or have not, that a reader may not expect."""
    notes, spec = [], scenario.fleets[name]
    if usd_per_gpu_hour == 0.0:
        notes.append(f"{name} costs nothing: all dollars are 0.")
    if per_year > SHORT_PER_YEAR:
        notes.append(f"The run is {YEAR_H / per_year:.0f} h long: a year is {per_year:.0f} of it.")
    if any(name in scenario.pools[policy.from_ if policy.pool == TRAINING else policy.pool].fleets
           for policy in scenario.policies.values()
           if isinstance(policy, Borrow) and TRAINING in (policy.pool, policy.from_)):
        notes.append("Loans are left out, but for the cost per job: what is lent is in its idle share.")
    if spec.outages:
        notes.append("Repair has the dated outages in it; they stay in the case without failures.")
    if scenario.horizon.recorded_from:
        notes.append("Jobs' GPU-hours have the warm-up in them, their cost has not.")
    if not any(job.fleet == name for job in scenario.training_jobs.values()):
        notes.append("No named job: intervals are tried for named jobs only.")
    return notes
