"""Rate: one pipeline from metered usage to charges, in the documented order of application.

A GPU-hour is priced once, by the first contract in `fleetsim.ledger.order`. On what is charged follow
clauses and pots, and each provider's invoice of a month is rounded to whole cents.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.accounts import Account
from fleetsim.ledger.capacity import rate_capacity
from fleetsim.ledger.charges import Charges, Rows, collect
from fleetsim.ledger.clauses import Revenue, delay_credits, revenue_share, sla_credits
from fleetsim.ledger.commitment import Commitment, Rated
from fleetsim.ledger.market import Draws
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.minimum import rate_minimum
from fleetsim.ledger.order import Rank
from fleetsim.ledger.owned import rate_owned
from fleetsim.ledger.pots import rate_pots
from fleetsim.ledger.primitives import (
    CapacityCommitment,
    Minimum,
    OwnedCost,
    Pot,
    RateCard,
    SpendCommitment,
)
from fleetsim.ledger.rate_card import rate_card
from fleetsim.ledger.rounding import rounding
from fleetsim.ledger.spend import rate_spend
from fleetsim.ledger.taken import Taken
from fleetsim.ledger.terms import Terms
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.model.contract import Contract
from fleetsim.rng import Streams

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Bill:
    """What a block of hours is charged, and the commitments behind it."""

    charges: Charges
    commitments: list[Commitment]
    hour_us: "Int64"


class Biller:
    """Bills usage block by block; what contracts carry on (banks, tiers, pots) stays with it.

    A block holds whole calendar months but for the first and the last, and is the same for all fleets.
    Billing month by month equals billing the whole.
    """

    def __init__(self, contracts: Mapping[str, Contract], *, providers: Mapping[str, str] | None = None,
                 last_us: int | None = None, streams: Streams | None = None) -> None:
        """`providers` (by fleet) send the invoices that are rounded; no rounding without them. `last_us`
        is where billing ends, so that a period it cuts is settled. `streams` move market prices."""
        self.terms = {name: contract.terms() for name, contract in contracts.items()}
        self._providers = providers
        self._last_s = None if last_us is None else last_us // 1_000_000
        self._streams = streams
        self._accounts = {name: Account() for name in contracts}

    def bill(self, usage: Sequence[HourlyUsage], revenue: Revenue | None = None) -> Bill:
        """The charges of the next block of hours."""
        meters = {metered.fleet: Meter.of(metered) for metered in usage}
        hour_us = usage[0].hour_us if usage else np.zeros(0, dtype=np.int64)
        rated = self._rated(meters, Draws(self._streams) if self._streams is not None else None)
        for name, each in rated.items():
            each.rows.extend([*_clauses(name, self.terms[name], meters, each.rows, revenue or {}),
                              *each.ended])
        parts = [rows for each in rated.values() for rows in each.rows]
        pots = {name: terms for name, terms in self.terms.items() if isinstance(terms.primitive, Pot)}
        commitments = [each.commitment for each in rated.values() if each.commitment is not None]
        drawn = rate_pots(pots, parts, hour_us // 1_000_000, self._accounts, commitments)
        parts += [rows for each in drawn for rows in each.rows]
        if self._providers is not None and len(hour_us):
            parts += rounding(parts, hour_us // 1_000_000, self._providers)
        commitments += [each.commitment for each in drawn if each.commitment is not None]
        return Bill(collect(hour_us, parts), commitments, hour_us)

    def in_order(self, meters: Mapping[str, Meter]) -> list[tuple[Rank, str]]:
        """The contracts of the metered fleets in order of application, pots apart.

        A minimum with an overage price stands twice: for what is committed, and for what is beyond.
        """
        places = []
        for name, terms in self.terms.items():
            primitive, fleets = terms.primitive, [fleet for fleet in terms.fleets if fleet in meters]
            if isinstance(primitive, Pot) or not fleets:
                continue
            elastic = any(meters[fleet].usage.elastic_contract == name for fleet in fleets)
            places.append((primitive.rank, elastic, primitive.preference, name))
            if isinstance(primitive, Minimum) and primitive.overage is not None:
                places.append((Rank.OVERAGE, elastic, primitive.preference, name))
        return [(rank, name) for rank, _, _, name in sorted(places)]

    def _rated(self, meters: Mapping[str, Meter], market: Draws | None) -> dict[str, Rated]:
        rated: dict[str, Rated] = {}
        taken: dict[str, Taken] = {}
        for rank, name in self.in_order(meters):
            terms, account = self.terms[name], self._accounts[name]
            primitive, ended = terms.primitive, terms.termination
            match primitive:
                case CapacityCommitment():
                    rated[name] = rate_capacity(name, primitive, meters[primitive.fleet], ended)
                case Minimum():
                    meter = meters[primitive.fleet]
                    if rank is Rank.OVERAGE:
                        taken[name].take_rest(primitive, meter)
                    else:
                        taken[name] = Taken(primitive, meter, ended)
                    if rank is Rank.OVERAGE or primitive.overage is None:
                        rated[name] = rate_minimum(name, primitive, meter, taken[name], account, ended)
                case SpendCommitment():
                    rated[name] = rate_spend(name, primitive, meters, ended)
                case RateCard():
                    rated[name] = rate_card(name, primitive, meters[primitive.fleet], account, self._last_s,
                                            market, ended)
                case OwnedCost():
                    rated[name] = rate_owned(name, primitive, meters[primitive.fleet])
        return rated


def rate(contracts: Mapping[str, Contract], usage: Sequence[HourlyUsage]) -> Charges:
    """The charges of all the hours under the contracts by name, in one block."""
    return Biller(contracts).bill(usage).charges


def _clauses(name: str, terms: Terms, meters: Mapping[str, Meter], charged: Sequence[Rows],
             revenue: Revenue) -> list[Rows]:
    """Credits and shares on what one contract has charged."""
    fleets = sorted(fleet for fleet in terms.fleets if fleet in meters)
    fleet, rows = fleets[0], []
    meter = meters[fleet]
    if terms.sla is not None:
        for each in fleets:
            rows += sla_credits(name, terms.sla, meters[each], charged)
    if terms.delay is not None:
        rows += delay_credits(name, terms.delay, meter)
    if terms.revenue_share is not None:
        rows += revenue_share(name, terms.revenue_share, fleet, meter.hour_s, revenue,
                              terms.termination.at_s if terms.termination else None)
    return rows
