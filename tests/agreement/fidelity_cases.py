"""Windows in which the fluid model and the request level are compared, and what is compared.

Llama-2-70B on eight A100 under the engine of 2023, batches of 64; chats as in the Azure trace of 2023, 1,155
prompt and 211 output tokens on average. Two hours at request level, after two fluid ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from fleetsim.engine import simulate
from fleetsim.experiments.calibrate import LOADS, calibrate
from fleetsim.model.latency_table import LatencyTable, latency_edges_s
from fleetsim.model.scenario import Scenario
from fleetsim.output.sink import TableSink
from fleetsim.spec.loader import from_source

CHAT = {"prompt_tokens": {"mean": 1155, "cv": 0.96}, "output_tokens": {"mean": 211, "cv": 0.77}}
CODE = {"prompt_tokens": {"mean": 2048, "cv": 0.9}, "output_tokens": {"mean": 60, "cv": 1.0}}
REPLICA_GPU_S = 3.4
"""About what a chat takes of a replica's eight GPUs; cases say their load, the scenario finds the rate."""
START, HOURS = "2024-01-01", 4
WINDOW = {"start": "2024-01-01T02:00:00Z", "end": "2024-01-01T04:00:00Z"}
METRICS = {"ttft_p50": ("ttft", 0.50), "ttft_p99": ("ttft", 0.99), "tpot_p50": ("tpot", 0.50),
           "tpot_p99": ("tpot", 0.99), "e2e_p50": ("e2e", 0.50), "e2e_p99": ("e2e", 0.99)}


@dataclass(frozen=True)
class Case:
    """A window."""

    name: str
    load_frac: float
    """Offered work / capacity in the window, before what `more` changes."""
    replicas: int = 40
    mixed: bool = False
    """Chats, and calls of coders of lower priority that are half of the work."""
    traffic: Mapping[str, Any] = field(default_factory=dict)
    """What every class has on top."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Sections of the scenario."""
    outages: Mapping[str, Any] = field(default_factory=dict)


SURGE = {"surges": {"launch": {"kind": "spike", "class": "chat", "start": "2024-01-01T02:30:00Z",
                               "extra_frac": 0.8, "tau_days": 0.02}}}
FIRE = {"fire": {"start": "2024-01-01T02:40:00Z", "end": "2024-01-01T03:10:00Z", "share_frac": 0.3}}
CASES = (
    Case("low", 0.30),
    Case("normal", 0.70),
    Case("near full, 0.98", 0.98, traffic={"patience_s": 60}),
    Case("near full, 1.00", 1.00, traffic={"patience_s": 60}),
    Case("near full, 1.02", 1.02, traffic={"patience_s": 60}),
    Case("overloaded", 1.30, traffic={"patience_s": 60}),
    Case("surge", 0.75, traffic={"patience_s": 120}, more=SURGE),
    Case("mixed classes", 0.85, mixed=True),
    Case("mixed, overloaded", 1.20, mixed=True, traffic={"patience_s": 60}),
    Case("a failure in the middle", 0.85, traffic={"patience_s": 120}, outages=FIRE),
    Case("few replicas", 0.80, replicas=4),
)


def scenario_of(case: Case, *, windows: bool = True) -> Scenario:
    """The scenario of a case; its rate is that at which its load holds."""
    found = _built(case, {"chat": 1e6, "code": 1e6}, windows)
    service, gpu = found.services["llama"], "a100-80gb"
    rates = {}
    parts = {"chat": 0.5, "code": 0.5} if case.mixed else {"chat": 1.0}
    for name, part in parts.items():
        spec = found.traffic[name]
        work = sum(service.gpu_seconds_per_call(spec.prompt_tokens, spec.output_tokens, gpu, found.gpus[gpu]))
        rates[name] = 86_400 * case.load_frac * part * case.replicas * service.gpus_per_replica / work
    return _built(case, rates, windows)


def _built(case: Case, rates: Mapping[str, float], windows: bool) -> Scenario:
    traffic = {"chat": {**CHAT, "priority": 0}}
    if case.mixed:
        traffic["code"] = {**CODE, "priority": 1}
    return from_source({
        "fleetsim": 1, "name": "fidelity", "horizon": {"start": START, "end": "2024-01-01T04:00:00Z"},
        "fleets": {"azure": {"gpu": "a100-80gb", "provider": "azure", "outages": dict(case.outages),
                             "tranches": [{"date": START, "gpus": case.replicas * 8}]}},
        "pools": {"api": {"fleets": {"azure": {"share_frac": 1.0}}}},
        "services": {"llama": {"step_law": {"model": "llama-2-70b", "profile": "2023-engine"},
                               "batching": {"max_batch": 64}}},
        "traffic": {name: {"pool": "api", "service": "llama", "messages_per_day": rates[name], **spec,
                           **case.traffic} for name, spec in traffic.items()},
        "contracts": {"azure": {"kind": "reserved", "fleet": "azure", "usd_per_gpu_hour": 1.3}},
        **({"fidelity": {"windows": [WINDOW]}} if windows else {}), **case.more}, Path())


def table_of(case: Case, loads: Sequence[float] = LOADS) -> LatencyTable:
    """The latency table for the case's mix."""
    return calibrate(scenario_of(case, windows=False), "llama", loads=loads,
                     replicas=(16, 32, 64) if case.replicas > 4 else (4,))


def measured(scenario: Scenario, seed: int) -> dict[str, dict[str, float]]:
    """By class: what is compared, over the window. Busy GPUs stand under `all`."""
    sink = TableSink()
    simulate(scenario, seed=seed, sink=sink)
    traffic = sink.table("fact_traffic_hourly").to_pandas()
    traffic = traffic[traffic["hour"] >= WINDOW["start"]]
    latency = sink.table("fact_latency_hourly").to_pandas()
    latency = latency[latency["hour"] >= WINDOW["start"]]
    capacity = sink.table("fact_capacity_hourly").to_pandas()
    capacity = capacity[capacity["hour"] >= WINDOW["start"]]
    found = {"all": {"busy_gpus": float(capacity["busy_gpu_hours"].sum()) / 2}}
    for name in scenario.traffic:
        rows = traffic[traffic["traffic_class"] == name]
        lost = rows["messages_shed"].sum() + rows["messages_abandoned"].sum()
        own = latency[latency["traffic_class"] == name]
        found[name] = {"served_per_s": float(rows["messages_served"].sum()) / 7_200,
                       "shed_frac": float(lost / rows["messages_arrived"].sum()),
                       **{key: percentile(own[own["metric"] == metric], share)
                          for key, (metric, share) in METRICS.items()}}
    return found


def percentile(rows: Any, share: float) -> float:
    """Of the histogram rows of one metric, seconds; linear within a bucket."""
    counts = rows.groupby("bucket")["messages"].sum()
    edges = np.array(latency_edges_s())
    sums = np.cumsum(counts.to_numpy())
    at = int(np.searchsorted(sums, share * sums[-1]))
    before = sums[at - 1] if at else 0
    bucket = counts.index[at]
    inside = (share * sums[-1] - before) / max(1, sums[at] - before)
    return float(edges[bucket] + inside * (edges[bucket + 1] - edges[bucket]))


@dataclass(frozen=True)
class Gap:
    """One figure of one class in one window."""

    case: str
    who: str
    figure: str
    fluid: float
    requests: Sequence[float]
    """By seed."""

    @property
    def mean(self) -> float:
        return float(np.mean(self.requests))

    @property
    def sigma(self) -> float:
        """Between seeds."""
        return float(np.std(self.requests, ddof=1))

    @property
    def gap(self) -> float:
        """Fluid against the mean of the seeds: relative, for shares of messages the difference."""
        return self.fluid - self.mean if self.figure == "shed_frac" else self.fluid / self.mean - 1

    @property
    def allowed(self) -> float:
        """What the gap may be: 1 % of what is served, 3 % of busy GPUs, 2 points of what is shed; of a
        percentile 15 %, or three standard deviations between seeds where that is more."""
        fixed = {"served_per_s": 0.01, "busy_gpus": 0.03, "shed_frac": 0.02}.get(self.figure)
        return fixed if fixed is not None else max(0.15, 3 * self.sigma / self.mean)

    @property
    def holds(self) -> bool:
        return abs(self.gap) <= self.allowed


def gaps(case: Case, seeds: Sequence[int], loads: Sequence[float] = LOADS) -> list[Gap]:
    """Every figure of a case, with a latency table at these loads."""
    table = table_of(case, loads)
    fluid = measured(replace(scenario_of(case, windows=False), latency_tables={"llama": table}), 0)
    seen = [measured(scenario_of(case), seed) for seed in seeds]
    return [Gap(case.name, who, figure, value, [each[who][figure] for each in seen])
            for who, figures in fluid.items() for figure, value in figures.items()]


def text(found: Sequence[Gap]) -> str:
    """The whole table, and its largest gap of each figure."""
    lines = [f"{'window':26} {'class':5} {'figure':12} {'fluid':>10} {'requests':>10} {'sd of seeds':>11} "
             f"{'gap':>8} {'allowed':>8}"]
    for each in found:
        unit = "points" if each.figure == "shed_frac" else "%"
        lines.append(f"{each.case:26} {each.who:5} {each.figure:12} {each.fluid:10.4g} {each.mean:10.4g} "
                     f"{each.sigma:11.2g} {100 * each.gap:+7.1f}{unit[0]} {100 * each.allowed:7.1f}{unit[0]}"
                     f"{'' if each.holds else '  MISSED'}")
    for figure in dict.fromkeys(each.figure for each in found):
        worst = max((each for each in found if each.figure == figure), key=lambda each: abs(each.gap))
        lines.append(f"largest gap of {figure}: {100 * worst.gap:+.1f} in {worst.case!r}, {worst.who}")
    return "\n".join(lines)
