"""Spans: GPUs committed between two instants, what is owed for them, and what of it each hour adds."""

from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleetsim.ledger.money import MICRO, half_even, micro_usd, scaled
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import CapacityCommitment, Minimum
from fleetsim.ledger.usage import Delivery
from fleetsim.timebase import HOUR_S, earliest, months_after

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


class Span(NamedTuple):
    """GPUs committed between two instants, seconds since 1970."""

    gpus: int
    start_s: int
    end_s: int
    micro_usd: int | None = None
    """What is owed for all of it, where a total was agreed."""

    @property
    def gpu_s(self) -> int:
        """GPU-seconds of it."""
        return self.gpus * (self.end_s - self.start_s)

    @property
    def owed(self) -> int:
        """Micro-dollars owed for all of it; 0 where no total was agreed."""
        return self.micro_usd or 0


def spans_of(terms: CapacityCommitment | Minimum, deliveries: tuple[Delivery, ...]) -> list[Span]:
    """What is committed from when to when, as far as its end is known.

    A number of GPUs without a start is committed from 1970 on. A total is divided by GPUs x seconds of the
    terms; the parts add up to it. An end of the contract cuts a tranche's term, and what is owed for it in
    proportion.
    """
    if terms.gpus is not None:
        return [] if terms.end_s is None else [Span(terms.gpus, terms.start_s or 0, terms.end_s)]
    spans = []
    for each in deliveries:
        start = each.accepted_s if terms.start_s is None else max(each.accepted_s, terms.start_s)
        if terms.term_months is not None:
            end: int | None = months_after(each.accepted_s, terms.term_months)
        else:
            end = earliest(terms.end_s, None if each.end_us is None else each.end_us // 1_000_000)
        if end is not None and end > start:
            spans.append(Span(each.gpus, start, end))
    if terms.total_usd is not None:
        spans = divided(micro_usd(terms.total_usd), spans)
    if terms.end_s is None:
        return spans
    return [cut(span, terms.end_s) for span in spans if span.start_s < terms.end_s]


def divided(total: int, spans: list[Span]) -> list[Span]:
    """A total by GPUs x seconds, by cumulative rounding."""
    whole = sum(span.gpu_s for span in spans)
    passed = reached = 0
    owed = []
    for span in spans:
        passed += span.gpu_s
        upto = half_even(total * passed, whole)
        owed.append(span._replace(micro_usd=upto - reached))
        reached = upto
    return owed


def cut(span: Span, end_s: int) -> Span:
    """A span that ends no later than an instant after its start; what is owed for it in proportion."""
    if end_s >= span.end_s:
        return span
    left = span._replace(end_s=end_s)
    if span.micro_usd is None:
        return left
    return left._replace(micro_usd=half_even(span.micro_usd * left.gpu_s, span.gpu_s))


def derived_price(spans: list[Span]) -> Price:
    """Total / GPU-hours of all terms, to a millionth of a dollar."""
    gpu_s = sum(span.gpu_s for span in spans)
    owed = sum(span.owed for span in spans)
    return Price.of(Decimal(half_even(owed * HOUR_S, gpu_s)) / MICRO if gpu_s else Decimal(0))


def accrued(spans: list[Span], hour_s: "Int64", end_s: int | None) -> "Int64":
    """Micro-dollars that each hour adds, evenly over each span up to `end_s`.

    Differences of rounded cumulative amounts, so that a span adds up to what is owed for it.
    """
    added = np.zeros_like(hour_s)
    for span in spans:
        whole = span.end_s - span.start_s
        stop = span.end_s if end_s is None else max(span.start_s, min(span.end_s, end_s))
        before = np.clip(hour_s, span.start_s, stop) - span.start_s
        after = np.clip(hour_s + HOUR_S, span.start_s, stop) - span.start_s
        added += scaled(after, span.owed, whole) - scaled(before, span.owed, whole)
    return added


def owed_after(spans: list[Span], own: Price, paid: list[Span], hour_s: "Int64",
               end_s: int | None) -> "Int64":
    """Micro-dollars still due at the end of each hour: recurring payments of the spans' terms up to an end,
    and what is paid ahead for spans that have not begun."""
    after = hour_s + HOUR_S
    owed = np.zeros_like(hour_s)
    edges = [start for start, _ in own.steps[1:]]
    for span in spans:
        stop = span.end_s if end_s is None else min(span.end_s, end_s)
        bounds = [span.start_s, *(edge for edge in edges if span.start_s < edge < stop), stop]
        for left, right in pairwise(bounds):
            seconds = np.clip(right - np.maximum(after, left), 0, None)
            owed += Price.of(own.at(left)).charge(span.gpus * seconds, hour_s)
    for span in paid:
        owed[after <= span.start_s] += span.owed
    return owed
