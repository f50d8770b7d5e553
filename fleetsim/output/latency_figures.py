"""Figures of latency: percentiles and attainment, None where the latency of a part is not known."""

from collections.abc import Callable, Mapping
from functools import partial

from fleetsim.output.contract_figures import ratio
from fleetsim.output.facts import Facts
from fleetsim.output.waits import percentile


def known(facts: Facts, name: str) -> bool:
    """Whether the latency of every served message of a class is known, and there are any."""
    served = int(facts.traffic.get(name, {}).get("messages_served") or 0)
    counted = sum(messages for _, _, messages in facts.latencies.get((name, "ttft"), []))
    return served > 0 and counted == served


def latency_s(facts: Facts, name: str, *, metric: str, q: float) -> float | None:
    """A percentile of a class's metric."""
    return percentile(facts.latencies.get((name, metric), []), q) if known(facts, name) else None


def met_frac(facts: Facts, name: str, *, metric: str) -> float | None:
    """Served within a limit / first attempts."""
    row = facts.traffic.get(name, {})
    if not known(facts, name):
        return None
    return ratio(row.get(f"slo_{metric}_met_count"), row.get("messages_arrived"))


LATENCY_COMPUTATIONS: Mapping[str, Callable[[Facts, str], float | None]] = {
    **{f"traffic.{{class}}.{metric}_p{q}_s": partial(latency_s, metric=metric, q=q / 100)
       for metric in ("ttft", "tpot", "e2e") for q in (50, 99)},
    **{f"traffic.{{class}}.{metric}_slo_met_frac": partial(met_frac, metric=metric)
       for metric in ("ttft", "tpot")},
}
"""By registered name."""
