"""Compose one run: the engine records into the writer, the writer makes a run directory of it."""

import os
import time
from collections.abc import Callable
from pathlib import Path

from fleetsim.errors import FleetsimError, SimulationError, UsageError
from fleetsim.model.scenario import Scenario
from fleetsim.output import layout
from fleetsim.output.run import Run
from fleetsim.timebase import instant_at

Progress = Callable[[int, int], None]
"""Called with the simulated and the total nanoseconds."""


def simulate(scenario: Scenario, *, seed: int = 0, replication: int = 0, results: Path | str = "results",
             resolution: str = "hour", progress: Progress | None = None, workers: int | None = None) -> Run:
    """The run of a scenario under `results`, simulated unless it is there already.

    Windows at request level use `workers` processes, one per core by default; the results do not depend
    on it. Nothing half-written stays behind when it fails or is interrupted. UsageError when the resolution
    is unknown, the seed is none or something that is no run has its place, SimulationError when the
    simulation fails.
    """
    if not isinstance(scenario, Scenario):
        raise UsageError(f"simulate takes a scenario, as load gives it, not {type(scenario).__name__}")
    identity = layout.run_id(scenario, seed=seed, replication=replication, resolution=resolution)
    directory = layout.run_directory(Path(results), scenario, identity)
    if layout.is_run(directory):
        return Run(directory, reused=True)

    began_wall, began = time.perf_counter(), time.process_time()
    # Imported here, so that reading a run loads no engine.
    from fleetsim.engine import simulate as record
    from fleetsim.output.writer import open_writer

    loaded = time.process_time()
    reached = 0

    def watch(simulated_ns: int, total_ns: int) -> None:
        nonlocal reached
        reached = simulated_ns
        if progress is not None:
            progress(simulated_ns, total_ns)

    with open_writer(Path(results), scenario, seed=seed, replication=replication,
                     resolution=resolution) as writer:
        try:
            record(scenario, seed=seed, replication=replication, sink=writer, resolution=resolution,
                   progress=watch, workers=workers or os.cpu_count() or 1)
            simulated = time.process_time()
            return writer.close({"import_cpu_s": loaded - began, "simulate_cpu_s": simulated - loaded,
                                 "wall_s": time.perf_counter() - began_wall})
        except FleetsimError:
            raise
        except Exception as error:
            at = instant_at(scenario.horizon.start, reached)
            raise SimulationError(f"{scenario.name}: the run failed after {at:%Y-%m-%d %H:%M} UTC: "
                                  f"{type(error).__name__}: {error}") from error
