"""Size: the fewest replicas that meet service levels on a trace, each candidate a full replay of it."""

import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.experiments.flat_fleet import FlatCost, flat_cost, signed
from fleetsim.experiments.lone_requests import spaced_out
from fleetsim.experiments.replay import Replay, check_price, opened, replay, step_profile
from fleetsim.model.replica import MOST_REPLICAS, Batching, RequestClass, Routing
from fleetsim.model.slo import Slo, parse_slos
from fleetsim.timebase import HOUR_S, YEAR_H

if TYPE_CHECKING:
    from fleetsim.model.step_law import StepLaw
    from fleetsim.spec.trace.canonical import Trace

MONTH_H = 730
"""Hours of a twelfth of a year."""
AROUND = 2
"""So many counts on both sides of the answer are tried too: more replicas are not always better."""
ALL_SERVED = Slo("served_frac", "", 1.0, at_least=True)
"""Asked for where no share is: times of those that are served say nothing of the others."""


@dataclass(frozen=True)
class Candidate:
    """A number of replicas that was tried."""

    replicas: int
    gpus: int
    values: tuple[float | None, ...]
    """Of each term; None where no request has one."""
    met: tuple[bool, ...]

    @property
    def holds(self) -> bool:
        """Whether every term is met."""
        return all(self.met)


@dataclass(frozen=True)
class Size:
    """The fewest replicas that were found, and how."""

    slos: tuple[Slo, ...]
    tried: tuple[Candidate, ...]
    """By number of replicas."""
    chosen: Replay
    """The replay of the answer."""
    usd_per_gpu_hour: float | None = None
    """Effective."""
    contract_cost: FlatCost | None = None
    """Where a contract gives the price."""

    @property
    def replicas(self) -> int:
        return self.chosen.replicas

    @property
    def gpus(self) -> int:
        return self.chosen.gpus

    @property
    def rented_gpu_hours(self) -> float:
        """Over the trace, from the first arrival to the last token."""
        return self.chosen.rented_gpu_s / HOUR_S

    @property
    def next_smaller_fails(self) -> bool | None:
        """Whether one replica less misses a term; None where there is none."""
        smaller = [each for each in self.tried if each.replicas == self.replicas - 1]
        return None if not smaller else not smaller[0].holds

    @property
    def not_monotone(self) -> tuple[int, ...]:
        """Numbers that were tried, are above the answer and fail."""
        return tuple(each.replicas for each in self.tried if each.replicas > self.replicas and not each.holds)

    def usd(self, gpu_hours: float) -> float | None:
        """Price of so many GPU-hours."""
        return None if self.usd_per_gpu_hour is None else gpu_hours * self.usd_per_gpu_hour

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        cost = self.contract_cost
        return {
            "slo": [str(term) for term in self.slos], "terms": [term.name for term in self.slos],
            "replicas": self.replicas, "gpus": self.gpus,
            "next_smaller_fails": self.next_smaller_fails, "not_monotone": list(self.not_monotone),
            "tried": [{**asdict(each), "holds": each.holds} for each in self.tried],
            "rented_gpu_hours": self.rented_gpu_hours,
            "gpu_hours_per_month": self.gpus * MONTH_H, "gpu_hours_per_year": self.gpus * YEAR_H,
            "usd_per_gpu_hour": self.usd_per_gpu_hour,
            "usd_of_trace": self.usd(self.rented_gpu_hours),
            "usd_per_month": self.usd(self.gpus * MONTH_H), "usd_per_year": self.usd(self.gpus * YEAR_H),
            "usd_per_request": self.chosen.usd_per_request,
            "contract": None if cost is None else {
                "names": list(cost.contracts), "fleet": cost.fleet,
                "year_start": f"{cost.year_start:%Y-%m-%d}",
                "effective_usd_per_year": cost.effective_usd, "billed_usd_per_year": cost.billed_usd,
                "covered_frac": cost.covered_frac, "unused_usd_per_year": cost.unused_usd,
                "remarks": list(cost.remarks)},
            "replay": self.chosen.as_dict(),
        }


def size(trace: "Trace | str | os.PathLike[str]", *, slo: str, service: str, gpu: str,
         profile: str = "2023-engine", routing: Routing = "join_shortest_queue",
         batching: Batching | None = None, classes: Sequence[RequestClass] | None = None,
         usd_per_gpu_hour: float | None = None, contracts: str | os.PathLike[str] | None = None,
         contract: str | None = None, seed: int = 0) -> Size:
    """The fewest replicas of a service of the catalogue on which a trace meets `slo`.

    `slo` is a text such as `ttft_p99_s<=1,tpot_p99_s<=0.1` (`fleetsim.model.slo`); unless it bounds
    `served_frac` or `lost_frac`, every request must be served. The number is doubled until the terms hold,
    then bisected; AROUND counts on both sides of the answer are tried, and the smallest that holds is
    taken. The price is `usd_per_gpu_hour`, or that of a contract file's contracts (or `contract` alone) for
    a year of so many GPUs. UsageError where the terms cannot be met, or names are unknown.
    """
    if isinstance(trace, str | os.PathLike):
        refuse_scenario(trace)
    _check_price(usd_per_gpu_hour, contracts, contract)
    bought = None if contracts is None else signed(contracts, contract)
    given = opened(trace)
    slos = _slos(slo, given.class_names)
    law = step_profile(service, gpu, profile).law
    own: dict[str, Any] = {"service": service, "gpu": gpu, "profile": profile, "seed": seed,
                           "batching": batching or Batching(), "classes": classes}
    _check_lone(given, slos, own, law)
    tried: dict[int, Candidate] = {}
    best: dict[int, Replay] = {}

    def holds(replicas: int) -> bool:
        found = replay(given, replicas=replicas, routing=routing, usd_per_gpu_hour=usd_per_gpu_hour, **own)
        values = tuple(value_of(term, found) for term in slos)
        tried[replicas] = Candidate(replicas, found.gpus, values, _met(slos, values, found))
        if tried[replicas].holds and replicas <= min(best, default=replicas):
            best.clear()
            best[replicas] = found
        return tried[replicas].holds

    most = max(1, min(len(given), MOST_REPLICAS))
    if fewest(holds, most) is None:
        last = tried[max(tried)]
        raise UsageError(f"{_said(slos, last)} on {last.replicas:,} replicas: no number up to {most:,} "
                         "meets it")
    chosen = min(best.items())[1]
    cost = None
    if bought is not None:
        known = chosen.energy_j is not None and chosen.rented_gpu_s > 0
        watts = (chosen.energy_j or 0.0) / chosen.rented_gpu_s if known else None
        cost = flat_cost(bought, chosen.gpus, watts_per_gpu=watts, seed=seed)
        usd_per_gpu_hour = cost.usd_per_gpu_hour
        chosen = replace(chosen, usd_per_gpu_hour=usd_per_gpu_hour)
    return Size(slos, tuple(tried[number] for number in sorted(tried)), chosen, usd_per_gpu_hour, cost)


def refuse_scenario(path: str | os.PathLike[str]) -> None:
    """UsageError for a scenario file, with what answers the question for one."""
    if os.fspath(path).endswith((".yaml", ".yml")):
        raise UsageError(f"{os.fspath(path)} is a scenario, and size takes a trace. For a scenario: fleetsim "
                         "run FILE, whose summary says how many GPUs each pool needs; or make a trace of "
                         "recorded requests: fleetsim trace import")


def fewest(holds: Callable[[int], bool], most: int) -> int | None:
    """The smallest number from 1 to `most` that was seen to hold; None when no doubling of 1 nor `most` does.

    Doubling, then bisection; then AROUND numbers on both sides, and again around a smaller one that holds.
    Each number is asked once.
    """
    known: dict[int, bool] = {}

    def ask(number: int) -> bool:
        if number not in known:
            known[number] = holds(number)
        return known[number]

    low, high = 0, 1
    while not ask(high):
        if high == most:
            return None
        low, high = high, min(2 * high, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if ask(middle) else (middle, high)
    while True:
        for number in range(max(1, high - AROUND), min(most, high + AROUND) + 1):
            ask(number)
        found = min(number for number, held in known.items() if held)
        if found == high:
            return found
        high = found


def value_of(term: Slo, found: Replay) -> float | None:
    """What a replay has of a term; None where no request has it."""
    classes = [each for each in found.classes if term.class_name in (None, each.name)]
    if term.is_share:
        arrived = sum(each.arrived for each in classes)
        if not arrived:
            return None
        served = sum(each.served for each in classes)
        return served / arrived if term.metric == "served_frac" else (arrived - served) / arrived
    latency = classes[0].latency[term.metric]
    for each in classes[1:]:
        latency += each.latency[term.metric]
    return latency.mean_s if term.quantile is None else latency.quantile_s(term.quantile)


def _met(slos: Sequence[Slo], values: Sequence[float | None], found: Replay) -> tuple[bool, ...]:
    """A term that no request has is met where requests are served: one token has no time between tokens."""
    return tuple(found.served > 0 if value is None else term.met_by(value)
                 for term, value in zip(slos, values, strict=True))


def _slos(text: str, class_names: Sequence[str]) -> tuple[Slo, ...]:
    from fleetsim.engine.latency import HISTOGRAMS

    slos = parse_slos(text, HISTOGRAMS)
    for term in slos:
        if term.class_name is not None and term.class_name not in class_names:
            hint = did_you_mean(term.class_name, list(class_names))
            raise UsageError(f"the trace has no class {term.class_name!r} ({hint})")
    return slos if any(term.is_share for term in slos) else (*slos, ALL_SERVED)


def _check_lone(trace: "Trace", slos: Sequence[Slo], own: dict[str, Any], law: "StepLaw") -> None:
    """UsageError where requests miss the terms even when each has a replica to itself."""
    apart = spaced_out(trace, law, own["batching"])
    if apart is None:
        return
    alone = replay(apart, replicas=1, **own)
    values = tuple(value_of(term, alone) for term in slos)
    candidate = Candidate(1, alone.gpus, values, _met(slos, values, alone))
    if candidate.holds:
        return
    rejected = sum(each.rejected for each in alone.classes)
    share = alone.served / alone.arrived
    why = (f"; {rejected:,} of {alone.arrived:,} requests are longer than the {law.kv_tokens:,} KV tokens "
           f"of a replica: served_frac>={int(share * 1e6) / 1e6:g} leaves them out" if rejected else "")
    raise UsageError(f"{_said(slos, candidate)} even with a replica for every request: no number of replicas "
                     f"meets it{why}")


def _said(slos: Sequence[Slo], candidate: Candidate) -> str:
    """The terms that are missed, with what is there."""
    return ", ".join(
        f"{term} is missed: {'none' if value is None else format(value, '.4g')}"
        for term, value, met in zip(slos, candidate.values, candidate.met, strict=True) if not met)


def _check_price(usd_per_gpu_hour: float | None, contracts: object, contract: str | None) -> None:
    check_price(usd_per_gpu_hour)
    if usd_per_gpu_hour is not None and contracts is not None:
        raise UsageError("give --usd-per-gpu-hour or --contracts, not both")
    if contract is not None and contracts is None:
        raise UsageError(f"--contract {contract} is one of the contracts of a file: give --contracts FILE")
