"""Minimums: of each calendar month's committed GPU-hours a share is paid, taken or not.

With Q committed and U taken in a month, price x max(m Q, min(U, Q)) + overage price x (U - Q)+ is due.
What is taken is charged in its hour; what is paid and not taken falls on the hours that left capacity
idle, in proportion. Under a total, each hour owes what the clock adds to its tranches' obligations, and the
share of the month's commitment that was taken is used of it.

With an overage price U is all use of the fleet in the term that no other commitment covers, in any hour.
Without one the contract has no more than is committed in each hour, and what is beyond falls to the next.

With a make-up bank, what is paid and not taken is kept: `fleetsim.ledger.make_up`.
"""

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.accounts import Account
from fleetsim.ledger.capacity import payments, without_commitment
from fleetsim.ledger.charges import Line, Rows, unused, used
from fleetsim.ledger.commitment import Commitment, Rated
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.ending import end_early
from fleetsim.ledger.make_up import with_bank
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.money import scaled, spread
from fleetsim.ledger.periods import by_month
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import Minimum
from fleetsim.ledger.spans import accrued, derived_price, owed_after
from fleetsim.ledger.taken import Paid, Taken

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


def rate_minimum(name: str, terms: Minimum, meter: Meter, taken: Taken, account: Account,
                 termination: EarlyTermination | None = None) -> Rated:
    """Used, unused and overage GPU-hours of a take-or-pay contract, and its payments."""
    spans, fleet, hour_s = taken.spans, meter.usage.fleet, meter.hour_s
    own = terms.prices.own or derived_price(spans)
    minimum = Fraction(str(terms.minimum_frac))
    paid = (with_bank(name, terms, own, taken, minimum, meter, account.bank) if terms.make_up_months
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
                  meter: Meter) -> Paid:
    hour_s, fleet = meter.hour_s, meter.usage.fleet
    within, idle = _taken(taken.use, taken.committed, hour_s, minimum)
    if terms.total_usd is None:
        cost, cost_of_used = own.charge(within + idle, hour_s), own.charge(within, hour_s)
    else:
        cost = accrued(taken.spans, hour_s, taken.end_s)
        cost_of_used = np.zeros_like(cost)
        for hours in by_month(hour_s):
            taken_gpu_s = int(within[hours].sum())
            paid_gpu_s = taken_gpu_s + int(idle[hours].sum())
            cost_of_used[hours] = scaled(cost[hours], taken_gpu_s, max(paid_gpu_s, 1))
    return Paid([
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


