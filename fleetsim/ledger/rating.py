"""Rate: one pipeline from metered usage to charges, in the documented order of application.

Contracts that bring their own capacity, reservations and minimums, spend commitments for one fleet, then
general ones, then price lists for what is left; among equals a contract with a number of GPUs before one
for all of them, the cheaper first, then by name, so that the order of a file changes nothing. A GPU-hour
is priced once. On what is charged follow clauses and pots, and each provider's invoice of a month is
rounded to whole cents.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.accounts import Account
from fleetsim.ledger.capacity import rate_capacity
from fleetsim.ledger.charges import Charges, Line, Rows, collect, single
from fleetsim.ledger.clauses import Revenue, delay_credits, revenue_share, sla_credits
from fleetsim.ledger.commitment import Commitment, Rated
from fleetsim.ledger.market import Draws
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.minimum import rate_minimum
from fleetsim.ledger.money import half_even
from fleetsim.ledger.owned import rate_owned
from fleetsim.ledger.periods import by_month
from fleetsim.ledger.pots import billed_by_hour, rate_pots
from fleetsim.ledger.primitives import (
    CapacityCommitment,
    Minimum,
    OwnedCost,
    Pot,
    RateCard,
    SpendCommitment,
    Terms,
)
from fleetsim.ledger.rate_card import rate_card
from fleetsim.ledger.spend import rate_spend
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.model.contract import Contract
from fleetsim.rng import Streams

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]

CENT = 10_000
"""Micro-dollars in a cent."""


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
        market = Draws(self._streams) if self._streams is not None else None
        rated = {name: self._rated(name, terms, meters, market) for name, terms in self.in_order(meters)}
        for name, terms in self.terms.items():
            if name in rated:
                rated[name].rows.extend(_clauses(name, terms, meters, rated[name].rows, revenue or {}))
        parts = [rows for each in rated.values() for rows in each.rows]
        pots = {name: terms for name, terms in self.terms.items() if isinstance(terms.primitive, Pot)}
        parts += rate_pots(pots, parts, hour_us // 1_000_000, self._accounts)
        if self._providers is not None and len(hour_us):
            parts += self._rounding(parts, hour_us // 1_000_000)
        commitments = [each.commitment for each in rated.values() if each.commitment is not None]
        return Bill(collect(hour_us, parts), commitments, hour_us)

    def in_order(self, meters: Mapping[str, Meter]) -> list[tuple[str, Terms]]:
        """The contracts of the metered fleets in order of application."""
        own = [(name, terms) for name, terms in self.terms.items()
               if not isinstance(terms.primitive, Pot) and set(fleets_of(terms)) & set(meters)]
        return sorted(own, key=lambda entry: _place(entry[0], entry[1], meters))

    def _rated(self, name: str, terms: Terms, meters: Mapping[str, Meter], market: Draws | None) -> Rated:
        primitive, account = terms.primitive, self._accounts[name]
        match primitive:
            case CapacityCommitment():
                return rate_capacity(name, primitive, meters[primitive.fleet], terms.termination)
            case Minimum():
                return rate_minimum(name, primitive, meters[primitive.fleet], account, terms.termination)
            case SpendCommitment():
                return rate_spend(name, primitive, meters, terms.termination)
            case RateCard():
                return rate_card(name, primitive, meters[primitive.fleet], account, self._last_s,
                                 market, terms.termination)
            case OwnedCost():
                return rate_owned(name, primitive, meters[primitive.fleet])
            case Pot():
                raise AssertionError("pots are rated on what the others charge")

    def _rounding(self, parts: Sequence[Rows], hour_s: "Int64") -> list[Rows]:
        """Per provider and month: what takes the invoice to whole cents, on the provider's first contract."""
        assert self._providers is not None, "called with providers only"
        rows = []
        firsts: dict[str, Line] = {}
        for name, fleet in sorted((name, fleet) for name, terms in self.terms.items()
                                  for fleet in fleets_of(terms) if fleet in self._providers):
            firsts.setdefault(self._providers[fleet], Line(fleet, name, "Adjustment", "rounding"))
        for provider, line in firsts.items():
            billed = billed_by_hour([each for each in parts
                                     if self._providers.get(each.line.fleet) == provider], len(hour_s))
            totals = [(month.stop - 1, int(billed[month].sum())) for month in by_month(hour_s)]
            rows.append(single(line, [at for at, _ in totals],
                               [half_even(total, CENT) * CENT - total for _, total in totals]))
        return rows


def rate(contracts: Mapping[str, Contract], usage: Sequence[HourlyUsage]) -> Charges:
    """The charges of all the hours under the contracts by name, in one block."""
    return Biller(contracts).bill(usage).charges


def fleets_of(terms: Terms) -> tuple[str, ...]:
    """The fleets that a contract bills."""
    primitive = terms.primitive
    if isinstance(primitive, SpendCommitment):
        return tuple(primitive.rates)
    return primitive.fleets if isinstance(primitive, Pot) else (primitive.fleet,)


def _place(name: str, terms: Terms, meters: Mapping[str, Meter]) -> tuple[Any, ...]:
    primitive = terms.primitive
    fleets = fleets_of(terms)
    everything = getattr(primitive, "gpus", None) is None and getattr(primitive, "most_frac", None) is None
    prices = getattr(primitive, "prices", None)
    price = prices.own.first if prices is not None and prices.own is not None else Decimal(0)
    elastic = any(fleet in meters and meters[fleet].usage.elastic_contract == name for fleet in fleets)
    return primitive.rank, len(fleets), elastic, everything, price, name


def _clauses(name: str, terms: Terms, meters: Mapping[str, Meter], charged: Sequence[Rows],
             revenue: Revenue) -> list[Rows]:
    """Credits and shares on what one contract has charged."""
    fleet = next(fleet for fleet in fleets_of(terms) if fleet in meters)
    meter, rows = meters[fleet], []
    if terms.sla is not None:
        rows += sla_credits(name, terms.sla, meter, charged)
    if terms.delay is not None:
        rows += delay_credits(name, terms.delay, meter)
    if terms.revenue_share is not None:
        rows += revenue_share(name, terms.revenue_share, fleet, meter.hour_s, revenue,
                              terms.termination.at_s if terms.termination else None)
    return rows
