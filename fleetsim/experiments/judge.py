"""The judge: what the ledger charges a fleet's required GPUs under a portfolio."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.experiments.orders import Order, Rest
from fleetsim.experiments.portfolio_lp import Problem, held_together, upfront_usd
from fleetsim.ledger.contracts import Agreement
from fleetsim.ledger.money import MICRO
from fleetsim.ledger.rating import Bill, Biller
from fleetsim.ledger.totals import totals
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.timebase import epoch_us

if TYPE_CHECKING:
    Floats = np.ndarray[Any, np.dtype[np.float64]]

UNCOVERED_FRAC = 1e-9
"""GPU-hours that no contract bills, as a share of all: less is rounding to whole GPU-seconds."""


@dataclass(frozen=True)
class Answer:
    """A portfolio: how the rest is billed, and the size of every order."""

    rest: Rest
    units: tuple[int, ...]


class Judge:
    """Costs of portfolios, by the ledger; each is rated once."""

    def __init__(self, problem: Problem, usage: HourlyUsage) -> None:
        self.problem, self.usage = problem, usage
        self.rated = 0
        """Portfolios that the ledger has rated."""
        self._known: dict[Answer, float] = {}
        self._limits = [(max(1, order.smallest), math.inf if order.largest is None else order.largest,
                         order.offer.block_gpus) for order in problem.orders]
        self._together = held_together(problem)
        self._required = int(usage.allocated_gpu_s.sum())

    def cost(self, answer: Answer) -> float:
        """The objective in dollars; infinite where an order cannot be signed or demand is not met."""
        if answer not in self._known:
            self._known[answer] = self._cost(answer)
        return self._known[answer]

    def _cost(self, answer: Answer) -> float:
        if not self.allowed(answer):
            return math.inf
        self.rated += 1
        if self._needs_no_rows(answer):
            found = totals(self.contracts(answer, by_month=True), [self.usage])
            return sum(total.effective_micro_usd for total in found.values()) / MICRO
        bill = self.bill(answer, by_month=True)
        taken = int(bill.charges.gpu_s[_usage_rows(bill)].sum())
        if self._required - taken > UNCOVERED_FRAC * self._required:
            return math.inf
        return self.objective_usd(bill, self.factors(answer))

    def _needs_no_rows(self, answer: Answer) -> bool:
        """Whether sums are enough: hours are all worth the same, lists serve them all, no period is cut."""
        lists, demand = answer.rest.lists, self.problem.demand
        served = bool(lists) and lists[0].start <= demand.start
        return served and not demand.rate and answer.rest.tiers is None

    def allowed(self, answer: Answer) -> bool:
        """Whether every order can be signed: smallest and largest orders, and the budget."""
        for (smallest, largest, block), units in zip(self._limits, answer.units, strict=True):
            if units and not (smallest <= units <= largest and units % block == 0):
                return False
        for held in self._together:
            most = self.problem.orders[held[0]].largest
            if most is not None and sum(answer.units[k] for k in held) > most:
                return False
        budget = self.problem.budget_upfront_usd
        return budget is None or upfront_usd(self.problem, answer.units) <= budget * (1 + 1e-12)

    def contracts(self, answer: Answer, *, by_month: bool = False) -> dict[str, Agreement]:
        """The contracts of a portfolio by name: the offer's, with the date where it is signed twice."""
        signed = self.signed(answer)
        offers = [order.offer_name for order, _ in signed]
        found = {order.offer_name if offers.count(order.offer_name) == 1 else order.name:
                 order.contract(self.usage.fleet, units, by_month=by_month) for order, units in signed}
        return found | answer.rest.contracts(self.usage.fleet, self.problem.spot_max_frac)

    def signed(self, answer: Answer) -> list[tuple[Order, int]]:
        """The orders of a portfolio that have a size."""
        return [(order, units) for order, units in zip(self.problem.orders, answer.units, strict=True)
                if units]

    def bill(self, answer: Answer, *, by_month: bool = False) -> Bill:
        """What the ledger charges; `by_month` leaves prepayments out, which move cash and no cost."""
        biller = Biller(self.contracts(answer, by_month=by_month), last_us=epoch_us(self.problem.demand.end))
        return biller.bill([self.usage])

    def factors(self, answer: Answer) -> dict[str, float]:
        """By contract: level rate / effective price, where it is paid ahead and there is a discount rate."""
        rate = self.problem.demand.rate
        names = list(self.contracts(answer))
        return {name: order.level_factor(rate)
                for name, (order, _) in zip(names, self.signed(answer), strict=False)}

    def objective_usd(self, bill: Bill, factors: dict[str, float]) -> float:
        """Effective cost of the horizon; with a discount rate each hour's at its worth, at level rates."""
        charges = bill.charges
        if not self.problem.demand.rate:
            return float(charges.effective_micro_usd.sum()) / MICRO
        factor = np.array([factors.get(line.contract, 1.0) for line in charges.lines])
        worth = self.problem.demand.worth[np.searchsorted(bill.hour_us, charges.hour_us)]
        return float((charges.effective_micro_usd * worth * factor[charges.line]).sum()) / MICRO


def _usage_rows(bill: Bill) -> "np.ndarray[Any, np.dtype[np.bool_]]":
    """Rows of GPU-hours that somebody used."""
    charges = bill.charges
    usage = np.array([line.charge_category == "Usage" and line.clause != "unused" for line in charges.lines],
                     dtype=bool)
    return usage[charges.line] if len(usage) else np.zeros(0, dtype=bool)
