"""The price of failures: the GPU-hours that they take, and what the same jobs would do without them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fleetsim.experiments.fleet_runs import Estimate, FleetRun, with_fleet
from fleetsim.ledger.contracts import Spot
from fleetsim.model.plan import Scheduling
from fleetsim.model.scenario import Scenario
from fleetsim.policies import static_plan

if TYPE_CHECKING:
    from fleetsim.engine.job_draws import Jobs

CAUSED = ("checkpointing", "lost", "restarting", "blocked", "repair", "spare")
"""States that exist because of failures. Checkpoints are written, and spares kept, for them."""


@dataclass(frozen=True)
class FailurePrice:
    """A year of failures on one fleet, in GPU-hours; dollars at the fleet's price."""

    usd_per_gpu_hour: float
    checkpoints_kept: bool
    """Whether checkpoints are written without failures, too, as other things stop jobs."""
    by_state: Mapping[str, Estimate]
    """GPU-hours a year in each of the states CAUSED: bookkeeping."""
    caused: Estimate
    """Their sum."""
    productive: Estimate
    """GPU-hours a year of work that counts."""
    gained: Estimate
    """Productive GPU-hours a year that the same jobs do more without failures."""
    freed: Estimate
    """GPU-hours a year that are idle more without failures: the jobs end sooner, or there are no others."""
    price: Estimate
    """Gained and freed: what failures cost."""

    def usd(self, gpu_hours: Estimate) -> Estimate:
        """GPU-hours at the fleet's price."""
        error = None if gpu_hours.error is None else gpu_hours.error * self.usd_per_gpu_hour
        return Estimate(gpu_hours.mean * self.usd_per_gpu_hour, error)

    def as_dict(self) -> dict[str, Any]:
        """Plain data; every number is a year's."""
        def both(gpu_hours: Estimate) -> dict[str, Any]:
            return {"gpu_hours": gpu_hours.as_dict(), "usd": self.usd(gpu_hours).as_dict()}

        return {"by_state": {state: both(value) for state, value in self.by_state.items()},
                "by_state_sum": both(self.caused), "productive": both(self.productive),
                "without_failures": {"checkpoints_kept": self.checkpoints_kept,
                                     "productive_more": both(self.gained), "idle_more": both(self.freed),
                                     "price": both(self.price)}}


def without_failures(scenario: Scenario, fleet: str) -> Scenario:
    """The scenario where no node and no domain of this fleet fails, so that nobody keeps spares.

    Outages, maintenance and interruptions of spot stay as they are.
    """
    spec = scenario.fleets[fleet]
    terms = replace(spec.reliability, spare_nodes=0, domain_nodes=None, domain_mtbf_h=None)
    return with_fleet(scenario, fleet, replace(spec, node_mtbf_h=None, reliability=terms))


def keeps_checkpoints(scenario: Scenario, fleet: str) -> bool:
    """Whether jobs save their work for more than failures: outages, spot, preemption without a checkpoint."""
    rules = static_plan(scenario.policies.values()).scheduling.get(fleet, Scheduling())
    return (bool(scenario.fleets[fleet].outages) or (rules.preempt and not rules.checkpoint_first)
            or any(isinstance(contract, Spot) and contract.fleet == fleet
                   and contract.interruption_mtbf_h is not None for contract in scenario.contracts.values()))


def without_crashes(jobs: "Jobs", *, checkpoints: bool) -> "Jobs":
    """The same jobs without crashes, and unless `checkpoints` are kept saved at their end alone."""
    records = jobs.records.copy()
    records["software_per_gpu_ns"] = 0.0
    if not checkpoints:
        records["interval_ns"] = records["work_ns"]
    return replace(jobs, records=records)


def failure_price(runs: Sequence[FleetRun], unfailing: Sequence[FleetRun], *, usd_per_gpu_hour: float,
                  per_year: float, checkpoints_kept: bool) -> FailurePrice:
    """From runs of the fleet as it is, and of the same replications without failures.

    `per_year`: years of 8,760 hours are that many recorded horizons.
    """
    def yearly(values: Sequence[float]) -> Estimate:
        return Estimate.of([value * per_year for value in values])

    def more(state: str) -> list[float]:
        return [after.gpu_hours[state] - before.gpu_hours[state]
                for before, after in zip(runs, unfailing, strict=True)]

    gained, freed = more("productive"), more("idle")
    return FailurePrice(
        usd_per_gpu_hour=usd_per_gpu_hour, checkpoints_kept=checkpoints_kept,
        by_state={state: yearly([run.gpu_hours[state] for run in runs]) for state in CAUSED},
        caused=yearly([sum(run.gpu_hours[state] for state in CAUSED) for run in runs]),
        productive=yearly([run.gpu_hours["productive"] for run in runs]),
        gained=yearly(gained), freed=yearly(freed),
        price=yearly([one + other for one, other in zip(gained, freed, strict=True)]))
