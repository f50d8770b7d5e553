"""Minimums: of each calendar month's committed GPU-hours a share is paid, taken or not.

With Q committed and U taken in a month, price x max(m Q, min(U, Q)) + overage price x (U - Q)+ is due.
What is taken is charged in its hour; what is paid and not taken falls on the hours that left capacity
idle, in proportion. Under a total, each hour owes what the clock adds to its tranches' obligations.

With an overage price U is all use of the fleet in the term that no other commitment covers, in any hour.
Without one the contract has no more than is committed in each hour, and what is beyond falls to the next.

With a make-up bank, what is paid and not taken is kept: use above m Q of a later month is drawn from it,
oldest first, at no further payment, and costs what was paid for it. What is not drawn in time, or when
the last term ends, lapses.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.accounts import Account, Deposit
from fleetsim.ledger.capacity import committed_gpu_s, payments, without_commitment
from fleetsim.ledger.charges import Line, Rows, purchase, unused, used
from fleetsim.ledger.commitment import Commitment, Rated
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.ending import end_early
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.money import scaled, spread
from fleetsim.ledger.periods import by_month, month_number
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import Minimum
from fleetsim.ledger.spans import accrued, derived_price, owed_after, spans_of
from fleetsim.timebase import HOUR_S, earliest

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


class Taken:
    """What a minimum takes from its fleet: first within what is committed, later what lies beyond."""

    def __init__(self, terms: Minimum, meter: Meter, termination: EarlyTermination | None = None) -> None:
        self.end_s = earliest(terms.end_s, termination.at_s if termination else None)
        self.spans = spans_of(terms, meter.usage.deliveries)
        self.committed = committed_gpu_s(terms, meter, self.end_s)
        self.use = meter.claim(self.committed)

    def take_rest(self, terms: Minimum, meter: Meter) -> None:
        """Take what is left of the fleet's use in the term."""
        start_s, end_s = terms.start_s, self.end_s
        if terms.term_months is not None and self.spans:
            start_s = min(span.start_s for span in self.spans)
            end_s = earliest(end_s, max(span.end_s for span in self.spans))
        self.use = self.use + meter.claim_allocated(meter.part_within(meter.allocated, start_s, end_s))


@dataclass
class _Paid:
    """What a minimum's GPU-hours cost."""

    rows: list[Rows]
    taken: "Int64"
    """GPU-seconds within the commitment, those drawn from the bank included."""
    cost: "Int64"
    cost_of_used: "Int64"
    lapsed: list[Rows] = field(default_factory=list)


def rate_minimum(name: str, terms: Minimum, meter: Meter, taken: Taken, account: Account,
                 termination: EarlyTermination | None = None) -> Rated:
    """Used, unused and overage GPU-hours of a take-or-pay contract, and its payments."""
    spans, fleet, hour_s = taken.spans, meter.usage.fleet, meter.hour_s
    own = terms.prices.own or derived_price(spans)
    minimum = Fraction(str(terms.minimum_frac))
    paid = (_with_bank(name, terms, own, taken, minimum, meter, account) if terms.make_up_months
            else _by_the_month(name, terms, own, taken, minimum, meter))
    over = taken.use - paid.taken
    if terms.overage is not None:
        above = terms.overage.charge(over, hour_s)
        listed = above if terms.prices.list is None else terms.prices.list.charge(over, hour_s)
        paid.rows.append(Rows(Line(fleet, name, "Usage", "overage"), over, listed, above))
    least = own.scaled(minimum)
    ending = end_early(fleet, name, termination, spans, [], least, hour_s)
    return Rated(paid.rows, Commitment(
        contract=name, fleet=fleet, committed_gpu_s=taken.committed, used_gpu_s=paid.taken,
        overage_gpu_s=over, committed_micro_usd=paid.cost, used_micro_usd=paid.cost_of_used,
        remaining_micro_usd=partial(owed_after, spans, least, [], hour_s, taken.end_s) if spans else None,
    ), [*paid.lapsed, *ending.rows])


def _by_the_month(name: str, terms: Minimum, own: Price, taken: Taken, minimum: Fraction,
                  meter: Meter) -> _Paid:
    hour_s, fleet = meter.hour_s, meter.usage.fleet
    within, idle = _taken(taken.use, taken.committed, hour_s, minimum)
    if terms.total_usd is None:
        cost, cost_of_used = own.charge(within + idle, hour_s), own.charge(within, hour_s)
    else:
        cost = accrued(taken.spans, hour_s, taken.end_s)
        cost_of_used = scaled(within, cost, np.maximum(within + idle, 1))
    return _Paid([
        used(Line(fleet, name, "Usage", "used"), within,
             *without_commitment(terms.prices, own, within, hour_s), cost_of_used),
        unused(Line(fleet, name, "Usage", "unused"), idle, cost - cost_of_used),
        *payments(fleet, name, [], cost, within + idle, hour_s),
    ], within, cost, cost_of_used)


def _taken(use: "Int64", committed: "Int64", hour_s: "Int64", minimum: Fraction) -> "tuple[Int64, Int64]":
    """Per hour: GPU-seconds taken within the month's commitment, and paid and not taken.

    Use counts from the month's first hour on. The minimum is counted in whole GPU-seconds.
    """
    taken, idle = np.zeros_like(use), np.zeros_like(use)
    for hours in by_month(hour_s):
        whole = int(committed[hours].sum())
        taken[hours] = np.diff(np.minimum(np.cumsum(use[hours]), whole), prepend=0)
        short = round(whole * minimum) - int(taken[hours].sum())
        free = np.maximum(committed[hours] - taken[hours], 0)
        idle[hours] = free if short == int(free.sum()) else spread(max(short, 0), free)
    return taken, idle


def _with_bank(name: str, terms: Minimum, own: Price, taken: Taken, minimum: Fraction, meter: Meter,
               account: Account) -> _Paid:
    hour_s, fleet, use, committed = meter.hour_s, meter.usage.fleet, taken.use, taken.committed
    end_s = _bank_ends(taken, meter)
    paid_for, drawn, cost_drawn = np.zeros_like(use), np.zeros_like(use), np.zeros_like(use)
    lapsed_gpu_s, lapsed = np.zeros_like(use), np.zeros_like(use)
    deposits: list[tuple[int, int, int]] = []
    for hours in by_month(hour_s):
        month = month_number(int(hour_s[hours.start]))
        whole = int(committed[hours].sum())
        least = round(whole * minimum)
        reached = np.cumsum(use[hours])
        below = np.diff(np.minimum(reached, least), prepend=0)
        above = use[hours] - below
        wanted = np.cumsum(above)
        drawn[hours] = np.diff(np.minimum(wanted, account.deposited_gpu_s), prepend=0)
        cost_drawn[hours] = account.draw(drawn[hours])
        rest = np.cumsum(above - drawn[hours])
        within = np.diff(np.minimum(rest, max(whole - least, 0)), prepend=0)
        paid_for[hours] = below + within
        short = least - int(below.sum())
        if short > 0:
            amount = int(own.charge(np.array([short]), hour_s[hours][:1])[0])
            account.deposits.append(Deposit(month + terms.make_up_months, short, amount))
            deposits.append((hours.stop - 1, short, amount))
        ended = end_s is not None and int(hour_s[hours.stop - 1]) + HOUR_S >= end_s
        lapsed_gpu_s[hours.stop - 1], lapsed[hours.stop - 1] = account.lapse(month, everything=ended)
    cost_paid = own.charge(paid_for, hour_s)
    listed = without_commitment(terms.prices, own, paid_for, hour_s)
    rows = [
        used(Line(fleet, name, "Usage", "used"), paid_for, *listed, cost_paid),
        used(Line(fleet, name, "Usage", "made_up"), drawn,
             *without_commitment(terms.prices, own, drawn, hour_s), cost_drawn),
        *payments(fleet, name, [], cost_paid, paid_for, hour_s),
        purchase(Line(fleet, name, "Purchase", "make_up"), [at for at, _, _ in deposits],
                 [gpu_s for _, gpu_s, _ in deposits], [amount for _, _, amount in deposits]),
    ]
    cost = cost_paid + cost_drawn
    return _Paid(rows, paid_for + drawn, cost + lapsed, cost,
                 [unused(Line(fleet, name, "Usage", "unused"), lapsed_gpu_s, lapsed)])


def _bank_ends(taken: Taken, meter: Meter) -> int | None:
    """When nothing can be drawn any more: the end of the contract or of the last tranche's term."""
    known = taken.spans and len(taken.spans) == len(meter.usage.deliveries)
    return earliest(taken.end_s, max(span.end_s for span in taken.spans) if known else None)
