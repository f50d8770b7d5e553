"""Rate cards: a price per GPU-hour for what no commitment covers; tiers of it, or a market's price.

Graduated tiers price each slice of a period's quantity by itself, one charge per slice. All-units tiers
price the whole quantity at the tier that it reaches: hours are charged at the first price and the
difference is settled at the period's end, so a total can drop at a threshold.
"""

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.accounts import Account
from fleetsim.ledger.charges import Line, Rows, single
from fleetsim.ledger.claim import Window
from fleetsim.ledger.commitment import Rated
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.market import Draws, prices_micro_usd
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.money import micro_usd_per_gpu_s, scaled
from fleetsim.ledger.periods import periods
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import RateCard, Tiers
from fleetsim.timebase import HOUR_S, earliest

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]

PARTS = 1_000_000
"""Shares are kept to so many parts, which leaves room for every count of GPU-seconds in 64 bits."""


def rate_card(name: str, terms: RateCard, meter: Meter, account: Account, last_s: int | None,
              market: Draws | None, termination: EarlyTermination | None = None) -> Rated:
    """GPU-hours at the card's price: what is left of the fleet, and its elastic part if this one bills it."""
    end_s = earliest(terms.end_s, termination.at_s if termination else None)
    windows = [Window(terms.start_s, end_s)]
    if terms.running:
        within = meter.left_within(terms.start_s, end_s, committed=True)
        meter.claim(within, windows=windows)
    else:
        within = meter.left_within(terms.start_s, end_s)
        if terms.most_frac is not None:
            share = Fraction(terms.most_frac).limit_denominator(PARTS)
            most = meter.usage.allocated_gpu_s * share.numerator // share.denominator
            within = np.minimum(within, meter.part_within(most, terms.start_s, end_s))
        within = meter.claim_allocated(within, windows)
    taken = within + meter.claim_elastic(name, terms.start_s, end_s)
    line = Line(meter.usage.fleet, name, "Usage", terms.charge)
    if terms.tiers is not None:
        return Rated(_tiered(line, terms, terms.tiers, taken, meter.hour_s, account, last_s))
    assert terms.prices.own is not None, "only a commitment can have a total in place of a price"
    if terms.market is not None and market is not None:
        paid = prices_micro_usd(terms.market, terms.prices.own, meter.hour_s, account, market)
        contracted = scaled(taken, paid, HOUR_S)
    else:
        contracted = terms.prices.own.charge(taken, meter.hour_s)
    return Rated([Rows(line, taken, _listed(terms, taken, contracted, meter.hour_s), contracted)])


def _listed(terms: RateCard, taken: "Int64", contracted: "Int64", hour_s: "Int64") -> "Int64":
    return contracted if terms.prices.list is None else terms.prices.list.charge(taken, hour_s)


def _tiered(line: Line, terms: RateCard, tiers: Tiers, taken: "Int64", hour_s: "Int64", account: Account,
            last_s: int | None) -> list[Rows]:
    """Rows of every tier, or of the first one and what the period's end settles."""
    reached = np.zeros_like(taken)
    ends = []
    for period in periods(hour_s, tiers.anchor_s, tiers.period_months, last_s):
        if period.begins or not account.tier_micro_usd:
            account.quantity_gpu_s = account.settled_micro_usd = 0
            account.tier_micro_usd = [Fraction(0)] * len(tiers.prices)
        reached[period.hours] = account.quantity_gpu_s + np.cumsum(taken[period.hours])
        account.quantity_gpu_s = int(reached[period.stop - 1])
        if tiers.mode == "all_units":
            base = tiers.prices[0][1].charge(taken[period.hours], hour_s[period.hours])
            account.settled_micro_usd += int(base.sum())
            for k, (_, price) in enumerate(tiers.prices):
                account.tier_micro_usd[k] += _exact(price, taken[period.hours], hour_s[period.hours])
            if period.last:
                reached_tier = sum(start <= account.quantity_gpu_s for start, _ in tiers.prices) - 1
                due = round(account.tier_micro_usd[reached_tier])
                ends.append((period.stop - 1, due - account.settled_micro_usd))
    if tiers.mode == "all_units":
        contracted = tiers.prices[0][1].charge(taken, hour_s)
        settlement = Line(line.fleet, line.contract, "Adjustment", "tier_settlement")
        return [Rows(line, taken, _listed(terms, taken, contracted, hour_s), contracted),
                single(settlement, [at for at, _ in ends], [amount for _, amount in ends])]
    before, rows = reached - taken, []
    starts = [start for start, _ in tiers.prices]
    for k, ((start, stop), (_, price)) in enumerate(
            zip(pairwise([*starts, np.iinfo(np.int64).max]), tiers.prices, strict=True), start=1):
        part = np.clip(reached, start, stop) - np.clip(before, start, stop)
        contracted = price.charge(part, hour_s)
        own = line if k == 1 else line._replace(clause=f"{line.clause}_tier_{k}")
        rows.append(Rows(own, part, _listed(terms, part, contracted, hour_s), contracted))
    return rows


def _exact(price: Price, gpu_s: "Int64", hour_s: "Int64") -> Fraction:
    return sum((micro_usd_per_gpu_s(value) * int(gpu_s[hours].sum())
                for hours, value in price.segments(hour_s)), start=Fraction(0))
