"""Minimums with a make-up bank: what is paid and not taken is kept for later months.

Use above m Q of a later month is drawn from the bank, oldest first, at no further payment, and costs what was
paid for it. What is not drawn in time, or when the last term ends, lapses.
"""

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.bank import Bank, Deposit
from fleetsim.ledger.capacity import payments, without_commitment
from fleetsim.ledger.charges import Line, purchase, unused, used
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.periods import by_month, month_number
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import Minimum
from fleetsim.ledger.taken import Paid, Taken
from fleetsim.timebase import HOUR_S, earliest

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


def with_bank(name: str, terms: Minimum, own: Price, taken: Taken, minimum: Fraction, meter: Meter,
              bank: Bank) -> Paid:
    """What a minimum's GPU-hours cost, with what its bank takes in, gives and lets lapse."""
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
        drawn[hours] = np.diff(np.minimum(wanted, bank.gpu_s), prepend=0)
        cost_drawn[hours] = bank.draw(drawn[hours])
        rest = np.cumsum(above - drawn[hours])
        within = np.diff(np.minimum(rest, max(whole - least, 0)), prepend=0)
        paid_for[hours] = below + within
        short = least - int(below.sum())
        if short > 0:
            amount = int(own.charge(np.array([short]), hour_s[hours][:1])[0])
            bank.deposits.append(Deposit(month + terms.make_up_months, short, amount))
            deposits.append((hours.stop - 1, short, amount))
        ended = end_s is not None and int(hour_s[hours.stop - 1]) + HOUR_S >= end_s
        lapsed_gpu_s[hours.stop - 1], lapsed[hours.stop - 1] = bank.lapse(month, everything=ended)
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
    return Paid(rows, paid_for + drawn, cost + lapsed, cost,
                 [unused(Line(fleet, name, "Usage", "unused"), lapsed_gpu_s, lapsed)])


def _bank_ends(taken: Taken, meter: Meter) -> int | None:
    """When nothing can be drawn any more: the end of the contract or of the last tranche's term."""
    known = taken.spans and len(taken.spans) == len(meter.usage.deliveries)
    return earliest(taken.end_s, max(span.end_s for span in taken.spans) if known else None)
