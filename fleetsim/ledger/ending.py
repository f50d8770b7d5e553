"""The early end of a commitment: its fee, what comes back of a prepayment, and what of it lapses."""

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleetsim.ledger.charges import Line, Rows, purchase, single, unused
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.money import half_even, micro_usd
from fleetsim.ledger.periods import hour_of
from fleetsim.ledger.price import Price
from fleetsim.ledger.spans import Span
from fleetsim.timebase import YEAR_S, months_after

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


class Ending(NamedTuple):
    """What the early end of a commitment charges in a block of hours."""

    rows: list[Rows]
    lapsed_micro_usd: "Int64"
    """Of a prepayment, by hour: cost that buys nothing."""


def end_early(fleet: str, name: str, terms: EarlyTermination | None, spans: list[Span], paid: list[Span],
              own: Price, hour_s: "Int64") -> Ending:
    """Fee and refund in the hour in which a commitment is ended; the rest of a prepayment lapses.

    `paid` is what was paid ahead before; `own` prices what is still owed.
    """
    nothing = np.zeros_like(hour_s)
    place = None if terms is None else hour_of(terms.at_s, hour_s)
    if terms is None or place is None:
        return Ending([], nothing)
    left = [span._replace(start_s=max(span.start_s, terms.at_s)) for span in spans if span.end_s > terms.at_s]
    fee = Fraction(terms.fee_frac) * sum(
        (discounted(span, own, terms) for span in left), start=Fraction(0))
    if terms.fee_cap_usd is not None:
        fee = min(fee, Fraction(micro_usd(terms.fee_cap_usd)))
    prepaid = 0
    for span in paid:
        whole = span.end_s - span.start_s
        done = min(max(terms.at_s - span.start_s, 0), whole)
        prepaid += span.owed - half_even(span.owed * done, whole)
    back = round(prepaid * Fraction(terms.refund_frac))
    lapsed = nothing.copy()
    lapsed[place] = prepaid - back
    return Ending([
        single(Line(fleet, name, "Adjustment", "termination_fee"), [place], [round(fee)]),
        purchase(Line(fleet, name, "Purchase", "refund"), [place], [0], [-back]),
        unused(Line(fleet, name, "Usage", "unused"), nothing, lapsed),
    ], lapsed)


def discounted(span: Span, own: Price, terms: EarlyTermination) -> Fraction:
    """Present value at the termination of what a span still owes, month by month; exact without a rate."""
    if not terms.discount_frac_per_year:
        return span.gpus * own.micro_usd_between(span.start_s, span.end_s)
    rate, value, left, months = 1 + float(terms.discount_frac_per_year), Fraction(0), span.start_s, 0
    while left < span.end_s:
        months += 1
        right = min(months_after(span.start_s, months), span.end_s)
        factor = Fraction(rate ** (-(left - terms.at_s) / YEAR_S)).limit_denominator(10**12)
        value += span.gpus * own.micro_usd_between(left, right) * factor
        left = right
    return value
