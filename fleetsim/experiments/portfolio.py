"""The portfolio that was chosen: its contracts, what each costs and how well it is used."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.experiments.judge import Answer, Judge
from fleetsim.experiments.orders import Order
from fleetsim.ledger.commitment import Commitment
from fleetsim.ledger.contracts import Agreement
from fleetsim.ledger.meter import HOUR_S
from fleetsim.ledger.money import MICRO
from fleetsim.ledger.rating import Bill
from fleetsim.model.base import yaml_key
from fleetsim.model.contract import Offer
from fleetsim.timebase import iso

if TYPE_CHECKING:
    Floats = np.ndarray[Any, np.dtype[np.float64]]

MONTH_H = 730


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """One contract of a portfolio. Dollars are those of the horizon unless they say otherwise."""

    contract: str
    offer: str
    kind: str
    provider: str | None
    signed: str
    start: str
    end: str | None
    gpus: float | None
    """GPUs committed; of a plan, what its dollars buy; None where nothing is committed."""
    usd_per_hour: float | None
    """Dollars an hour of a plan."""
    gpu_hours: float
    """GPU-hours that it served."""
    effective_usd: float
    billed_usd: float
    upfront_usd: float
    """Paid at the start of its term."""
    remaining_usd: float
    """Still to be paid after the horizon."""
    prepaid_usd: float
    """Paid inside the horizon for time after it."""
    utilisation_frac: float | None
    """Used share of the commitment."""
    waste_usd: float
    """Paid for and not used."""
    break_even_frac: float | None
    """Use from which it is cheaper than the price list."""
    break_even_months: float | None
    """Months until what was paid ahead is earned back, at its use; None if never, or nothing was."""
    newsvendor_gpus: float | None
    """Its best size if it were the only commitment: the quantile 1 - break-even of the demand."""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A range of hours a year in which one offer is the cheapest for a GPU needed that long."""

    offer: str
    from_h: float
    to_h: float


@dataclass(frozen=True, kw_only=True)
class Portfolio:
    """The cheapest mix that was found."""

    run: str
    """Path of the run."""
    fleet: str
    hours: int
    required_gpu_hours: float
    peak_gpus: float
    chosen: tuple[Chosen, ...]
    contracts: Mapping[str, Agreement]
    discount_frac_per_year: float
    budget_upfront_usd: float | None
    spot_max_frac: float
    solver_usd: float
    """The objective by the solver, at its answer."""
    solver_gap_frac: float
    """The solver's own: between its answer and its bound."""
    bound_usd: float
    """No portfolio of the orders looked at costs less."""
    solver_ledger_usd: float
    """The objective by the ledger, at the solver's answer."""
    ledger_usd: float
    """The objective by the ledger, at the answer that was chosen."""
    portfolios_rated: int
    """Portfolios that the ledger rated on the way."""
    without_commitments_usd: float | None
    """The objective with price lists alone; None where they do not meet demand."""
    merit_order: tuple[Layer, ...]
    notes: tuple[str, ...] = ()

    @property
    def gap_frac(self) -> float:
        """How much cheaper than the answer anything could be, as a share of it."""
        return max(0.0, self.ledger_usd - self.bound_usd) / self.ledger_usd if self.ledger_usd else 0.0

    @property
    def difference_usd(self) -> float:
        """Ledger less solver, for the solver's answer: what the order of application makes."""
        return self.solver_ledger_usd - self.solver_usd

    @property
    def effective_usd(self) -> float:
        """Effective cost over the horizon."""
        return sum(each.effective_usd for each in self.chosen)

    @property
    def billed_usd(self) -> float:
        """Cash over the horizon."""
        return sum(each.billed_usd for each in self.chosen)

    @property
    def upfront_usd(self) -> float:
        """Cash paid ahead."""
        return sum(each.upfront_usd for each in self.chosen)

    @property
    def remaining_usd(self) -> float:
        """Payments due after the horizon."""
        return sum(each.remaining_usd for each in self.chosen)

    @property
    def waste_usd(self) -> float:
        """Paid for and not used."""
        return sum(each.waste_usd for each in self.chosen)

    @property
    def coverage_frac(self) -> float:
        """Required GPU-hours that commitments served."""
        served = sum(each.gpu_hours for each in self.chosen if each.gpus is not None)
        return served / self.required_gpu_hours if self.required_gpu_hours else 0.0

    @property
    def utilisation_frac(self) -> float | None:
        """Used share of what the commitments cost; None without any."""
        cost = sum(each.effective_usd for each in self.chosen if each.gpus is not None)
        waste = sum(each.waste_usd for each in self.chosen if each.gpus is not None)
        return None if not cost else 1 - waste / cost

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        own = {field.name: getattr(self, field.name) for field in fields(self)
               if field.name not in ("contracts", "chosen", "merit_order")}
        computed = ("gap_frac", "difference_usd", "effective_usd", "billed_usd", "upfront_usd",
                    "remaining_usd", "waste_usd", "coverage_frac", "utilisation_frac")
        return {
            **own, **{name: getattr(self, name) for name in computed},
            "chosen": [vars(each) for each in self.chosen],
            "merit_order": [vars(each) for each in self.merit_order],
            "contracts": self.source()["contracts"],
        }

    def source(self) -> dict[str, Any]:
        """A contract file's data: what `rebill` and `compare` take."""
        return {"fleetsim": 1, "name": "portfolio",
                "contracts": {name: contract_source(contract) for name, contract in self.contracts.items()}}

    def write(self, path: str | os.PathLike[str]) -> None:
        """Writes the contract file."""
        from fleetsim.spec import dump

        Path(path).write_text(dump(self.source()), encoding="utf-8")


def contract_source(contract: Any) -> dict[str, Any]:
    """A contract as it is written in a file, without what is at its default."""
    found = _plain(contract)
    assert isinstance(found, dict), "a contract is a dataclass"
    return {"kind": contract.kind, **found}


def _plain(value: Any) -> Any:
    if hasattr(value, "__dataclass_fields__"):
        return {yaml_key(field.name): _plain(getattr(value, field.name)) for field in fields(value)
                if getattr(value, field.name) != field.default}
    if isinstance(value, Mapping):
        return {key: _plain(child) for key, child in value.items()}
    if isinstance(value, tuple):
        return [_plain(child) for child in value]
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def chosen_of(judge: Judge, answer: Answer, bill: Bill) -> list[Chosen]:
    """Every contract of the portfolio, commitments first."""
    names = list(judge.contracts(answer))
    signed = judge.signed(answer)
    commitments = {each.contract: each for each in bill.commitments}
    rows = [_committed(judge, bill, name, order, units, commitments[name], answer)
            for name, (order, units) in zip(names, signed, strict=False)]
    lists = {order.offer_name: order for order in (*answer.rest.lists, *answer.rest.spot)}
    return rows + [_listed(bill, name, lists[name]) for name in names[len(signed):]]


def _committed(judge: Judge, bill: Bill, name: str, order: Order, units: int, commitment: Commitment,
               answer: Answer) -> Chosen:
    demand, gpus = judge.problem.demand, units / order.units_per_gpu
    effective, billed = _sum(bill, name, "effective"), _sum(bill, name, "billed")
    waste = _sum(bill, name, "effective", "unused")
    upfront = _sum(bill, name, "billed", "upfront")
    use = 1 - waste / effective if effective else None
    price = list_price(answer, order)
    due = commitment.remaining_micro_usd
    remaining = 0 if due is None else int(due()[-1])
    inside = demand.served(order) > 0
    share = order.usd_per_gpu_hour / price if price else None
    months = None
    if upfront and price and use is not None and order.term_h:
        recurring = order.usd_per_gpu_hour - order.upfront_usd_per_gpu / order.term_h
        saved = use * price - recurring
        months = order.upfront_usd_per_gpu / (saved * MONTH_H) if saved > 0 else None
    newsvendor = None
    if share is not None:
        newsvendor = newsvendor_gpus(demand.gpus[inside], share)
    return Chosen(
        contract=name, offer=order.offer_name, kind=order.offer.kind, provider=order.offer.provider,
        signed=iso(order.signed), start=iso(order.start), end=None if order.end is None else iso(order.end),
        gpus=gpus, usd_per_hour=units / MICRO if order.in_dollars else None,
        gpu_hours=float(commitment.used_gpu_s.sum()) / HOUR_S, effective_usd=effective, billed_usd=billed,
        upfront_usd=upfront, remaining_usd=remaining / MICRO,
        prepaid_usd=max(0.0, billed - effective) if upfront else 0.0, utilisation_frac=use, waste_usd=waste,
        break_even_frac=share, break_even_months=months, newsvendor_gpus=newsvendor)


def _listed(bill: Bill, name: str, order: Order) -> Chosen:
    charges = bill.charges
    own = np.array([line.contract == name and line.charge_category == "Usage" for line in charges.lines])
    used = int(charges.gpu_s[own[charges.line]].sum()) if len(own) else 0
    return Chosen(
        contract=name, offer=order.offer_name, kind=order.offer.kind, provider=order.offer.provider,
        signed=iso(order.signed), start=iso(order.start), end=None, gpus=None, usd_per_hour=None,
        gpu_hours=used / HOUR_S, effective_usd=_sum(bill, name, "effective"),
        billed_usd=_sum(bill, name, "billed"), upfront_usd=0.0, remaining_usd=0.0, prepaid_usd=0.0,
        utilisation_frac=None, waste_usd=0.0, break_even_frac=None, break_even_months=None,
        newsvendor_gpus=None)


def _sum(bill: Bill, contract: str, amount: str, clause: str | None = None) -> float:
    """Dollars of a contract's rows, of one clause or all."""
    charges = bill.charges
    own = np.array([line.contract == contract and clause in (None, line.clause) for line in charges.lines])
    values = getattr(charges, f"{amount}_micro_usd")
    return int(values[own[charges.line]].sum()) / MICRO if len(own) else 0.0


def list_price(answer: Answer, order: Order) -> float | None:
    """The price list that holds when an order starts to serve; None where there is none."""
    held = [each for each in answer.rest.lists if each.start <= order.start] or list(answer.rest.lists)
    return float(held[-1].offer.usd_per_gpu_hour) if held else None


def newsvendor_gpus(gpus: "Floats", break_even_frac: float) -> float:
    """The size of a lone reservation: the smallest that demand exceeds no more often than break-even."""
    return float(np.quantile(gpus, min(1.0, max(0.0, 1 - break_even_frac)), method="inverted_cdf"))


def merit_order(offers: Mapping[str, Offer], hours: int) -> tuple[Layer, ...]:
    """For a GPU needed so many of `hours`: the offer that is cheapest, from 0 to all of them.

    Fixed cost F and running cost v per GPU; between i and j the switch is at (F_j - F_i) / (v_i - v_j).
    """
    at = np.arange(hours + 1, dtype=np.float64)
    names = list(offers)
    costs = np.array([_cost_of_hours(offers[name], at, hours) for name in names])
    best = costs.argmin(axis=0)
    edges = [0, *(np.flatnonzero(np.diff(best)) + 1).tolist(), hours + 1]
    return tuple(Layer(offer=names[int(best[left])], from_h=float(left), to_h=float(right - 1))
                 for left, right in pairwise(edges))


def _cost_of_hours(offer: Offer, at: "Floats", hours: int) -> "Floats":
    price = float(offer.usd_per_gpu_hour)
    if not offer.commits:
        return price * at
    if offer.kind == "take_or_pay":
        return price * np.maximum(at, offer.minimum_frac * hours)
    if offer.upfront_usd_per_gpu and offer.term_months:
        price += float(offer.upfront_usd_per_gpu) / (offer.term_months * MONTH_H)
    return np.full(len(at), price * hours)


def without_contracts(answers: Sequence[Answer], judge: Judge) -> float | None:
    """The cheapest cost with price lists alone."""
    cheapest = min((judge.cost(Answer(each.rest, (0,) * len(each.units))) for each in answers),
                   default=float("inf"))
    return None if cheapest == float("inf") else cheapest
