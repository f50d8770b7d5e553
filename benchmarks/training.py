"""Training fleets: CPU of a gang by its size and failures, of a year of jobs, and memory by GPUs.

The failure rate is RSC-1's, 6.50 per 1,000 node-days (Meta, arXiv:2410.21680, 2024).
"""

import tempfile
from functools import partial

from measure import WORKLOADS, Measured, cpu_s, fleetsim, python, together_cpu_s

from fleetsim.engine.training_pool import Terms, TrainingPool, gangs
from fleetsim.timebase import HOUR_NS

NODE_MTBF_H = 24_000 / 6.5
FAILURES = 5_300
SIZES = (16_000, 120_000, 350_000)
ONE_GANG = """
import sys
sys.path.insert(0, {folder!r})
import training
training.gang({gpus}, {hours})
"""


def gang(gpus: int, hours: int) -> TrainingPool:
    """One job on so many GPUs, with spares at hand.

    Its times go with those between failures, so that as many strike runs and restarts whatever its size.
    """
    mtbf_ns = round(NODE_MTBF_H * HOUR_NS / (gpus / 8))
    jobs = gangs(1, work_ns=2 * hours * HOUR_NS, gpus=gpus, interval_ns=mtbf_ns // 5, write_ns=mtbf_ns // 50,
                 restart_ns=mtbf_ns // 5, waits=1)
    spares = gpus // 400 * 8  # one node in fifty
    terms = Terms(node_mtbf_h=NODE_MTBF_H, repair_h=24.0, spare_gpus=spares)
    pool = TrainingPool(jobs, terms, gpus=gpus + spares, hours=hours)
    pool.advance(hours * HOUR_NS - 1)
    return pool


def measure() -> list[Measured]:
    """The gang, its cost per failure by size, and the scenario of a year."""
    days = gang(120_000, 54 * 24)
    took = cpu_s(lambda: gang(120_000, 54 * 24))
    lines = [Measured("120,000 GPUs for 54 days", took.least, "s CPU", 0.3,
                      f"{int(days.jobs['failures'][0]):,} failures")]
    hours = {gpus: round(FAILURES * NODE_MTBF_H / (gpus / 8)) for gpus in SIZES}
    took_s = together_cpu_s([partial(gang, gpus, hours[gpus]) for gpus in SIZES], repeats=15)
    cost_us = [took.least / int(gang(gpus, hours[gpus]).jobs["failures"][0]) * 1e6
               for gpus, took in zip(SIZES, took_s, strict=True)]
    lines += [Measured(f"a failure of {gpus:,} GPUs", cost, "us CPU")
              for gpus, cost in zip(SIZES, cost_us, strict=True)]
    lines.append(Measured("the dearest failure / the cheapest", max(cost_us) / min(cost_us), "", 1.5))
    with tempfile.TemporaryDirectory() as results:
        year = fleetsim("run", str(WORKLOADS / "training-2024.yaml"), "--results", results)
    lines.append(Measured("training-2024, the command", year.cpu_s, "s CPU", 10, "46,000 jobs"))
    small, large = (python(ONE_GANG.format(folder=str(WORKLOADS.parent / "benchmarks"), gpus=gpus, hours=500))
                    for gpus in (16_000, 350_000))
    lines.append(Measured("memory of 350,000 GPUs / 16,000 GPUs", large.peak_mb / small.peak_mb, "", 1.05,
                          f"{large.peak_mb:.0f} MB"))
    return lines
