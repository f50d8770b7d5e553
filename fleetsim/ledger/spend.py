"""Spend commitments: dollars an hour that buy GPU-hours at plan prices, used or lost hour by hour.

With c dollars committed, a fleet's demand D is covered up to c / plan price; fleets with the highest saving
(1 - plan price / on-demand price) come first, then the lowest plan price, at the prices of the hour. What
is not covered goes on to the next contract in order. AWS Savings Plans User Guide.
"""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.capacity import payments
from fleetsim.ledger.charges import Line, Rows, unused, used
from fleetsim.ledger.claim import Window
from fleetsim.ledger.commitment import Commitment, Rated
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.ending import end_early
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.money import bought, priced
from fleetsim.ledger.primitives import SpendCommitment
from fleetsim.ledger.spans import Span, accrued, owed_after
from fleetsim.timebase import earliest

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


def rate_spend(name: str, terms: SpendCommitment, meters: Mapping[str, Meter],
               termination: EarlyTermination | None = None) -> Rated:
    """Covered GPU-hours of each fleet, the unused dollars, and the payments."""
    fleets = sorted((fleet for fleet in terms.rates if fleet in meters), key=partial(_place, terms, None))
    hour_s = meters[fleets[0]].hour_s
    end_s = earliest(terms.end_s, termination.at_s if termination else None)
    seconds = meters[fleets[0]].seconds_within(terms.start_s, end_s)
    span = plan_term(terms)
    ahead = Fraction(terms.payment.upfront_frac) if span else Fraction(0)
    due = terms.usd_per_hour.scaled(1 - ahead)
    parts = prepaid(terms, span, ahead) if span and ahead else []
    recurring = due.charge(seconds, hour_s)
    committed = recurring + accrued(parts, hour_s, end_s)
    rows: list[Rows] = []
    covered_gpu_s, over_gpu_s = np.zeros_like(seconds), np.zeros_like(seconds)
    bought_by, left = cover(terms, fleets, meters, committed)
    for fleet in fleets:
        rates, (covered, spent) = terms.rates[fleet], bought_by[fleet]
        meters[fleet].claim_allocated(covered, [Window(terms.start_s, end_s)])
        covered_gpu_s = covered_gpu_s + covered
        over_gpu_s = over_gpu_s + meters[fleet].allocated
        contracted = rates.on_demand.charge(covered, hour_s)
        listed = contracted if rates.list is None else rates.list.charge(covered, hour_s)
        rows.append(used(Line(fleet, name, "Usage", "used"), covered, listed, contracted, spent))
    rows.append(unused(Line(fleets[0], name, "Usage", "unused"), np.zeros_like(left), left))

    begun = span and parts and (termination is None or span.start_s < termination.at_s)
    paid = [span._replace(micro_usd=sum(part.owed for part in parts))] if span and begun else []
    rows += [row._replace(gpu_s=np.zeros_like(row.gpu_s))
             for row in payments(fleets[0], name, paid, recurring, seconds, hour_s)]
    spans = [span] if span else []
    ending = end_early(fleets[0], name, termination, spans, parts if begun else [], due, hour_s)
    return Rated(rows, Commitment(
        contract=name, fleet=fleets[0], committed_gpu_s=np.zeros_like(seconds), used_gpu_s=covered_gpu_s,
        overage_gpu_s=over_gpu_s, committed_micro_usd=committed + ending.lapsed_micro_usd,
        used_micro_usd=committed - left,
        remaining_micro_usd=partial(owed_after, spans, due, paid, hour_s, end_s) if span else None,
    ), ending.rows)


def plan_term(terms: SpendCommitment) -> Span | None:
    """The plan's term, when it has an end; one unit of it is the dollars of an hour.

    Without a start it is committed from 1970 on.
    """
    return None if terms.end_s is None else Span(1, terms.start_s or 0, terms.end_s)


def prepaid(terms: SpendCommitment, span: Span, ahead: Fraction) -> list[Span]:
    """What is paid ahead, by the stretch of time that it pays for: stretches end where the plan changes."""
    price = terms.usd_per_hour
    edges = [span.start_s, *(at for at, _ in price.steps[1:] if span.start_s < at < span.end_s), span.end_s]
    reached = [round(price.micro_usd_between(span.start_s, edge) * ahead) for edge in edges]
    return [Span(1, left, right, after - before)
            for (left, right), (before, after) in zip(pairwise(edges), pairwise(reached), strict=True)]


def cover(terms: SpendCommitment, fleets: list[str], meters: Mapping[str, Meter], committed: "Int64",
           ) -> "tuple[dict[str, tuple[Int64, Int64]], Int64]":
    """By fleet: whole GPU-seconds that the dollars buy of its demand and what they cost; the dollars left."""
    hour_s, left = meters[fleets[0]].hour_s, committed.copy()
    found = {fleet: (meters[fleet].allocated.copy(), np.zeros_like(left)) for fleet in fleets}
    dated = [price for fleet in fleets for price in (terms.rates[fleet].own, terms.rates[fleet].on_demand)]
    edges = {0, len(hour_s), *(stretch.start for price in dated for stretch, _ in price.segments(hour_s))}
    for first, stop in pairwise(sorted(edges)):
        hours, second = slice(first, stop), int(hour_s[first])
        for fleet in sorted(fleets, key=partial(_place, terms, second)):
            own = terms.rates[fleet].own.at(second)
            demand = meters[fleet].allocated[hours]
            covered, spent = (column[hours] for column in found[fleet])
            price_of_all = priced(demand, own)
            short = price_of_all > left[hours]
            if short.any():
                covered[short] = np.minimum(demand[short], bought(left[hours][short], own))
            np.minimum(price_of_all, left[hours], out=spent)
            left[hours] -= spent
    return found, left


def _place(terms: SpendCommitment, second: int | None, fleet: str) -> tuple[Decimal, Decimal, str]:
    """Highest saving first, then the lowest plan price; at an instant, or at first."""
    rates = terms.rates[fleet]
    return rates.unsaved(second), rates.own.first if second is None else rates.own.at(second), fleet
