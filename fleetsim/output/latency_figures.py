"""Figures of latency: percentiles and attainment over the hours whose latency is known; None without any."""

from collections.abc import Callable, Mapping
from functools import partial

from fleetsim.output.contract_figures import ratio
from fleetsim.output.facts import Facts
from fleetsim.output.latencies import NOTHING
from fleetsim.output.waits import percentile


def known_frac(facts: Facts, name: str) -> float | None:
    """Served messages of the known hours / all; None when no message was served."""
    served = int(facts.traffic.get(name, {}).get("messages_served") or 0)
    return ratio(facts.latencies.get(name, NOTHING).known_served, served)


def latency_s(facts: Facts, name: str, *, metric: str, q: float) -> float | None:
    """A percentile of a class's metric."""
    return percentile(facts.latencies.get(name, NOTHING).histograms.get(metric, []), q)


def met_frac(facts: Facts, name: str, *, metric: str) -> float | None:
    """Served within a limit / first attempts, both of the known hours."""
    of = facts.latencies.get(name, NOTHING)
    return ratio(of.met.get(metric, 0), of.arrived.get(metric, 0))


LATENCY_COMPUTATIONS: Mapping[str, Callable[[Facts, str], float | None]] = {
    "traffic.{class}.latency_known_frac": known_frac,
    **{f"traffic.{{class}}.{metric}_p{q}_s": partial(latency_s, metric=metric, q=q / 100)
       for metric in ("ttft", "tpot", "e2e") for q in (50, 99)},
    **{f"traffic.{{class}}.{metric}_slo_met_frac": partial(met_frac, metric=metric)
       for metric in ("ttft", "tpot")},
}
"""By registered name."""
