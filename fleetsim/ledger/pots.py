"""Pots: dollars that other contracts' charges are drawn from, or that they must add up to.

Prepaid (credits, prepaid consumption plans): paid at the start of each period; charges are paid from it as
long as it lasts, and what is left when the period ends lapses. Committed (MACC, EDP): charges are invoiced
as ever, and what is missing from the commitment at the end of each period is due.

A refund or a credit on charges goes back into the pot that paid them in the same period: all that is charged
from the period's first hour on counts, up to what the pot held then, and never less than nothing.

A period that is open when the bill begins was paid before, and so much of it was drawn before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.accounts import Account
from fleetsim.ledger.charges import Line, Rows, purchase, single, unused
from fleetsim.ledger.commitment import Commitment, Rated
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.money import micro_usd
from fleetsim.ledger.periods import hour_of, periods
from fleetsim.ledger.primitives import Pot
from fleetsim.ledger.terms import Terms
from fleetsim.timebase import HOUR_S, earliest, months_after

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


def rate_pots(pots: Mapping[str, Terms], charged: Sequence[Rows], hour_s: "Int64",
              accounts: Mapping[str, Account], commitments: Sequence[Commitment] = ()) -> list[Rated]:
    """Rows and commitments of all pots: those paid in advance first, then by name.

    A charge is drawn from one pot only, and what credits paid of it counts for no commitment that names its
    contract or fleet. What is paid for a pot is not paid from another one, but it counts for a commitment,
    as an invoice does. `commitments` are those of the contracts that charged.
    """
    found: list[Rated] = []
    billed: _Billed = {}
    if pots:
        _add(billed, charged, len(hour_s))
    for name, terms in sorted(pots.items(), key=lambda pot: (not _of(pot[1]).prepaid, pot[0])):
        pot = _of(terms)
        keys = [key for key in sorted(billed)
                if _counts(pot, *key) and not (pot.prepaid and key[0] in pots)]
        eligible = sum((billed[key] for key in keys), start=np.zeros_like(hour_s))
        others = [each for each in commitments if _counts(pot, each.contract, each.fleet)]
        rated = rate_pot(name, pot, eligible, hour_s, accounts[name], terms.termination, others)
        if pot.prepaid and rated.commitment is not None:
            _draw(billed, keys, rated.commitment.used_micro_usd)
        _add(billed, [rows for rows in rated.rows if rows.line.clause != "drawdown"], len(hour_s))
        found.append(rated)
    return found


_Billed = dict[tuple[str, str], Any]
"""By contract and fleet: micro-dollars billed in each hour that no pot has paid."""


def _add(billed: _Billed, charged: Sequence[Rows], hours: int) -> None:
    for rows in charged:
        key = rows.line.contract, rows.line.fleet
        billed[key] = billed.get(key, 0) + rows.by_hour("billed_micro_usd", hours)


def _draw(billed: _Billed, keys: Sequence[tuple[str, str]], drawn: "Int64") -> None:
    """Take what a pot paid off the charges, in order."""
    for key in keys:
        part = np.clip(billed[key], np.minimum(drawn, 0), np.maximum(drawn, 0))
        billed[key], drawn = billed[key] - part, drawn - part


def _counts(pot: Pot, contract: str, fleet: str) -> bool:
    """Whether charges of a contract on a fleet are eligible."""
    return fleet in pot.fleets and (not pot.contracts or contract in pot.contracts)


def _of(terms: Terms) -> Pot:
    assert isinstance(terms.primitive, Pot), "called with pots only"
    return terms.primitive


@dataclass
class _Flow:
    """What happens to a pot in a block."""

    drawn: "Int64"
    """Charges that it pays or that count for it, by hour."""
    left: "Int64"
    """In the open period after each hour; 0 outside of all."""
    bought: list[int] = field(default_factory=list)
    """Hours in which a period begins."""
    over: list[tuple[int, int]] = field(default_factory=list)
    """Last hour of each period that ends, and what is left then."""


def _flow(terms: Pot, eligible: "Int64", hour_s: "Int64", account: Account, end_s: int | None) -> _Flow:
    found = _Flow(np.zeros_like(eligible), np.zeros_like(eligible))
    for period in periods(hour_s, terms.start_s, terms.period_months, None, end_s):
        if account.period != period.number:
            before = micro_usd(terms.drawn_before_usd) if account.period is None and not period.begins else 0
            account.period, account.left_micro_usd = period.number, max(micro_usd(terms.usd) - before, 0)
            account.eligible_micro_usd, account.most_micro_usd = 0, account.left_micro_usd
            if period.begins:
                found.bought.append(period.first)
        charged = account.eligible_micro_usd + np.cumsum(eligible[period.hours])
        drawn = _within(account.eligible_micro_usd, account.most_micro_usd)
        reached = np.clip(charged, 0, account.most_micro_usd) - drawn
        account.eligible_micro_usd = int(charged[-1])
        found.drawn[period.hours] = np.diff(reached, prepend=0)
        found.left[period.hours] = account.left_micro_usd - reached
        account.left_micro_usd = int(found.left[period.stop - 1])
        if period.ends:
            found.over.append((period.stop - 1, account.left_micro_usd))
            found.left[period.stop - 1] = account.left_micro_usd = 0
    return found


def _within(amount: int, most: int) -> int:
    return min(max(amount, 0), most)


def rate_pot(name: str, terms: Pot, eligible: "Int64", hour_s: "Int64", account: Account,
             termination: EarlyTermination | None = None, others: Sequence[Commitment] = ()) -> Rated:
    """Purchases, drawdowns, lapsed rests and shortfalls of a pot, given the eligible charges of each hour.

    Ended early, a share of what is left of the commitment is due instead of all of it, and a share of what
    is left in the pot comes back. `others` are the commitments of the contracts that count.
    """
    end_s = earliest(terms.end_s, termination.at_s if termination else None)
    fleet, whole = terms.fleets[0], micro_usd(terms.usd)
    flow = _flow(terms, eligible, hour_s, account, end_s)
    over, ended = flow.over, []
    if termination is not None and over and hour_of(termination.at_s - 1, hour_s) == over[-1][0]:
        place, left = over.pop()
        later = sum(begins >= termination.at_s for begins in _begins(terms, terms.end_s))
        due = round(Fraction(termination.fee_frac) * (whole * later + (0 if terms.prepaid else left)))
        if termination.fee_cap_usd is not None:
            due = min(due, micro_usd(termination.fee_cap_usd))
        ended.append(single(Line(fleet, name, "Adjustment", "termination_fee"), [place], [due]))
        if terms.prepaid:
            back = round(Fraction(termination.refund_frac) * left)
            ended.append(purchase(Line(fleet, name, "Purchase", "refund"), [place], [0], [-back]))
            over.append((place, left - back))
    places = np.array([at for at, _ in over], dtype=np.int64)
    rest = np.array([amount for _, amount in over], dtype=np.int64)
    nothing = np.zeros_like(eligible)
    committed = flow.drawn.copy()
    committed[places] += rest
    owed = None if end_s is None else partial(_owed, terms, flow.left, others, hour_s, end_s)
    commitment = Commitment(
        contract=name, fleet=fleet, committed_gpu_s=nothing, used_gpu_s=nothing, overage_gpu_s=nothing,
        committed_micro_usd=committed, used_micro_usd=flow.drawn,
        remaining_micro_usd=owed,
        is_open=hour_s < (hour_s[-1:] + 1 if end_s is None else end_s))
    if not terms.prepaid:
        return Rated([single(Line(fleet, name, "Adjustment", "shortfall"), places, rest), *ended], commitment)
    bought = [whole] * len(flow.bought)
    return Rated([
        purchase(Line(fleet, name, "Purchase", "upfront"), flow.bought, [0] * len(bought), bought),
        Rows(Line(fleet, name, "Credit", "drawdown"), nothing, nothing, nothing, -flow.drawn, nothing),
        unused(Line(fleet, name, "Usage", "unused"), np.zeros_like(rest), rest)._replace(at=places),
        *ended,
    ], commitment)


def _begins(terms: Pot, end_s: int | None) -> list[int]:
    """When the periods begin, seconds since 1970, as far as the pot's end is known."""
    if end_s is None:
        return []
    if terms.period_months is None:
        return [terms.start_s] if terms.start_s < end_s else []
    months = terms.period_months
    starts = (months_after(terms.start_s, months * number) for number in count())
    return list(takewhile(lambda begins: begins < end_s, starts))


def _owed(terms: Pot, left: "Int64", others: Sequence[Commitment], hour_s: "Int64",
          end_s: int) -> "Int64":
    """Micro-dollars that a pot still asks for after each hour, beyond what its contracts owe anyway.

    Prepaid: the periods still to be bought. Committed: those still to come and what is left of the open one.
    """
    begins = np.array(_begins(terms, end_s), dtype=np.int64)
    begins[:1] -= begins[:1] % HOUR_S  # the hour of the start is in the first period
    to_come = len(begins) - np.searchsorted(begins, hour_s, side="right")
    owed: Int64 = micro_usd(terms.usd) * to_come + (0 if terms.prepaid else left)
    for each in others:
        if each.remaining_micro_usd is not None:
            owed = owed - each.remaining_micro_usd()
    return np.asarray(np.maximum(owed, 0), dtype=np.int64)
