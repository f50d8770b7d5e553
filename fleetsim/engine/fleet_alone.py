"""One training fleet and its jobs, without the rest of a scenario: what experiments on failures repeat."""

from dataclasses import dataclass, replace

import numpy as np
import simpy

from fleetsim.engine.job_draws import Jobs
from fleetsim.engine.processes.deliveries import deliveries
from fleetsim.engine.processes.departures import departures
from fleetsim.engine.processes.interruptions import interruptions
from fleetsim.engine.processes.windows import windows
from fleetsim.engine.training import TrainingFleet
from fleetsim.engine.world import World
from fleetsim.kernel.training import arrays as rows
from fleetsim.model.fidelity import Fidelity
from fleetsim.model.scenario import Scenario
from fleetsim.policies import static_plan
from fleetsim.rng import Streams
from fleetsim.timebase import HOUR_NS


def alone(scenario: Scenario, fleet: str) -> Scenario:
    """The scenario with this fleet's jobs and no other work; the other fleets take no delivery.

    Contracts stay, for the interruptions of spot; of the policies those that schedule the fleet's jobs.
    """
    return replace(
        scenario, pools={}, traffic={}, surges={}, fidelity=Fidelity(), finance=None, budgets={},
        policies={name: policy for name, policy in scenario.policies.items()
                  if fleet in static_plan([policy]).scheduling},
        training_jobs={name: job for name, job in scenario.training_jobs.items() if job.fleet == fleet},
        job_streams={name: jobs for name, jobs in scenario.job_streams.items() if jobs.fleet == fleet})


@dataclass(frozen=True)
class FleetAlone:
    """A fleet that has run."""

    training: TrainingFleet
    first_hour: int
    """The first after the warm-up."""
    queued_before_gpu_h: float
    """In the warm-up."""

    @property
    def gpu_hours(self) -> dict[str, float]:
        """GPU-hours by state, without the warm-up; `down` is called repair."""
        # In whole GPU-ns, whose sum over a year does not fit 64 bits.
        sums = self.training.pool.state.hours[self.first_hour :].astype(object).sum(axis=0)
        return {"repair" if state == "down" else state: value / HOUR_NS
                for state, value in zip(rows.STATES, sums, strict=True)}

    @property
    def queued_gpu_hours(self) -> float:
        """Size x time in the queue of all jobs, without the warm-up."""
        return _queued_gpu_h(self.training) - self.queued_before_gpu_h


def run_alone(scenario: Scenario, fleet: str, *, seed: int = 0, replication: int = 0,
              jobs: Jobs | None = None) -> FleetAlone:
    """The fleet at the end of the horizon, after its deliveries, windows, interruptions and failures.

    Its jobs do to the nanosecond what they do in the whole simulation of the same seed and replication,
    unless a policy lends GPUs to or from the fleet: loans are left out. `jobs`, as an earlier run of the
    same seed, replication and jobs has them, saves drawing them again.
    """
    only = alone(scenario, fleet)
    world = World(simpy.Environment(initial_time=0), only, Streams(seed, replication))
    found = TrainingFleet(fleet, only, world.streams, jobs)
    world.training = {fleet: found}
    world.open_block(0, only.horizon.steps)
    spec = only.fleets[fleet]
    deliveries(world, fleet, spec)
    interruptions(world, fleet, windows(world, fleet, spec))
    departures(world, fleet)
    queued_before = 0.0
    if only.horizon.recorded_from:
        world.env.run(until=only.horizon.recorded_from * HOUR_NS)
        found.go_to(only.horizon.recorded_from * HOUR_NS)
        queued_before = _queued_gpu_h(found)
    end_ns = world.ns_at(only.horizon.end)
    world.env.run(until=end_ns)
    found.go_to(end_ns)
    found.pool.close()
    return FleetAlone(found, only.horizon.recorded_from, queued_before)


def _queued_gpu_h(fleet: TrainingFleet) -> float:
    """Size x time in the queue of all jobs up to now."""
    jobs, now_ns = fleet.pool.jobs, int(fleet.pool.cluster["now_ns"])
    waits = np.where(jobs["phase"] == rows.QUEUED, now_ns - jobs["since_ns"], 0)
    return float(((jobs["queued_ns"] + waits) / HOUR_NS * jobs["gpus"]).sum())
