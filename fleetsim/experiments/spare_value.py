"""The value of a spare: the same fleet with other numbers of spare nodes, each rented beside the others."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from fleetsim.errors import UsageError
from fleetsim.experiments.fleet_runs import Estimate, FleetRun, FleetRuns, with_fleet
from fleetsim.model.failure_rate import expected_out
from fleetsim.model.fleet import Tranche
from fleetsim.model.scenario import Scenario
from fleetsim.timebase import YEAR_H

FEW_JOBS = 2_000
"""Jobs up to which a run takes so little time that more numbers are tried."""
PARTS = 6
"""The stretch around the best number is divided into."""
SMALL = 4
"""Spare nodes up to which one more and one less are tried, too."""


@dataclass(frozen=True)
class Spares:
    """One number of spare nodes; GPU-hours and dollars are a year's."""

    nodes: int
    rented_gpu_hours: float
    """Mean."""
    productive: Estimate
    blocked_gpu_hours: float
    """Mean; held by gangs that wait for a member."""
    queued_gpu_hours: float
    """Mean; size x time in the queue."""
    usd_per_productive_gpu_hour: float | None
    worth_usd: Estimate
    """Productive GPU-hours more than with the given number, at what the fleet pays for one."""
    net_usd: Estimate
    """The same less the rent of the spares more."""
    one_more_net_usd: Estimate | None
    """Net value of one spare node more, in the mean up to the next number; None at the last."""


@dataclass(frozen=True)
class SpareValue:
    """Numbers of spare nodes that were tried, by number."""

    given: int
    expected_out_nodes: float
    """Nodes in repair in the mean, with crews for all of them."""
    node_usd_per_year: float
    """Rent of a node."""
    usd_per_productive_gpu_hour: float | None
    """What the fleet pays for a productive GPU-hour as it is: the value of one more."""
    tried: tuple[Spares, ...]

    @property
    def best(self) -> Spares:
        """The largest net value; of equals the given number, else the fewest."""
        return max(self.tried, key=lambda each: (each.net_usd.mean, each.nodes == self.given, -each.nodes))

    @property
    def told_apart(self) -> bool:
        """Whether the best differs from the given by more than two standard errors."""
        error = self.best.net_usd.error
        return self.best.nodes != self.given and error is not None and self.best.net_usd.mean > 2.0 * error

    def as_dict(self) -> dict[str, Any]:
        """Plain data; every amount is a year's."""
        def plain(each: Estimate | None) -> dict[str, float | None] | None:
            return None if each is None else each.as_dict()

        return {
            "given": self.given, "best": self.best.nodes, "best_told_apart": self.told_apart,
            "expected_out_nodes": self.expected_out_nodes, "node_usd_per_year": self.node_usd_per_year,
            "usd_per_productive_gpu_hour": self.usd_per_productive_gpu_hour,
            "tried": [{
                "spare_nodes": each.nodes, "rented_gpu_hours": each.rented_gpu_hours,
                "productive_gpu_hours": each.productive.as_dict(),
                "blocked_gpu_hours": each.blocked_gpu_hours, "queued_gpu_hours": each.queued_gpu_hours,
                "usd_per_productive_gpu_hour": each.usd_per_productive_gpu_hour,
                "worth_usd": each.worth_usd.as_dict(), "net_usd": each.net_usd.as_dict(),
                "one_more_net_usd": plain(each.one_more_net_usd)}
                for each in self.tried]}


def with_spares(scenario: Scenario, fleet: str, nodes: int) -> Scenario:
    """The fleet with so many spare nodes; what it has more or less of them is rented more or less.

    The GPUs come and go with the first tranches. UsageError when the fleet has fewer.
    """
    spec = scenario.fleets[fleet]
    more = (nodes - spec.reliability.spare_nodes) * scenario.gpus[spec.gpu].gpus_per_node
    tranches: list[Tranche] = []
    for tranche in sorted(spec.tranches, key=lambda each: each.date):
        gpus = max(0, tranche.gpus + more)
        more -= gpus - tranche.gpus
        if gpus:
            tranches.append(replace(tranche, gpus=gpus))
    if more:
        raise UsageError(f"{fleet} has fewer GPUs than its {spec.reliability.spare_nodes} spare nodes: "
                         "there is no fleet without them")
    return with_fleet(scenario, fleet, replace(
        spec, tranches=tuple(tranches), reliability=replace(spec.reliability, spare_nodes=nodes)))


def numbers(given: int, out: float, nodes: float, *, few_jobs: bool) -> list[int]:
    """Numbers of spares to try, up to all nodes: around the given one, or the nodes expected to be out."""
    likely = [round(out), math.ceil(out + 2.0 * math.sqrt(out))]
    if given == 0:
        found = [0, 1, round(out / 2.0), *likely, math.ceil(2.0 * out)]
    else:
        found = [0, given // 2, given, 2 * given]
        if given <= SMALL:
            found += [given - 1, given + 1]
        if few_jobs:
            found += [given // 4, 3 * given // 4, 3 * given // 2, *likely]
    return sorted({number for number in found if number <= max(given, math.ceil(nodes))})


def spare_value(runs: FleetRuns, own: Sequence[FleetRun], tried: Sequence[int] | None = None, *,
                usd_per_gpu_hour: float, per_year: float, few_jobs: bool = False,
                doing: Callable[[str], None] = lambda what: None) -> SpareValue:
    """Runs of the fleet with other numbers of spares beside its own; replications are paired.

    Without numbers to try they are chosen; of `few_jobs` also between the best and its neighbours. `doing`
    hears of each number before it is tried. UsageError as of `with_spares`.
    """
    spec, given = runs.spec, runs.spec.reliability.spare_nodes
    node_gpus = runs.scenario.gpus[spec.gpu].gpus_per_node
    rented = math.fsum(run.rented_gpu_hours for run in own)
    productive = math.fsum(run.gpu_hours["productive"] for run in own)
    value = usd_per_gpu_hour * rented / productive if productive else None
    nodes = rented / len(own) * per_year / YEAR_H / node_gpus
    out = expected_out(spec, nodes)
    asked = numbers(given, out, nodes, few_jobs=few_jobs) if tried is None else tried
    found: dict[int, Sequence[FleetRun]] = {given: own}
    worth: dict[int, list[float]] = {}
    net: dict[int, list[float]] = {}

    def ask(nodes: int) -> None:
        if nodes not in found:
            doing(f"{nodes} spare nodes")
            found[nodes] = runs.of(with_spares(runs.scenario, runs.fleet, nodes))
        pairs = list(zip(found[nodes], own, strict=True))
        worth[nodes] = [(each.gpu_hours["productive"] - before.gpu_hours["productive"]) * (value or 0.0)
                        * per_year for each, before in pairs]
        net[nodes] = [gain - (each.rented_gpu_hours - before.rented_gpu_hours) * usd_per_gpu_hour * per_year
                      for gain, (each, before) in zip(worth[nodes], pairs, strict=True)]

    def spares(nodes: int, following: int | None) -> Spares:
        def mean(values: Iterable[float]) -> Estimate:
            return Estimate.of([each * per_year for each in values])

        paid = mean(run.rented_gpu_hours for run in found[nodes]).mean
        useful = mean(run.gpu_hours["productive"] for run in found[nodes])
        step = None if following is None else Estimate.of(
            [(after - here) / (following - nodes)
             for here, after in zip(net[nodes], net[following], strict=True)])
        return Spares(
            nodes, paid, useful, mean(run.gpu_hours["blocked"] for run in found[nodes]).mean,
            mean(run.queued_gpu_hours for run in found[nodes]).mean,
            paid * usd_per_gpu_hour / useful.mean if useful.mean else None,
            Estimate.of(worth[nodes]), Estimate.of(net[nodes]), step)

    for number in sorted({*asked, given}):
        ask(number)
    if tried is None and few_jobs:
        for number in between(sorted(net), max(net, key=lambda each: math.fsum(net[each]))):
            ask(number)
    in_order = sorted(net)
    return SpareValue(
        given, out, node_gpus * YEAR_H * usd_per_gpu_hour, value,
        tuple(spares(*pair) for pair in zip(in_order, [*in_order[1:], None], strict=True)))


def between(tried: Sequence[int], best: int) -> list[int]:
    """Numbers between the neighbours of the best of those tried, evenly apart."""
    place = tried.index(best)
    low, high = tried[max(0, place - 1)], tried[min(len(tried) - 1, place + 1)]
    return [number for number in range(low, high, max(1, math.ceil((high - low) / PARTS)))
            if number not in tried]
