"""Minimums: of each calendar month's committed GPU-hours a share is paid, taken or not.

With Q committed and U taken in a month, price x max(m Q, min(U, Q)) + overage price x (U - Q)+ is due.
What is taken is charged in its hour; what is paid and not taken falls on the hours that left capacity
idle, in proportion. Under a total, each hour owes what the clock adds to its tranches' obligations.
"""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleetsim.ledger.charges import Line, Rows
from fleetsim.ledger.meter import HOUR_S, Meter, seconds
from fleetsim.ledger.money import half_even, micro_usd, priced, scaled, spread
from fleetsim.ledger.primitives import Minimum
from fleetsim.ledger.usage import Delivery
from fleetsim.timebase import EPOCH, add_months, epoch_us

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


class Obligation(NamedTuple):
    """What one tranche owes between two instants (seconds since 1970), at a constant rate."""

    gpus: int
    start_s: int
    end_s: int
    micro_usd: int


def rate_minimum(name: str, terms: Minimum, meter: Meter) -> list[Rows]:
    """Used, unused and overage GPU-hours of a take-or-pay contract."""
    fixed_end = seconds(terms.fixed_end)
    committed = _committed(terms, meter)
    use = meter.claim(committed) + meter.claim_elastic(name, meter.seconds_within(None, fixed_end))
    used, unused, over = _taken(use, committed, meter.hour_s, Fraction(str(terms.minimum_frac)))
    if terms.usd_per_gpu_hour is not None:
        price = terms.usd_per_gpu_hour
        due = priced(used + unused, price)
        price_of_used = priced(used, price)
    else:
        obligations = obligations_of(terms, meter.usage.deliveries)
        due = _owed(obligations, meter, fixed_end)
        price_of_used = scaled(used, due, np.maximum(used + unused, 1))
        price = derived_usd_per_gpu_hour(obligations)
    overage_price = price if terms.overage_usd_per_gpu_hour is None else terms.overage_usd_per_gpu_hour
    contracted = (price_of_used, due - price_of_used, priced(over, overage_price))
    listed = contracted
    if terms.list_usd_per_gpu_hour is not None:
        public = terms.list_usd_per_gpu_hour
        of_used = priced(used, public)
        listed = (of_used, priced(used + unused, public) - of_used, priced(over, public))
    rows = zip(("used", "unused", "overage"), (used, unused, over), listed, contracted, strict=True)
    return [Rows(Line(meter.usage.fleet, name, "Usage", clause), *row) for clause, *row in rows]


def obligations_of(terms: Minimum, deliveries: tuple[Delivery, ...]) -> list[Obligation]:
    """The total divided among the tranches by GPUs x seconds of their terms; the parts add up to it."""
    assert terms.total_usd is not None
    spans = [_term(delivery, terms.term_months) for delivery in deliveries]
    weights = [each.gpus * (end - start) for each, (start, end) in zip(deliveries, spans, strict=True)]
    total, whole = micro_usd(terms.total_usd), sum(weights)
    obligations, reached = [], 0
    for k, (delivery, (start, end)) in enumerate(zip(deliveries, spans, strict=True)):
        upto = half_even(total * sum(weights[: k + 1]), whole)
        obligations.append(Obligation(delivery.gpus, start, end, upto - reached))
        reached = upto
    return obligations


def derived_usd_per_gpu_hour(obligations: list[Obligation]) -> Decimal:
    """Total / GPU-hours of all terms, to a millionth of a dollar."""
    gpu_s = sum(each.gpus * (each.end_s - each.start_s) for each in obligations)
    owed = sum(each.micro_usd for each in obligations)
    return Decimal(half_even(owed * HOUR_S, gpu_s)) / 1_000_000 if gpu_s else Decimal(0)


def _term(delivery: Delivery, months: int | None) -> tuple[int, int]:
    """A tranche's term in seconds since 1970: from acceptance, so many months long."""
    assert months is not None
    accepted = EPOCH + timedelta(microseconds=delivery.accepted_us)
    return delivery.accepted_us // 1_000_000, epoch_us(add_months(accepted, months)) // 1_000_000


def _committed(terms: Minimum, meter: Meter) -> "Int64":
    """Committed GPU-seconds per hour: of the tranches in their terms, or all that are left."""
    fixed_end = seconds(terms.fixed_end)
    if terms.term_months is None:
        return meter.committed * meter.seconds_within(None, fixed_end) // HOUR_S
    committed = np.zeros_like(meter.committed)
    for delivery in meter.usage.deliveries:
        start, end = _term(delivery, terms.term_months)
        until = end if fixed_end is None else min(end, fixed_end)
        committed = committed + delivery.gpus * meter.seconds_within(start, until)
    return committed


def _taken(
    use: "Int64", committed: "Int64", hour_s: "Int64", minimum: Fraction
) -> "tuple[Int64, Int64, Int64]":
    """Per hour: GPU-seconds taken within the month's commitment, paid and not taken, taken above it.

    Use counts from the month's first hour on. The minimum is counted in whole GPU-seconds.
    """
    used, unused = np.zeros_like(use), np.zeros_like(use)
    month = hour_s.astype("datetime64[s]").astype("datetime64[M]")
    edges = [*np.flatnonzero(np.diff(month.astype(np.int64), prepend=-1)), len(use)]
    for start, stop in pairwise(edges):
        hours = slice(start, stop)
        whole = int(committed[hours].sum())
        used[hours] = np.diff(np.minimum(np.cumsum(use[hours]), whole), prepend=0)
        short = round(whole * minimum) - int(used[hours].sum())
        idle = np.maximum(committed[hours] - used[hours], 0)
        unused[hours] = idle if short == int(idle.sum()) else spread(max(short, 0), idle)
    return used, unused, use - used


def _owed(obligations: list[Obligation], meter: Meter, fixed_end: int | None) -> "Int64":
    """Micro-dollars that each hour adds: differences of rounded cumulative amounts, so terms add up."""
    owed = np.zeros_like(meter.committed)
    for each in obligations:
        stop = each.end_s if fixed_end is None else max(each.start_s, min(each.end_s, fixed_end))
        span = each.end_s - each.start_s
        before = np.clip(meter.hour_s, each.start_s, stop) - each.start_s
        after = np.clip(meter.hour_s + HOUR_S, each.start_s, stop) - each.start_s
        owed += scaled(after, each.micro_usd, span) - scaled(before, each.micro_usd, span)
    return owed
