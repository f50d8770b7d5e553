"""The day of every call: cost per request by size, wall time and memory.

    python benchmarks/run.py day      a hundredth and a twentieth of the day
    python benchmarks/day.py          a hundredth, a tenth and all of its 1,180 million calls: minutes
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from measure import WORKLOADS, Measured, python

MOST_WALL_S, MOST_MB, MOST_RATIO = 600.0, 1_500.0, 1.3
RUN = """
import json, resource, tempfile, time
from fleetsim.runner import simulate
from fleetsim.spec import load

scenario = load({file!r}, overrides=["fidelity.windows.0.sample_frac={frac}"]).scenario
with tempfile.TemporaryDirectory() as results:
    began = time.perf_counter()
    run = simulate(scenario, results=results, workers=2)
    wall_s = time.perf_counter() - began
    messages = run.sql("select sum(calls) as calls, sum(messages_arrived) as messages "
                       "from fact_traffic_hourly")
own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
print(json.dumps({{"wall_s": wall_s, "calls": float(messages["calls"][0]) * {frac},
                   "messages": float(messages["messages"][0]),
                   "cpu_s": own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime,
                   "peak_mb": (own.ru_maxrss + 2 * children.ru_maxrss) / 1024}}))
"""


@dataclass(frozen=True)
class Day:
    """What a share of the day took, start-up included; memory of the two workers and their parent."""

    calls: float
    messages: float
    wall_s: float
    cpu_s: float
    peak_mb: float

    def ns_per_call(self, tiny: "Day") -> float:
        """CPU of a call; what it takes to start is that of a tiny day, and stands apart."""
        return 1e9 * (self.cpu_s - tiny.cpu_s) / (self.calls - tiny.calls)


def run(sample_frac: float) -> Day:
    """A share of the day, on two processes."""
    code = RUN.format(file=str(WORKLOADS / "chatgpt-day.yaml"), frac=sample_frac)
    return Day(**json.loads(python(code).out))


def measure() -> Iterator[Measured]:
    """Two sizes that are quick."""
    yield from compared(0.01, 0.05)


def compared(*sample_fracs: float) -> Iterator[Measured]:
    """Each size, and the dearest call against the cheapest. The first run may compile and does not count."""
    run(0.0002)
    tiny = run(0.0002)
    yield Measured("to start, and a tiny day", tiny.cpu_s, "CPU-s")
    days, costs = [], []
    for frac in sample_fracs:
        days.append(run(frac))
        costs.append(days[-1].ns_per_call(tiny))
        yield Measured(f"a day of {days[-1].calls:,.0f} calls", costs[-1], "ns/call",
                       note=f"{days[-1].wall_s:.1f} s wall, {days[-1].cpu_s:.0f} CPU-s, "
                            f"{1e9 * days[-1].cpu_s / days[-1].calls:,.0f} ns/call with the start")
    yield Measured("the dearest call / the cheapest", max(costs) / min(costs), "", MOST_RATIO)
    yield Measured("wall time", days[-1].wall_s, "s", MOST_WALL_S)
    yield Measured("memory of all processes", days[-1].peak_mb, "MB", MOST_MB)


if __name__ == "__main__":
    from run import line

    for measured in compared(0.01, 0.1, 1.0):
        print(line(measured), flush=True)
