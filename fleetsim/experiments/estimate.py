"""Estimate: what the ledger will say of a portfolio, in floats and in a fraction of the time.

The contracts of one fleet in the ledger's order of application: blocks, then reservations and minimums by
price, plans, spot up to its share, the price list. It guides the search; the ledger decides.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.experiments.judge import Answer, Judge
from fleetsim.experiments.orders import Order, Rest
from fleetsim.experiments.stretches import Demand, list_prices, month_numbers, period_numbers

if TYPE_CHECKING:
    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]

RANKS = {"capacity_block": 1, "reserved": 2, "take_or_pay": 2, "savings_plan": 3}
UNMET_FRAC = 1e-9


class Estimate:
    """Estimated costs of the portfolios of a judge's problem."""

    def __init__(self, judge: Judge) -> None:
        self.judge, problem = judge, judge.problem
        demand = problem.demand
        self.gpus, self.worth, self.months = demand.gpus, demand.worth, month_numbers(demand)
        self.share = problem.spot_max_frac
        self.served = [demand.served(order) for order in problem.orders]
        self.by_month = [np.bincount(self.months, demand.paid(order)) for order in problem.orders]
        self.worth_of_month = np.bincount(self.months, self.worth) / np.maximum(np.bincount(self.months), 1)
        self.fixed = [float((demand.paid(order) * self.worth).sum()) * order.usd_per_gpu_hour
                      * order.level_factor(demand.rate) for order in problem.orders]
        self.in_order = sorted(range(len(problem.orders)), key=lambda k: _place(problem.orders[k]))
        self.rated = 0
        """Portfolios estimated."""
        self._rests: dict[Rest, _Rest] = {}
        self._known: dict[Answer, float] = {}

    def cost(self, answer: Answer) -> float:
        """The objective in dollars; infinite where it cannot be signed or demand is not met."""
        if answer not in self._known:
            allowed = self.judge.allowed(answer)
            self._known[answer] = self._cost(answer) if allowed else math.inf
        return self._known[answer]

    def _cost(self, answer: Answer) -> float:
        self.rated += 1
        left, cost = self.gpus, 0.0
        for k in self.in_order:
            units = answer.units[k]
            if not units:
                continue
            order = self.judge.problem.orders[k]
            gpus = units / order.units_per_gpu
            used = np.minimum(left, gpus * self.served[k])
            cost += self._minimum(k, order, gpus, used) if order.offer.kind == "take_or_pay" else \
                self.fixed[k] * gpus
            left = left - used
        return cost + self._rest(answer.rest, left)

    def _minimum(self, k: int, order: Order, gpus: float, used: "Floats") -> float:
        taken = np.bincount(self.months, used, minlength=len(self.by_month[k]))
        short = np.maximum(order.offer.minimum_frac * gpus * self.by_month[k] - taken, 0.0)
        hours = float((used * self.worth).sum() + (short * self.worth_of_month).sum())
        return order.usd_per_gpu_hour * hours

    def _rest(self, rest: Rest, left: "Floats") -> float:
        if rest not in self._rests:
            self._rests[rest] = _Rest.of(rest, self.judge.problem.demand, self.share)
        rates, cost = self._rests[rest], 0.0
        if rest.spot:
            on_spot = np.minimum(left, rates.most_on_spot)
            cost += float(on_spot @ rates.spot_usd)
            left = left - on_spot
        if rates.nobody is not None and float(left[rates.nobody].sum()) > UNMET_FRAC * self.gpus.sum():
            return math.inf
        cost += float(left @ rates.list_usd)
        if rest.tiers is not None and rates.periods is not None:
            quantities = np.bincount(rates.periods, left)[1:].astype(np.float64)
            cost += float(_tiered(rest.tiers, quantities) @ rates.worth)
        return cost


@dataclass(frozen=True)
class _Rest:
    """What the rest costs by hour, at its worth."""

    most_on_spot: "Floats"
    spot_usd: "Floats"
    list_usd: "Floats"
    """Without the hours that tiers bill."""
    nobody: "np.ndarray[Any, np.dtype[np.bool_]] | None"
    """Hours without a price list, where there are any."""
    periods: "Ints | None"
    """The tiers' period of each hour; 0 is before they start."""
    worth: "Floats"
    """Mean discount factor of each period from the first on."""

    @classmethod
    def of(cls, rest: Rest, demand: Demand, share: float) -> "_Rest":
        list_usd, spot_usd = list_prices(demand, rest.lists), list_prices(demand, rest.spot)
        listed, spot = np.isfinite(list_usd), np.isfinite(spot_usd)
        billed, periods, worth = listed.copy(), None, np.zeros(0)
        if rest.tiers is not None:
            periods = period_numbers(demand, rest.tiers.start, rest.tiers.offer.tier_period_months)
            billed &= periods == 0
            worth = (np.bincount(periods, demand.worth) / np.maximum(np.bincount(periods), 1))[1:]
        return cls(np.where(spot, share * demand.gpus, 0.0), np.where(spot, spot_usd, 0.0) * demand.worth,
                   np.where(billed, list_usd, 0.0) * demand.worth, None if listed.all() else ~listed,
                   periods, worth)


def _tiered(order: Order, quantities: "Floats") -> "Floats":
    """What the GPU-hours of each period cost."""
    offer = order.offer
    starts = np.array([0.0, *(float(tier.from_gpu_hours) for tier in offer.tiers)])
    dollars = (offer.usd_per_gpu_hour, *(tier.usd_per_gpu_hour for tier in offer.tiers))
    prices = np.array([float(price) for price in dollars])
    if offer.tier_mode == "all_units":
        by_units: Floats = quantities * prices[np.searchsorted(starts, quantities + 1e-6, side="right") - 1]
        return by_units
    stops = np.append(starts[1:], math.inf)
    slices = np.minimum(quantities[:, None], stops) - np.minimum(quantities[:, None], starts)
    by_slice: Floats = slices @ prices
    return by_slice


def _place(order: Order) -> tuple[Any, ...]:
    plan = order.in_dollars
    return RANKS[order.offer.kind], 0 if plan else order.offer.usd_per_gpu_hour, order.name
