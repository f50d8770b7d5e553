"""Pots: dollars that other contracts' charges are drawn from, or that they must add up to.

Prepaid (credits, prepaid consumption plans): paid at the start of each period; charges are paid from it as
long as it lasts, and what is left when the period ends lapses. Committed (MACC, EDP): charges are invoiced
as ever, and what is missing from the commitment at the end of each period is due.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.accounts import Account
from fleetsim.ledger.capacity import earliest, hour_of
from fleetsim.ledger.charges import Line, Rows, purchase, single, unused
from fleetsim.ledger.money import micro_usd
from fleetsim.ledger.periods import periods
from fleetsim.ledger.primitives import Pot, Termination, Terms
from fleetsim.timebase import EPOCH, add_months, epoch_us

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


def rate_pots(pots: Mapping[str, Terms], charged: Sequence[Rows], hour_s: "Int64",
              accounts: Mapping[str, Account]) -> list[Rows]:
    """Rows of all pots: those paid in advance first, then by name.

    A charge is drawn from one pot only. What is paid for a pot is not paid from another one, but it counts
    for a commitment, as an invoice does.
    """
    rows: list[Rows] = []
    for name, terms in sorted(pots.items(), key=lambda pot: (not _of(pot[1]).prepaid, pot[0])):
        seen = [each for each in rows if not _of(terms).prepaid or each.line.clause == "drawdown"]
        rows += rate_pot(name, _of(terms), [*charged, *seen], hour_s, accounts[name], terms.termination)
    return rows


def _of(terms: Terms) -> Pot:
    assert isinstance(terms.primitive, Pot), "called with pots only"
    return terms.primitive


def rate_pot(name: str, terms: Pot, charged: Sequence[Rows], hour_s: "Int64", account: Account,
             termination: Termination | None = None) -> list[Rows]:
    """Purchases, drawdowns, lapsed rests and shortfalls of a pot, given what the other contracts charged.

    Ended early, a share of what is left of the commitment is due instead of all of it, and a share of what
    is left in the pot comes back.
    """
    end_s = earliest(terms.end_s, termination.at_s if termination else None)
    eligible = np.maximum(billed_by_hour(
        [rows for rows in charged if rows.line.fleet in terms.fleets
         and (not terms.contracts or rows.line.contract in terms.contracts)], len(hour_s)), 0)
    fleet, whole = terms.fleets[0], micro_usd(terms.usd)
    drawn = np.zeros_like(eligible)
    bought: list[int] = []
    over: list[tuple[int, int]] = []
    for period in periods(hour_s, terms.start_s, terms.period_months, None, end_s):
        if account.period != period.number:
            account.period, account.left_micro_usd = period.number, whole
            if period.begins:
                bought.append(period.first)
        drawn[period.hours] = np.diff(
            np.minimum(np.cumsum(eligible[period.hours]), account.left_micro_usd), prepend=0)
        account.left_micro_usd -= int(drawn[period.hours].sum())
        if period.ends:
            over.append((period.stop - 1, account.left_micro_usd))
            account.left_micro_usd = 0
    fee = refund = None
    if termination is not None and over and hour_of(termination.at_s - 1, hour_s) == over[-1][0]:
        place, left = over.pop()
        still = whole * _periods_after(terms, termination.at_s) + (0 if terms.prepaid else left)
        due = round(Fraction(termination.fee_frac) * still)
        if termination.fee_cap_usd is not None:
            due = min(due, micro_usd(termination.fee_cap_usd))
        fee = single(Line(fleet, name, "Adjustment", "termination_fee"), [place], [due])
        if terms.prepaid:
            back = round(Fraction(termination.refund_frac) * left)
            refund = purchase(Line(fleet, name, "Purchase", "refund"), [place], [0], [-back])
            over.append((place, left - back))
    ended = [rows for rows in (fee, refund) if rows is not None]
    places = np.array([at for at, _ in over], dtype=np.int64)
    rest = np.array([amount for _, amount in over], dtype=np.int64)
    if not terms.prepaid:
        return [single(Line(fleet, name, "Adjustment", "shortfall"), places, rest), *ended]
    nothing = np.zeros_like(eligible)
    return [
        purchase(Line(fleet, name, "Purchase", "upfront"), bought, [0] * len(bought), [whole] * len(bought)),
        Rows(Line(fleet, name, "Credit", "drawdown"), nothing, nothing, nothing, -drawn, nothing),
        unused(Line(fleet, name, "Usage", "unused"), np.zeros_like(rest), rest)._replace(at=places),
        *ended,
    ]


def _periods_after(terms: Pot, second: int) -> int:
    """Periods that begin from an instant on, as far as the pot's end is known."""
    if terms.end_s is None or terms.period_months is None:
        return 0
    number, found = 1, 0
    start = EPOCH + timedelta(seconds=terms.start_s)
    while (begins := epoch_us(add_months(start, number * terms.period_months)) // 1_000_000) < terms.end_s:
        found += begins >= second
        number += 1
    return found


def billed_by_hour(charged: Sequence[Rows], hours: int) -> "Int64":
    """Micro-dollars billed in each hour of the block."""
    billed = np.zeros(hours, dtype=np.int64)
    for rows in charged:
        amounts = rows.amounts()["billed_micro_usd"]
        if rows.at is None:
            billed += amounts
        else:
            np.add.at(billed, rows.at, amounts)
    return billed
