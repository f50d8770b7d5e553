"""Search: better portfolios near the solver's, with the ledger as judge.

Where the ledger applies contracts in another order than the program assumes (take or pay, tiers), the
solver's answer may not be the cheapest. Sizes are moved up and down and from one order to another, in
steps that shrink to one block, by an estimate of the ledger; the best are rated by the ledger itself.
Where there are few portfolios, all are looked at. Nothing is random.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product

from fleetsim.experiments.estimate import Estimate
from fleetsim.experiments.judge import Answer, Judge
from fleetsim.experiments.orders import Rest
from fleetsim.experiments.portfolio_lp import Problem, planned

MOST_ESTIMATED = 1_500
"""Portfolios that one descent estimates."""
DESCENTS = 2
"""So many of the starts are descended from."""
FEW = 20_000
"""So many portfolios are all estimated."""
BEST = 25
"""Portfolios with the lowest estimates that the ledger rates."""
SHRINK = 4
"""Each step is so many times smaller than the one before."""
ROUGH_ROUNDS = 1
"""Programs that only give places to start split groups of hours so often."""
EXACT = 1e-9
"""An answer this near to the bound, as a share, is not searched further."""


def searched(judge: Judge, starts: Sequence[Answer], bound_usd: float) -> Answer:
    """The cheapest portfolio found from the given ones; never dearer by the ledger than any of them."""
    best = min(starts, key=judge.cost)
    if judge.cost(best) - bound_usd <= EXACT * abs(bound_usd):
        return best
    estimate = Estimate(judge)
    rests = list(dict.fromkeys(start.rest for start in starts))
    found = sorted(_all(judge, rests), key=estimate.cost)
    if not found:
        ranked = sorted(dict.fromkeys(starts), key=judge.cost)[:DESCENTS]
        for start in (each for each in ranked if judge.cost(each) < math.inf):
            found += _descended(estimate, start, estimate.rated + MOST_ESTIMATED)
        found.sort(key=estimate.cost)
    return min([best, *found[:BEST]], key=judge.cost)


def simpler_answers(problem: Problem, rests: Sequence[Rest]) -> list[Answer]:
    """Answers of programs without what the ledger applies in an order of its own: more places to start.

    Take or pay as a reservation, or left out; one tier's price for everything.
    """
    found = []
    problem = replace(problem, rounds=ROUGH_ROUNDS)
    variants = [problem]
    minimums = [order for order in problem.orders if order.offer.kind == "take_or_pay"]
    if minimums:
        variants = [replace(problem, orders=tuple(
            replace(order, offer=replace(order.offer, kind="reserved", minimum_frac=1.0))
            if order in minimums else order for order in problem.orders))]
        variants.append(replace(problem, orders=tuple(
            order for order in problem.orders if order not in minimums)))
    for rest in rests:
        flat = _flat(rest)
        for simpler in flat or [rest]:
            for variant in variants[:1] if flat else variants:
                plan = planned(variant, simpler) if flat or minimums else None
                if plan is not None:
                    sizes = iter(plan.units)
                    found.append(Answer(rest, tuple(
                        0 if variant is not variants[0] and order in minimums else next(sizes)
                        for order in problem.orders)))
    return found


def _flat(rest: Rest) -> list[Rest]:
    """With tiers: the same with one price for everything, for each tier after the first."""
    tiers = rest.tiers
    if tiers is None:
        return []
    offers = [replace(tiers.offer, kind="on_demand", tiers=(), usd_per_gpu_hour=tier.usd_per_gpu_hour)
              for tier in tiers.offer.tiers]
    return [replace(rest, lists=tuple(replace(order, offer=offer) if order is tiers else order
                                      for order in rest.lists)) for offer in offers]


def _descended(estimate: Estimate, start: Answer, most: int) -> list[Answer]:
    """The portfolios that a coordinate search with shrinking steps went through, the best ones last."""
    passed, judge = [start], estimate.judge
    peak = float(judge.problem.demand.gpus.max(initial=1.0))
    step = 1.0 if peak <= SHRINK else float(SHRINK ** math.ceil(math.log(peak, SHRINK) - 1))
    while step >= 1.0:
        better = True
        while better and estimate.rated < most:
            better = False
            for move in _moves(judge, passed[-1], step):
                if estimate.cost(move) < estimate.cost(passed[-1]):
                    passed.append(move)
                    better = True
                if estimate.rated >= most:
                    break
        step /= SHRINK
    return passed[-BEST:]


def _moves(judge: Judge, answer: Answer, step: float) -> Iterator[Answer]:
    """Portfolios one step away: an order larger or smaller or gone, or GPUs moved to another order."""
    sizes = range(len(answer.units))
    held = sorted(sizes, key=lambda k: -answer.units[k] / judge.problem.orders[k].units_per_gpu)
    for k in held:
        yield from _changed(judge, answer, {k: step})
        yield from _changed(judge, answer, {k: -step})
        if answer.units[k]:
            yield _resized(answer, {k: 0})
    for k in (k for k in held if answer.units[k]):
        for other in held:
            if other != k:
                yield from _changed(judge, answer, {k: -step, other: step})


def _changed(judge: Judge, answer: Answer, gpus: dict[int, float]) -> Iterator[Answer]:
    """The portfolio with GPUs added to orders, in whole blocks and inside their limits."""
    units = {}
    for k, more in gpus.items():
        order = judge.problem.orders[k]
        block = order.offer.block_gpus
        blocks = max(1, round(abs(more) * order.units_per_gpu / block))
        size = answer.units[k] + (blocks * block if more > 0 else -blocks * block)
        size = min(size, judge.problem.most[k])
        if more < 0 and size < order.smallest:
            size = 0 if size <= 0 else order.smallest
        if more > 0:
            size = max(size, order.smallest)
        units[k] = max(size, 0)
    if all(answer.units[k] != size for k, size in units.items()):
        yield _resized(answer, units)


def _resized(answer: Answer, units: dict[int, int]) -> Answer:
    return replace(answer, units=tuple(units.get(k, size) for k, size in enumerate(answer.units)))


def _all(judge: Judge, rests: Sequence[Rest]) -> Iterator[Answer]:
    """Every portfolio where there are few; of a plan, the sizes that just cover some hour's rest.

    Between two such sizes a plan's cost is a straight line, so no other needs a look.
    """
    orders, demand = judge.problem.orders, judge.problem.demand
    plans = [k for k, order in enumerate(orders) if order.in_dollars]
    sizes = [[0] if order.in_dollars else [0, *range(order.smallest, most + 1, order.offer.block_gpus)]
             for order, most in zip(orders, judge.problem.most, strict=True)]
    count = math.prod(len(each) for each in sizes) * len(rests)
    if plans:
        count *= len(demand.gpus)
    if len(plans) > 1 or count > FEW:
        return
    for rest in rests:
        for units in product(*sizes):
            answer = Answer(rest, units)
            yield answer
            for k in plans:
                left = demand.gpus * 1.0
                for size, order in zip(units, orders, strict=True):
                    left -= size * demand.served(order)
                for gpus in sorted({float(each) for each in left if each > 0}):
                    yield _resized(answer, {k: math.ceil(gpus * orders[k].units_per_gpu - 1e-6)})
