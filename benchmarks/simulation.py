"""A year of two pools' traffic on two fleets: CPU after compilation, against the plain reference."""

from measure import WORKLOADS, Measured, cpu_s, together_cpu_s
from sinks import Dropped

from fleetsim.engine import simulate
from fleetsim.kernel import fluid_reference
from fleetsim.output.sink import TableSink
from fleetsim.spec import load, override

LEDGER = ("fact_cost_hourly",)


def measure() -> list[Measured]:
    """The year with its tables kept in memory, without them, and by the plain reference."""
    scenario = load(WORKLOADS / "contract-comparison.yaml").scenario  # openai-2024 without its jobs
    kept, billed = together_cpu_s([
        lambda: simulate(scenario, seed=0, sink=TableSink()),
        lambda: simulate(scenario, seed=0, sink=Dropped(), tables=LEDGER),
    ], repeats=20)
    month = override(scenario, {"horizon.end": "2024-02-01", "published": None, "objectives": None})
    fast = cpu_s(lambda: simulate(month, seed=0, sink=Dropped(), tables=LEDGER))
    plain = cpu_s(lambda: simulate(month, seed=0, sink=Dropped(), tables=LEDGER,
                                   kernel=fluid_reference.advance), repeats=1)
    year_s = plain.least * scenario.horizon.steps / month.horizon.steps
    return [
        Measured("2024 without jobs, tables kept in memory", kept.least, "s CPU", 0.3, kept.spread),
        Measured("2024 without jobs, no table, the hourly ledger alone", billed.least, "s CPU", 0.1,
                 billed.spread),
        Measured("2024 without jobs by the plain reference", year_s, "s CPU", None,
                 f"from January; {plain.least / fast.least:.0f} times as long"),
    ]
