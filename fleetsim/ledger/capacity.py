"""Capacity commitments: GPUs paid for every clock hour of a term, used or not.

An hour's commitment costs price x GPUs, with the prepaid part spread evenly over the term. It is split in
a used and an unused part that add up to it exactly. Cash: the prepaid part at the start, the rest month by
month. Owed ahead of time is what a termination fee is a share of.
"""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleetsim.ledger.charges import Line, Rows, purchase, single, unused, used
from fleetsim.ledger.commitment import Commitment, Rated
from fleetsim.ledger.meter import HOUR_S, Meter
from fleetsim.ledger.money import half_even, micro_usd, scaled
from fleetsim.ledger.periods import by_month
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import CapacityCommitment, Minimum, Payment, Prices, Termination
from fleetsim.ledger.usage import Delivery
from fleetsim.timebase import EPOCH, add_months, epoch_us

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]

YEAR_S = 8_760 * HOUR_S
NO_PAYMENT = Payment()


class Span(NamedTuple):
    """GPUs committed between two instants, seconds since 1970."""

    gpus: int
    start_s: int
    end_s: int
    micro_usd: int | None = None
    """What is owed for all of it, where a total was agreed."""


def rate_capacity(name: str, terms: CapacityCommitment, meter: Meter,
                  termination: Termination | None = None) -> Rated:
    """Used and unused GPU-hours of a commitment, and its payments."""
    end_s = earliest(terms.end_s, termination.at_s if termination else None)
    committed = committed_gpu_s(terms, meter, end_s)
    usable = None
    if terms.unusable_before_end_s and end_s is not None:
        usable = np.minimum(
            committed, committed_gpu_s(terms, meter, end_s - terms.unusable_before_end_s))
    taken = meter.claim(committed, usable)
    spans = spans_of(terms, meter.usage.deliveries)
    ahead = Fraction(terms.payment.upfront_frac)
    if terms.total_usd is None:
        assert terms.prices.own is not None, "a commitment has a price or a total"
        own = terms.prices.own.scaled(1 - ahead)
        recurring = own.charge(committed, meter.hour_s)
    else:
        own = derived_price(spans).scaled(1 - ahead)
        recurring = accrued([span._replace(micro_usd=round((span.micro_usd or 0) * (1 - ahead)))
                             for span in spans], meter.hour_s, end_s)
    paid = [span._replace(micro_usd=upfront_micro_usd(span, terms)) for span in spans
            if terms.payment.ahead and (termination is None or span.start_s < termination.at_s)]
    cost = recurring + accrued(paid, meter.hour_s, end_s) if paid else recurring
    if paid or terms.total_usd is not None:
        cost_of_used = scaled(cost, taken, np.maximum(committed, 1))
    else:
        cost_of_used = own.charge(taken, meter.hour_s)
    fleet = meter.usage.fleet
    rows = [
        used(Line(fleet, name, "Usage", "used"), taken,
             *without_commitment(terms.prices, own, taken, meter.hour_s), cost_of_used),
        unused(Line(fleet, name, "Usage", "unused"), committed - taken, cost - cost_of_used),
        *payments(fleet, name, paid, recurring, committed, meter.hour_s),
    ]
    if termination is not None:
        rows += end_early(fleet, name, termination, spans, paid, own, meter.hour_s)
    return Rated(rows, Commitment(
        contract=name, fleet=fleet, committed_gpu_s=committed, used_gpu_s=taken,
        overage_gpu_s=np.zeros_like(taken), committed_micro_usd=cost, used_micro_usd=cost_of_used,
        remaining_micro_usd=partial(owed_after, spans, own, meter.hour_s, end_s) if spans else None,
    ))


def committed_gpu_s(terms: CapacityCommitment | Minimum, meter: Meter, end_s: int | None) -> "Int64":
    """Committed GPU-seconds per hour: a number of GPUs, the tranches in their terms, or all that are left."""
    if terms.gpus is not None:
        return terms.gpus * meter.seconds_within(terms.start_s, end_s)
    if terms.term_months is None:
        return meter.part_within(meter.committed, terms.start_s, end_s)
    committed = np.zeros_like(meter.committed)
    for span in spans_of(terms, meter.usage.deliveries):
        until = earliest(span.end_s, end_s)
        committed = committed + span.gpus * meter.seconds_within(span.start_s, until)
    return committed


def spans_of(terms: CapacityCommitment | Minimum, deliveries: tuple[Delivery, ...]) -> list[Span]:
    """What is committed from when to when, as far as its end is known.

    A total is divided by GPUs x seconds; the parts add up to it.
    """
    if terms.gpus is not None:
        known = terms.start_s is not None and terms.end_s is not None
        return [Span(terms.gpus, terms.start_s, terms.end_s)] if known else []  # type: ignore[arg-type]  # known
    spans = []
    for each in deliveries:
        start = each.accepted_s if terms.start_s is None else max(each.accepted_s, terms.start_s)
        if terms.term_months is not None:
            months = add_months(EPOCH + timedelta(seconds=each.accepted_s), terms.term_months)
            end: int | None = epoch_us(months) // 1_000_000
        else:
            end = earliest(terms.end_s, None if each.end_us is None else each.end_us // 1_000_000)
        if end is not None and end > start:
            spans.append(Span(each.gpus, start, end))
    if terms.total_usd is None:
        return spans
    weights = [span.gpus * (span.end_s - span.start_s) for span in spans]
    total, whole, reached, owed = micro_usd(terms.total_usd), sum(weights), 0, []
    for k, span in enumerate(spans):
        upto = half_even(total * sum(weights[: k + 1]), whole)
        owed.append(span._replace(micro_usd=upto - reached))
        reached = upto
    return owed


def derived_price(spans: list[Span]) -> Price:
    """Total / GPU-hours of all terms, to a millionth of a dollar."""
    gpu_s = sum(span.gpus * (span.end_s - span.start_s) for span in spans)
    owed = sum(span.micro_usd or 0 for span in spans)
    return Price.of(Decimal(half_even(owed * HOUR_S, gpu_s)) / 1_000_000 if gpu_s else Decimal(0))


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


def accrued(spans: list[Span], hour_s: "Int64", end_s: int | None) -> "Int64":
    """Micro-dollars that each hour adds, evenly over each span up to `end_s`.

    Differences of rounded cumulative amounts, so that a span adds up to what is owed for it.
    """
    owed = np.zeros_like(hour_s)
    for span in spans:
        whole = span.end_s - span.start_s
        stop = span.end_s if end_s is None else max(span.start_s, min(span.end_s, end_s))
        before = np.clip(hour_s, span.start_s, stop) - span.start_s
        after = np.clip(hour_s + HOUR_S, span.start_s, stop) - span.start_s
        owed += scaled(after, span.micro_usd or 0, whole) - scaled(before, span.micro_usd or 0, whole)
    return owed


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
            [sum(span.gpus * (span.end_s - span.start_s) for span in here)],
            [sum(span.micro_usd or 0 for span in here)]))
    return rows


def end_early(fleet: str, name: str, terms: Termination, spans: list[Span], paid: list[Span], own: Price,
              hour_s: "Int64") -> list[Rows]:
    """Fee and refund in the hour in which a commitment is ended; the rest of a prepayment lapses.

    `paid` is what was paid ahead before; `own` prices what is still owed.
    """
    place = hour_of(terms.at_s, hour_s)
    if place is None:
        return []
    left = [span._replace(start_s=max(span.start_s, terms.at_s)) for span in spans if span.end_s > terms.at_s]
    fee = Fraction(terms.fee_frac) * sum(
        (discounted(span, own, terms) for span in left), start=Fraction(0))
    if terms.fee_cap_usd is not None:
        fee = min(fee, Fraction(micro_usd(terms.fee_cap_usd)))
    prepaid = 0
    for span in paid:
        whole = span.end_s - span.start_s
        done = min(max(terms.at_s - span.start_s, 0), whole)
        prepaid += (span.micro_usd or 0) - half_even((span.micro_usd or 0) * done, whole)
    back = round(prepaid * Fraction(terms.refund_frac))
    nothing = np.zeros(1, dtype=np.int64)
    return [
        single(Line(fleet, name, "Adjustment", "termination_fee"), [place], [round(fee)]),
        purchase(Line(fleet, name, "Purchase", "refund"), [place], [0], [-back]),
        unused(Line(fleet, name, "Usage", "unused"), nothing,
               np.array([prepaid - back], dtype=np.int64))._replace(at=np.array([place], dtype=np.int64)),
    ]


def discounted(span: Span, own: Price, terms: Termination) -> Fraction:
    """Present value at the termination of what a span still owes, month by month; exact without a rate."""
    if not terms.discount_frac_per_year:
        return span.gpus * own.micro_usd_between(span.start_s, span.end_s)
    rate, value, left, months = 1 + float(terms.discount_frac_per_year), Fraction(0), span.start_s, 0
    while left < span.end_s:
        months += 1
        month = add_months(EPOCH + timedelta(seconds=span.start_s), months)
        right = min(epoch_us(month) // 1_000_000, span.end_s)
        factor = Fraction(rate ** (-(left - terms.at_s) / YEAR_S)).limit_denominator(10**12)
        value += span.gpus * own.micro_usd_between(left, right) * factor
        left = right
    return value


def owed_after(spans: list[Span], own: Price, hour_s: "Int64", end_s: int | None) -> "Int64":
    """Micro-dollars of recurring payments still due at the end of each hour of the spans' terms."""
    after = hour_s + HOUR_S
    owed = np.zeros_like(hour_s)
    edges = [start for start, _ in own.steps[1:]]
    for span in spans:
        stop = span.end_s if end_s is None else min(span.end_s, end_s)
        bounds = [span.start_s, *(edge for edge in edges if span.start_s < edge < stop), stop]
        for left, right in pairwise(bounds):
            seconds = np.clip(right - np.maximum(after, left), 0, None)
            owed += Price.of(own.at(left)).charge(span.gpus * seconds, hour_s)
    return owed


def hour_of(second: int, hour_s: "Int64") -> int | None:
    """The index of the block's hour in which an instant falls, or None."""
    if len(hour_s) == 0 or not hour_s[0] <= second < hour_s[-1] + HOUR_S:
        return None
    return int((second - int(hour_s[0])) // HOUR_S)


def earliest(*instants: int | None) -> int | None:
    """The first of the instants that are given."""
    given = [instant for instant in instants if instant is not None]
    return min(given) if given else None
