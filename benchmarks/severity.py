"""Cost of a step against the load: a queue that never empties, patient or not, beside one that never is."""

from made_up import scenario
from measure import Measured
from size import us_per_step

CLASSES = 6


def measure() -> list[Measured]:
    """One light load and two overloads; the ratio to the light one."""
    light = us_per_step(scenario(classes=CLASSES, load_frac=0.7))
    lines = [Measured("step at load 0.7, nobody waits", light, "us")]
    for name, load_frac, patience_s in (("load 1.3, patience 10 min", 1.3, 600.0),
                                        ("load 3, patience 10 min", 3.0, 600.0),
                                        ("load 1.05, endless patience", 1.05, None)):
        us = us_per_step(scenario(classes=CLASSES, load_frac=load_frac, patience_s=patience_s))
        lines += [Measured(f"step at {name}", us, "us"), Measured(f"{name} / load 0.7", us / light, "", 6)]
    return lines
