"""The opening balance: what was paid ahead before the first recorded hour and is not used up.

Such a payment is no cash of the run, and its cost is: what it pays for is an asset that the run uses up.
Hardware counts at its price less depreciation, a reservation's prepayment at what its term has left, credits
at what is left in the pot.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import count, dropwhile

from fleetsim.ledger.capacity import upfront_micro_usd
from fleetsim.ledger.money import half_even, micro_usd
from fleetsim.ledger.primitives import CapacityCommitment, OwnedCost, Pot, SpendCommitment
from fleetsim.ledger.spans import Span, spans_of
from fleetsim.ledger.spend import plan_term, prepaid
from fleetsim.ledger.terms import Terms
from fleetsim.ledger.usage import Delivery
from fleetsim.model.contract import Contract
from fleetsim.timebase import HOUR_S, months_after


def opening_prepaid(contracts: Mapping[str, Contract], deliveries: Mapping[str, Sequence[Delivery]],
                    first_s: int) -> int:
    """Micro-dollars paid ahead for all contracts before `first_s`, a whole hour, and not used up then."""
    return sum(_of(contract.terms(), deliveries, first_s) for contract in contracts.values())


def _of(terms: Terms, deliveries: Mapping[str, Sequence[Delivery]], first_s: int) -> int:
    ended = None if terms.termination is None else terms.termination.at_s
    if ended is not None and ended <= first_s:
        return 0
    match terms.primitive:
        case CapacityCommitment() as capacity if capacity.payment.ahead:
            spans = spans_of(capacity, tuple(deliveries.get(capacity.fleet, ())))
            paid = [span._replace(micro_usd=upfront_micro_usd(span, capacity)) for span in spans]
            return _left(paid, first_s)
        case SpendCommitment() as plan if plan.payment.ahead and (term := plan_term(plan)):
            if term.start_s >= first_s:
                return 0
            parts = prepaid(plan, term, Fraction(plan.payment.upfront_frac))
            return _left(parts, first_s) + sum(part.owed for part in parts if part.start_s >= first_s)
        case Pot() as pot if pot.prepaid and _is_open(pot, first_s):
            return micro_usd(pot.usd) - micro_usd(pot.drawn_before_usd)
        case OwnedCost() as owned:
            return sum(_book_value(owned, each, first_s) for each in deliveries.get(owned.fleet, ()))
    return 0


def _is_open(pot: Pot, first_s: int) -> bool:
    """Whether a period that began before the first hour goes on in it."""
    if pot.start_s - pot.start_s % HOUR_S >= first_s or (pot.end_s is not None and pot.end_s <= first_s):
        return False
    months = count(pot.period_months, pot.period_months) if pot.period_months else ()
    begins = dropwhile(lambda second: second <= first_s - HOUR_S,
                       (months_after(pot.start_s, passed) for passed in months))
    return next(begins, first_s + 1) > first_s


def _left(spans: Sequence[Span], first_s: int) -> int:
    """Of what was paid for the spans that began before: what is not used up."""
    return sum(span.owed - half_even(span.owed * min(first_s - span.start_s, span.end_s - span.start_s),
                                     span.end_s - span.start_s)
               for span in spans if span.start_s < first_s)


def _book_value(owned: OwnedCost, each: Delivery, first_s: int) -> int:
    """Price less depreciation; nothing after its life, when the residual value has come back."""
    end = months_after(each.accepted_s, owned.life_months)
    if each.accepted_s >= first_s or end <= first_s:
        return 0
    residual = micro_usd(owned.residual_usd_per_gpu * each.gpus)
    written_off = micro_usd(owned.capex_usd_per_gpu * each.gpus) - residual
    return residual + _left([Span(each.gpus, each.accepted_s, end, written_off)], first_s)
