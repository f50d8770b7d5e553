"""Clauses on what a contract has charged: uptime credits, credits for late delivery, shares of revenue."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.charges import Line, Rows, single
from fleetsim.ledger.contracts.provider_delay import ProviderDelay
from fleetsim.ledger.contracts.sla_credit import SlaCredit
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.money import micro_usd
from fleetsim.ledger.periods import by_month, hour_of, month_number
from fleetsim.ledger.terms import RevenueShare
from fleetsim.timebase import DAY_S, HOUR_S, add_months, epoch_s, instant_of

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]

Revenue = Mapping[str, Mapping[int, int]]
"""By revenue stream and calendar month since January 1970: micro-dollars earned."""


def sla_credits(name: str, terms: SlaCredit, meter: Meter, charged: Sequence[Rows]) -> list[Rows]:
    """Per month: the share of a fleet's usage charges that its uptime gives back.

    Uptime is 1 - GPU-hours lost to failures and outages / GPU-hours rented. Usage charges are the effective
    cost of the GPU-hours of the month, used or not: no fee, no settlement and nothing that lapses.
    """
    lost = meter.usage.lost_gpu_s
    if lost is None:
        return []
    cost = np.zeros_like(meter.hour_s)
    for rows in charged:
        if rows.line.charge_category == "Usage" and rows.line.fleet == meter.usage.fleet:
            cost += rows.by_hour("effective_micro_usd", len(cost))
    places, amounts = [], []
    for month in by_month(meter.hour_s):
        rented = int(meter.usage.committed_gpu_s[month].sum())
        if not rented:
            continue
        share = terms.credit_frac(1 - Fraction(int(lost[month].sum()), rented))
        places.append(month.stop - 1)
        amounts.append(-round(Fraction(share) * int(cost[month].sum())))
    return [single(Line(meter.usage.fleet, name, "Credit", "sla_credit"), places, amounts)]


def delay_credits(name: str, terms: ProviderDelay, meter: Meter) -> list[Rows]:
    """Per tranche, at its acceptance: days beyond the grace x GPUs x the rate, at most the cap per GPU."""
    places, amounts = [], []
    for each in meter.usage.deliveries:
        place = hour_of(each.accepted_s, meter.hour_s)
        if place is None or each.promised_us is None:
            continue
        days = (each.accepted_s - each.promised_us // 1_000_000) // DAY_S
        places.append(place)
        amounts.append(-micro_usd(terms.usd_per_gpu(days) * each.gpus))
    line = Line(meter.usage.fleet, name, "Credit", "delay_credit")
    return [single(line, [place], [amount]) for place, amount in summed(places, amounts)]


def summed(places: list[int], amounts: list[int]) -> list[tuple[int, int]]:
    """One amount per hour, so that a key stands once."""
    return [(place, sum(amount for at, amount in zip(places, amounts, strict=True) if at == place))
            for place in sorted(set(places))]


def revenue_share(name: str, terms: RevenueShare, fleet: str, hour_s: "Int64", revenue: Revenue,
                  end_s: int | None = None) -> list[Rows]:
    """Per month: min(cap, max(floor, share x revenue)), floor and cap in proportion for a part of a month.

    A month in which the contract ends has its part of what was earned, as if that came evenly.
    """
    places, amounts = [], []
    for month in by_month(hour_s):
        first, last = int(hour_s[month.start]), int(hour_s[month.stop - 1]) + HOUR_S
        until = last if end_s is None else min(last, end_s)
        if until <= first:
            break
        number = month_number(first)
        earned = sum(months.get(number, 0) for stream, months in revenue.items()
                     if not terms.streams or stream in terms.streams)
        begins = instant_of(first).replace(day=1, hour=0)
        part = Fraction(until - first, epoch_s(add_months(begins, 1)) - epoch_s(begins))
        share = Fraction(terms.share_frac) * earned * Fraction(until - first, last - first)
        due = max(round(share), round(part * micro_usd(terms.floor_usd_per_month)))
        if terms.cap_usd_per_month is not None:
            due = min(due, round(part * micro_usd(terms.cap_usd_per_month)))
        places.append(month.start + (until - 1 - first) // HOUR_S)
        amounts.append(due)
    return [single(Line(fleet, name, "Adjustment", "revenue_share"), places, amounts)]
