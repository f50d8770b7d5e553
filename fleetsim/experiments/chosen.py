"""The contracts of a portfolio: what each costs, how well it is used and when it pays."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.experiments.judge import Answer, Judge
from fleetsim.experiments.orders import MONTH_H, Order
from fleetsim.ledger.commitment import Commitment
from fleetsim.ledger.money import MICRO
from fleetsim.ledger.rating import Bill
from fleetsim.timebase import HOUR_S, iso

if TYPE_CHECKING:
    Floats = np.ndarray[Any, np.dtype[np.float64]]


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
