"""One simulation: processes on a SimPy clock, the kernel between them, rows to a sink."""

from collections.abc import Callable, Collection, Generator
from typing import TYPE_CHECKING, Any

import simpy

from fleetsim.engine.processes.announcements import announcements
from fleetsim.engine.processes.control import Control
from fleetsim.engine.processes.deliveries import deliveries
from fleetsim.engine.processes.departures import departures
from fleetsim.engine.processes.interruptions import interruptions
from fleetsim.engine.processes.services import efficiency
from fleetsim.engine.processes.windows import windows
from fleetsim.engine.recorder import Recorder, Sink
from fleetsim.engine.world import Kernel, World
from fleetsim.kernel.fluid import advance
from fleetsim.model.scenario import Scenario
from fleetsim.rng import Streams
from fleetsim.timebase import month_starts

if TYPE_CHECKING:
    from fleetsim.engine.training import TrainingFleet

Progress = Callable[[int, int], None]
"""Called with the simulated time and the horizon's length, in nanoseconds."""

__all__ = ["Kernel", "Progress", "Sink", "simulate"]


def simulate(scenario: Scenario, *, seed: int, replication: int = 0, sink: Sink,
             tables: Collection[str] | None = None, resolution: str = "hour",
             progress: Progress | None = None, kernel: Kernel = advance, workers: int = 1) -> None:
    """Simulate a scenario and write its rows to `sink`, one calendar month at a time.

    `tables` names those of the hourly tables and `fact_event` that are needed, all by default; what is
    left out costs no time. `resolution="step"` also keeps every step. The same scenario, seed and
    replication write the same rows. Memory does not grow with the horizon. `kernel` moves the data
    plane; the plain reference `fleetsim.kernel.fluid_reference.advance` writes the same rows, slowly.
    Windows at request level run their cells on `workers` processes.
    """
    world = World(simpy.Environment(initial_time=0), scenario, Streams(seed, replication),
                  keep_steps=resolution == "step", kernel=kernel)
    if scenario.fleets_with_jobs:
        world.training = fleets_with_jobs(scenario, world.streams)
    # First, so that a block is open before anything happens.
    finished = world.env.process(months(world, Recorder(world, sink, tables), progress))
    for name, fleet in scenario.fleets.items():
        deliveries(world, name, fleet)
        interruptions(world, name, windows(world, name, fleet))
        departures(world, name)
    world.env.process(efficiency(world))
    world.env.process(announcements(world))
    world.env.process(Control(world).run())
    if not scenario.fidelity.windows:
        world.env.run(until=finished)
        return
    from fleetsim.engine.request_level import RequestLevel  # its kernel takes time to load

    with RequestLevel(world, workers, progress):
        world.env.run(until=finished)


def fleets_with_jobs(scenario: Scenario, streams: Streams) -> dict[str, "TrainingFleet"]:
    """By name: every fleet that jobs run on, its own GPUs or borrowed ones."""
    from fleetsim.engine.borrowed_gpus import BorrowedGpus  # their kernel takes time to load
    from fleetsim.engine.training import TrainingFleet

    return {name: (TrainingFleet if fleet.role == "training" else BorrowedGpus)(name, scenario, streams)
            for name, fleet in scenario.fleets.items() if name in scenario.fleets_with_jobs}


def months(world: World, recorder: Recorder, progress: Progress | None) -> Generator[Any, Any, None]:
    """Open a block at the start of each calendar month and flush it at its end."""
    horizon = world.scenario.horizon
    ends = [*month_starts(horizon.start, horizon.end), horizon.end]
    total_ns = world.ns_at(horizon.end)
    first = 0
    for end in ends:
        last = world.step_after(world.ns_at(end))
        world.open_block(first, last)
        yield world.env.timeout(world.ns_at(end) - world.now_ns)
        world.catch_up()
        recorder.flush(world.block)
        first = last
        if progress is not None:
            progress(world.now_ns, total_ns)
