"""Capacity commitments: GPUs paid for every clock hour of a term, used or not.

An hour's commitment costs price x GPUs, with the prepaid part spread evenly over the term. It is split in
a used and an unused part that add up to it exactly. Cash: the prepaid part at the start, the rest month by
month.
"""

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.charges import Line, Rows, purchase, unused, used
from fleetsim.ledger.claim import Window
from fleetsim.ledger.commitment import Commitment, Rated
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.ending import end_early
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.money import micro_usd, scaled
from fleetsim.ledger.periods import by_month, hour_of
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import CapacityCommitment, Minimum, Prices
from fleetsim.ledger.spans import Span, accrued, derived_price, owed_after, spans_of
from fleetsim.timebase import earliest

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


def rate_capacity(name: str, terms: CapacityCommitment, meter: Meter,
                  termination: EarlyTermination | None = None) -> Rated:
    """Used and unused GPU-hours of a commitment, and its payments."""
    end_s = earliest(terms.end_s, termination.at_s if termination else None)
    spans = spans_of(terms, meter.usage.deliveries)
    committed = committed_gpu_s(terms, meter, end_s)
    usable = None
    if terms.unusable_before_end_s and end_s is not None:
        usable = np.minimum(
            committed, committed_gpu_s(terms, meter, end_s - terms.unusable_before_end_s))
    taken = meter.claim(committed, usable, windows_of(terms, spans, end_s))
    ahead = Fraction(terms.payment.upfront_frac)
    price = terms.prices.own or derived_price(spans)
    own = price.scaled(1 - ahead)
    if terms.total_usd is None:
        recurring = own.charge(committed, meter.hour_s)
    else:
        recurring = accrued([span._replace(micro_usd=round(span.owed * (1 - ahead))) for span in spans],
                            meter.hour_s, end_s)
    paid = [span._replace(micro_usd=upfront_micro_usd(span, terms)) for span in spans
            if terms.payment.ahead and (termination is None or span.start_s < termination.at_s)]
    cost = recurring + accrued(paid, meter.hour_s, end_s) if paid else recurring
    if paid or terms.total_usd is not None:
        cost_of_used = scaled(cost, taken, np.maximum(committed, 1))
    else:
        cost_of_used = own.charge(taken, meter.hour_s)
    fleet = meter.usage.fleet
    ending = end_early(fleet, name, termination, spans, paid, own, meter.hour_s)
    return Rated([
        used(Line(fleet, name, "Usage", "used"), taken,
             *without_commitment(terms.prices, price, taken, meter.hour_s), cost_of_used),
        unused(Line(fleet, name, "Usage", "unused"), committed - taken, cost - cost_of_used),
        *payments(fleet, name, paid, recurring, committed, meter.hour_s),
    ], Commitment(
        contract=name, fleet=fleet, committed_gpu_s=committed, used_gpu_s=taken,
        overage_gpu_s=np.zeros_like(taken), committed_micro_usd=cost + ending.lapsed_micro_usd,
        used_micro_usd=cost_of_used,
        remaining_micro_usd=partial(owed_after, spans, own, paid, meter.hour_s, end_s) if spans else None,
    ), ending.rows)


def committed_gpu_s(terms: CapacityCommitment | Minimum, meter: Meter, end_s: int | None) -> "Int64":
    """Committed GPU-seconds per hour: a number of GPUs, the tranches in their terms, or in all of their time.

    The last are those that no earlier contract has.
    """
    if terms.gpus is not None:
        return terms.gpus * meter.seconds_within(terms.start_s, end_s)
    if terms.term_months is None:
        return meter.left_within(terms.start_s, end_s, committed=True)
    committed = np.zeros_like(meter.committed)
    for span in spans_of(terms, meter.usage.deliveries):
        until = earliest(span.end_s, end_s)
        committed = committed + span.gpus * meter.seconds_within(span.start_s, until)
    return committed


def windows_of(terms: CapacityCommitment | Minimum, spans: list[Span], end_s: int | None) -> list[Window]:
    """When a contract has its GPUs: in its own time, or tranche by tranche."""
    if terms.gpus is not None or terms.term_months is None:
        return [Window(terms.start_s, end_s)]
    return [Window(span.start_s, earliest(span.end_s, end_s), span.gpus) for span in spans]


def without_commitment(prices: Prices, own: Price, taken: "Int64",
                       hour_s: "Int64") -> "tuple[Int64, Int64]":
    """List and contracted price of what was taken; the contract's own price where none is given."""
    contracted = prices.contracted or prices.list or prices.own or own
    at_contracted = contracted.charge(taken, hour_s)
    listed = prices.list or contracted
    return (at_contracted if listed is contracted else listed.charge(taken, hour_s)), at_contracted


def upfront_micro_usd(span: Span, terms: CapacityCommitment) -> int:
    """What is paid for a span at its start."""
    frac = Fraction(terms.payment.upfront_frac)
    if span.micro_usd is not None:
        of_price = span.micro_usd - round(span.micro_usd * (1 - frac))
    else:
        assert terms.prices.own is not None, "a commitment has a price or a total"
        of_price = round(frac * span.gpus * terms.prices.own.micro_usd_between(span.start_s, span.end_s))
    return of_price + micro_usd(terms.payment.upfront_usd_per_gpu * span.gpus)


def payments(fleet: str, name: str, paid: list[Span], recurring: "Int64", committed: "Int64",
             hour_s: "Int64") -> list[Rows]:
    """Purchases: what is paid ahead when a span begins, the rest on the first committed hour of a month."""
    places, quantities, amounts = [], [], []
    for month in by_month(hour_s):
        total = int(recurring[month].sum())
        if total:
            places.append(month.start + int(np.flatnonzero(recurring[month])[0]))
            quantities.append(int(committed[month].sum()))
            amounts.append(total)
    rows = [purchase(Line(fleet, name, "Purchase", "recurring"), places, quantities, amounts)]
    starts = [(span, hour_of(span.start_s, hour_s)) for span in paid]
    within = [(span, place) for span, place in starts if place is not None]
    for place in sorted({place for _, place in within}):
        here = [span for span, at in within if at == place]
        rows.append(purchase(
            Line(fleet, name, "Purchase", "upfront"), [place],
            [sum(span.gpu_s for span in here)],
            [sum(span.owed for span in here)]))
    return rows
