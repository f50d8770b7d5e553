"""The portfolio as a linear program: orders fill load-duration curves, price lists have the rest.

    min  sum over orders of size x price x hours in the horizon
       + what each layer of demand that nothing fills costs on spot or at the price list
       + take or pay: price x max(minimum, taken) per month, tiers per period
    s.t. per stretch: filled layers <= committed GPUs in service; layers nobody else serves are filled
         upfront payments <= budget; GPUs in term of an offer <= its most; smallest orders and blocks

The order of application of the ledger is not in it: take or pay is filled where that is best, and a
quantity may be bought to reach a tier. The program's cost is a bound for what the ledger says.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.experiments.orders import Order, Rest
from fleetsim.experiments.program import Program, Solution
from fleetsim.experiments.stretches import (
    Demand,
    Layers,
    Stretch,
    month_numbers,
    period_numbers,
    stretches_of,
)

if TYPE_CHECKING:
    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]

GROUPS = 256
"""Groups of hours that all stretches together begin with."""
FEWEST = 6
"""Groups that each begins with at least."""
ROUNDS = 12
"""Times that groups are split where the answer falls inside one."""
PARTS, PARTS_OF_MINIMUMS = 16, 8
"""A group is split in so many; with take or pay every stretch is a month, so there are more groups."""
SOLVED = 1e-6
"""A gap above this means that the solver gave up: groups are not split further."""
MOST_BLOCKS = 2_000
"""Orders of more blocks than this are rounded after solving; the search goes over them again."""


@dataclass(frozen=True)
class Problem:
    """What is asked."""

    demand: Demand
    orders: tuple[Order, ...]
    """Of kinds that commit."""
    spot_max_frac: float
    budget_upfront_usd: float | None = None
    most_nodes: int = 100
    """Nodes of the solver's search tree, so that an answer does not depend on the machine's speed."""
    time_limit_s: float = 10.0
    """Longest time of one solution all the same, seconds."""
    rounds: int = ROUNDS
    """Times that groups of hours may be split."""

    @cached_property
    def most(self) -> tuple[int, ...]:
        """By order: units beyond which it serves nobody."""
        return tuple(map(self._most, self.orders))

    def _most(self, order: Order) -> int:
        served = self.demand.served(order) > 0
        peak = math.ceil(float(self.demand.gpus[served].max(initial=0.0)) - 1e-9)
        block = order.offer.block_gpus
        most = max(order.smallest, math.ceil(-(-peak // block) * block * order.units_per_gpu))
        return most if order.largest is None else min(most, order.largest)


@dataclass(frozen=True)
class Planned:
    """An answer of the solver."""

    rest: Rest
    units: tuple[int, ...]
    """Size of each order."""
    solution: Solution


def planned(problem: Problem, rest: Rest) -> Planned | None:
    """The cheapest portfolio under one way to bill the rest; None when demand cannot be met.

    Groups of hours are split until the answer falls inside none, which makes the program's cost exact; it
    is a bound at every step. With tiers, and after once with take or pay, they are left as they
    are: a year takes long enough.
    """
    program = PortfolioProgram(problem, rest)
    found = program.solve()
    bound = -math.inf
    for _ in range(program.rounds):
        if found is None:
            return None
        bound = max(bound, found.bound)
        groups = program.refined(found)
        same = all(len(new) == len(old) for new, old in zip(groups, program.groups, strict=True))
        if same or found.gap_frac > SOLVED:
            break
        program = PortfolioProgram(problem, rest, groups)
        found = program.solve()
    if found is None:
        return None
    return Planned(rest, program.units(found), replace(found, bound=max(bound, found.bound)))


class PortfolioProgram:
    """The program under one way to bill the rest, for hours in the given groups."""

    def __init__(self, problem: Problem, rest: Rest, groups: "list[Ints] | None" = None) -> None:
        self.problem, self.rest, self.program = problem, rest, Program()
        demand, orders = problem.demand, problem.orders
        self.tiers = rest.tiers
        self.minimums = [k for k, order in enumerate(orders) if order.offer.kind == "take_or_pay"]
        self.months = month_numbers(demand)
        self.periods = self.months if self.tiers is None else period_numbers(
            demand, self.tiers.start, self.tiers.offer.tier_period_months)
        served = np.array([demand.served(order) for order in orders]).reshape(
            len(orders), len(demand.gpus))
        cuts = self.periods * len(demand.gpus) + self.months if self.minimums else self.periods
        self.stretches = stretches_of(demand, served, rest, problem.spot_max_frac,
                                      cuts if self.minimums or self.tiers else None)
        each = max(FEWEST, GROUPS // len(self.stretches))
        self.groups = groups or [stretch.groups(each) for stretch in self.stretches]
        self.layers = [stretch.layers(starts)
                       for stretch, starts in zip(self.stretches, self.groups, strict=True)]
        self.sizes = self._orders()
        self.fills = [self._stretch(stretch, layers)
                      for stretch, layers in zip(self.stretches, self.layers, strict=True)]
        for k in self.minimums:
            self._minimum(k)
        if self.tiers is not None:
            self._tiered(self.tiers)
        self._limits()

    @property
    def rounds(self) -> int:
        """Times that the groups may be split."""
        return 0 if self.tiers is not None else 1 if self.minimums else self.problem.rounds

    def solve(self) -> Solution | None:
        """The solver's answer; None when demand cannot be met."""
        return self.program.solve(most_nodes=self.problem.most_nodes,
                                  time_limit_s=self.problem.time_limit_s)

    def units(self, found: Solution) -> tuple[int, ...]:
        """The size of each order in an answer, as it can be ordered."""
        return tuple(self._whole(k, float(found.values[at])) for k, at in enumerate(self.sizes))

    def refined(self, found: Solution) -> "list[Ints]":
        """The groups, split where the committed GPUs of an answer fall inside one."""
        new = []
        for stretch, starts, fills in zip(self.stretches, self.groups, self.fills, strict=True):
            filled = [float(found.values[fill].sum()) for fill in fills.values()]
            new.append(stretch.refined(starts, [filled[0], sum(filled)],
                                       PARTS_OF_MINIMUMS if self.minimums else PARTS))
        return new

    def _whole(self, k: int, gpus: float) -> int:
        """Units of a size in GPUs, as they can be ordered."""
        order = self.problem.orders[k]
        units = gpus * order.units_per_gpu
        if units < 0.5:
            return 0
        block = order.offer.block_gpus
        # The ledger sees whole GPU-seconds: a hair more capacity than a layer needs costs nothing.
        blocks = math.ceil(units / block - 1e-6) if order.in_dollars else round(units / block)
        return min(max(blocks * block, order.smallest), self.problem.most[k])

    def _orders(self) -> list[int]:
        """A variable in GPUs for each order, priced but for take or pay."""
        program, demand, sizes = self.program, self.problem.demand, []
        for order, units in zip(self.problem.orders, self.problem.most, strict=True):
            most = units / order.units_per_gpu
            cost = 0.0
            if order.offer.kind != "take_or_pay":
                hours = float((demand.paid(order) * demand.worth).sum())
                cost = hours * order.usd_per_gpu_hour * order.level_factor(demand.rate)
            size = program.add(1, cost=cost, high=most)
            block = order.offer.block_gpus
            if not order.in_dollars and most / block <= MOST_BLOCKS:
                number = program.add(1, high=most / block, whole=True)
                program.row((size, 1.0), (number, -float(block)), low=0.0, high=0.0)
            least = order.smallest / order.units_per_gpu
            if least > 1 or (order.in_dollars and least > 0):
                signed = program.add(1, high=1.0, whole=True)
                program.row((size, 1.0), (signed, -least), low=0.0)
                program.row((size, 1.0), (signed, -most), high=0.0)
            sizes.append(int(size[0]))
        return sizes

    def _stretch(self, stretch: Stretch, layers: Layers) -> dict[int | None, Any]:
        """Filled GPUs of each layer: by all orders but take or pay (None), and by each of those."""
        program, count = self.program, len(layers.width)
        saved = layers.saved_usd
        tiered = self.tiers is not None and self._holds(stretch)
        if tiered:  # the price list's part is priced by period
            worth = self.problem.demand.worth[stretch.hours]
            saved = layers.spot_hours * (stretch.spot_usd or 0.0) * float(worth.min())
        program.constant += float((layers.width * saved).sum())
        uncovered = stretch.list_usd is None
        low = np.where((layers.list_hours > 0) & uncovered, layers.width, 0.0)
        in_service = [k for k in self.minimums if stretch.served[k] > 0]
        fills: dict[int | None, Any] = {
            None: program.add(count, cost=-saved, low=0.0 if in_service else low, high=layers.width)}
        for k in in_service:
            fills[k] = program.add(count, cost=-saved, high=layers.width)
            program.row((fills[k], 1.0), (self.sizes[k], -float(stretch.served[k])), high=0.0)
        if in_service:
            program.rows_of(*((fill, 1.0) for fill in fills.values()), high=layers.width)
            if low.any():
                program.rows_of(*((fill, -1.0) for fill in fills.values()), high=-low)
        others = [k for k in range(len(self.sizes)) if k not in self.minimums and stretch.served[k] > 0]
        program.row((fills[None], 1.0), (np.array([self.sizes[k] for k in others], dtype=np.int64),
                                         -stretch.served[others]), high=0.0)
        return fills

    def _holds(self, stretch: Stretch) -> bool:
        """Whether the tiers' list bills the stretch."""
        assert self.tiers is not None, "asked with tiers only"
        return bool(self.periods[stretch.hours.start] > 0)

    def _minimum(self, k: int) -> None:
        """Take or pay: each month at least the minimum is paid."""
        program, demand, order = self.program, self.problem.demand, self.problem.orders[k]
        paid = demand.paid(order)
        for month in np.unique(self.months[paid > 0]):
            here = self.months == month
            due = program.add(1, cost=order.usd_per_gpu_hour * float(demand.worth[here].min()))
            least = order.offer.minimum_frac * float(paid[here].sum())
            program.row((due, 1.0), (self.sizes[k], -least), low=0.0)
            taken = [(fills[k], -layers.needed)
                     for stretch, layers, fills in zip(self.stretches, self.layers, self.fills, strict=True)
                     if k in fills and self.months[stretch.hours.start] == month]
            program.row((due, 1.0), *taken, low=0.0)

    def _tiered(self, order: Order) -> None:
        """Tiers: what a period's quantity costs, one whole number per tier."""
        program, demand, offer = self.program, self.problem.demand, order.offer
        edges = [0.0, *(float(tier.from_gpu_hours) for tier in offer.tiers), math.inf]
        prices = [float(offer.usd_per_gpu_hour), *(float(tier.usd_per_gpu_hour) for tier in offer.tiers)]
        for period in np.unique(self.periods[self.periods > 0]):
            here = [(layers, fills)
                    for stretch, layers, fills in zip(self.stretches, self.layers, self.fills, strict=True)
                    if self.periods[stretch.hours.start] == period]
            whole = sum(float((layers.width * layers.list_hours).sum()) for layers, _ in here)
            worth = float(demand.worth[self.periods == period].min())
            parts, chosen, base = [], [], 0.0
            for low, high, price in zip(edges[:-1], edges[1:], prices, strict=True):
                fixed = base - price * low if offer.tier_mode == "graduated" else 0.0
                base += price * (high - low) if high < math.inf else 0.0
                z = program.add(1, cost=fixed * worth, high=1.0 if low <= whole else 0.0, whole=True)
                quantity = program.add(1, cost=price * worth)
                program.row((quantity, 1.0), (z, -low), low=0.0)
                program.row((quantity, 1.0), (z, -min(high, whole + 1.0)), high=0.0)
                parts.append((quantity, 1.0))
                chosen.append((z, 1.0))
            program.row(*chosen, low=1.0, high=1.0)
            filled = [(fill, layers.list_hours) for layers, fills in here for fill in fills.values()]
            program.row(*parts, *filled, low=whole, high=whole)

    def _limits(self) -> None:
        """Cash paid ahead, and the GPUs of one offer at one time."""
        program, problem = self.program, self.problem
        orders, sizes = problem.orders, np.array(self.sizes, dtype=np.int64)
        if problem.budget_upfront_usd is not None and len(orders):
            upfront = np.array([order.upfront_usd_per_gpu for order in orders])
            program.row((sizes, upfront), high=problem.budget_upfront_usd)
        for held in held_together(problem):
            largest = orders[held[0]].offer.max_gpus
            assert largest is not None, "only offers with a most are held together"
            program.row((sizes[held], 1.0), high=float(largest))


def held_together(problem: Problem) -> list[list[int]]:
    """Orders of one offer with a most that are in term in the same hour, by number; two or more."""
    found: dict[tuple[int, ...], None] = {}
    names = [order.offer_name for order in problem.orders]
    for name in dict.fromkeys(names):
        own = [k for k, other in enumerate(names) if other == name]
        if len(own) < 2 or problem.orders[own[0]].offer.max_gpus is None:
            continue
        held = np.array([problem.demand.paid(problem.orders[k]) > 0 for k in own])
        fresh = np.append(True, (held[:, 1:] != held[:, :-1]).any(axis=0))
        for column in held[:, fresh].T:
            together = tuple(k for k, inside in zip(own, column, strict=True) if inside)
            if len(together) > 1:
                found[together] = None
    return [list(each) for each in found]


def upfront_usd(problem: Problem, units: Sequence[int]) -> float:
    """Cash paid ahead for orders of these sizes."""
    return sum(size / order.units_per_gpu * order.upfront_usd_per_gpu
               for order, size in zip(problem.orders, units, strict=True))
