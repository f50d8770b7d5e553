"""Cost of a step against the size of the scenario: flat in GPUs, linear in classes and fleets."""

from made_up import scenario
from measure import Measured, cpu_s
from sinks import Dropped

from fleetsim.engine import simulate
from fleetsim.model.scenario import Scenario


def us_per_step(made: Scenario) -> float:
    """Microseconds of CPU per step, no tables."""
    run = cpu_s(lambda: simulate(made, seed=0, sink=Dropped(), tables=()), repeats=9)
    return run.least / made.horizon.steps * 1e6


def measure() -> list[Measured]:
    """Three axes of size, each as a ratio within this run."""
    lines = []
    by_gpus = {gpus: us_per_step(scenario(gpus=gpus)) for gpus in (1_000, 100_000, 10_000_000)}
    lines += [Measured(f"step with {gpus:,} GPUs", us, "us") for gpus, us in by_gpus.items()]
    lines.append(Measured("10,000,000 GPUs / 1,000 GPUs", by_gpus[10_000_000] / by_gpus[1_000], "", 1.5))
    by_classes = {classes: us_per_step(scenario(classes=classes)) for classes in (1, 8, 64)}
    lines += [Measured(f"step with {classes} classes", us, "us") for classes, us in by_classes.items()]
    lines.append(Measured("64 classes / 8 classes, 8 = linear", by_classes[64] / by_classes[8], "", 10))
    by_fleets = {fleets: us_per_step(scenario(fleets=fleets)) for fleets in (1, 4, 16)}
    lines += [Measured(f"step with {fleets} fleets, each its pool and class", us, "us")
              for fleets, us in by_fleets.items()]
    lines.append(Measured("16 fleets / 4 fleets, 4 = linear", by_fleets[16] / by_fleets[4], "", 5))
    return lines
