"""Minimums: of each calendar month's committed GPU-hours a share is paid, taken or not.

With Q committed and U taken in a month, price x max(m Q, min(U, Q)) + overage price x (U - Q)+ is due.
What is taken is charged in its hour; what is paid and not taken falls on the hours that left capacity
idle, in proportion. Under a total, each hour owes what the clock adds to its tranches' obligations.

With a make-up bank, what is paid and not taken is kept: use above m Q of a later month is drawn from it,
oldest first, at no further payment, and costs what was paid for it. What is not drawn in time, or when
the last term ends, lapses.
"""

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.accounts import Account, Deposit
from fleetsim.ledger.capacity import (
    accrued,
    committed_gpu_s,
    derived_price,
    earliest,
    end_early,
    owed_after,
    payments,
    spans_of,
    without_commitment,
)
from fleetsim.ledger.charges import Line, Rows, purchase, unused, used
from fleetsim.ledger.commitment import Commitment, Rated
from fleetsim.ledger.meter import HOUR_S, Meter
from fleetsim.ledger.money import scaled, spread
from fleetsim.ledger.periods import by_month, month_number
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import Minimum, Termination

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


def rate_minimum(name: str, terms: Minimum, meter: Meter, account: Account,
                 termination: Termination | None = None) -> Rated:
    """Used, unused and overage GPU-hours of a take-or-pay contract, and its payments."""
    end_s = earliest(terms.end_s, termination.at_s if termination else None)
    committed = committed_gpu_s(terms, meter, end_s)
    use = meter.claim(committed) + meter.claim_elastic(name, None, end_s)
    spans = spans_of(terms, meter.usage.deliveries)
    own = terms.prices.own or derived_price(spans)
    fleet, hour_s = meter.usage.fleet, meter.hour_s
    minimum = Fraction(str(terms.minimum_frac))
    if terms.make_up_months:
        known = spans and len(spans) == len(meter.usage.deliveries)
        bank_end_s = earliest(end_s, max(span.end_s for span in spans) if known else None)
        rows, taken, idle, cost, cost_of_used = _with_bank(name, terms, own, use, committed, minimum, meter,
                                                           account, bank_end_s)
    else:
        taken, idle = _taken(use, committed, hour_s, minimum)
        if terms.total_usd is None:
            cost, cost_of_used = own.charge(taken + idle, hour_s), own.charge(taken, hour_s)
        else:
            cost = accrued(spans, hour_s, end_s)
            cost_of_used = scaled(taken, cost, np.maximum(taken + idle, 1))
        rows = [
            used(Line(fleet, name, "Usage", "used"), taken,
                 *without_commitment(terms.prices, own, taken, hour_s), cost_of_used),
            unused(Line(fleet, name, "Usage", "unused"), idle, cost - cost_of_used),
            *payments(fleet, name, [], cost, taken + idle, hour_s),
        ]
    over = np.maximum(use - taken, 0)
    above = (terms.overage or own).charge(over, hour_s)
    listed = above if terms.prices.list is None else terms.prices.list.charge(over, hour_s)
    rows.append(Rows(Line(fleet, name, "Usage", "overage"), over, listed, above))
    if termination is not None:
        rows += end_early(fleet, name, termination, spans, [], own.scaled(minimum), hour_s)
    return Rated(rows, Commitment(
        contract=name, fleet=fleet, committed_gpu_s=committed, used_gpu_s=taken, overage_gpu_s=over,
        committed_micro_usd=cost, used_micro_usd=cost_of_used,
        remaining_micro_usd=partial(owed_after, spans, own.scaled(minimum), hour_s, end_s) if spans else None,
    ))


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


def _with_bank(name: str, terms: Minimum, own: Price, use: "Int64", committed: "Int64", minimum: Fraction,
               meter: Meter, account: Account, end_s: int | None,
               ) -> "tuple[list[Rows], Int64, Int64, Int64, Int64]":
    """Rows, GPU-seconds taken (drawn ones included) and idle, and what they cost."""
    hour_s, fleet = meter.hour_s, meter.usage.fleet
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
        unused(Line(fleet, name, "Usage", "unused"), lapsed_gpu_s, lapsed),
        *payments(fleet, name, [], cost_paid, paid_for, hour_s),
        purchase(Line(fleet, name, "Purchase", "make_up"), [at for at, _, _ in deposits],
                 [gpu_s for _, gpu_s, _ in deposits], [amount for _, _, amount in deposits]),
    ]
    taken = paid_for + drawn
    return rows, taken, lapsed_gpu_s, cost_paid + cost_drawn + lapsed, cost_paid + cost_drawn
