"""Clauses on what a contract has charged: uptime credits, credits for late delivery, shares of revenue."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.capacity import hour_of
from fleetsim.ledger.charges import Line, Rows, single
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.money import micro_usd
from fleetsim.ledger.periods import by_month, month_number
from fleetsim.ledger.primitives import DelayRelief, RevenueShare, SlaCredits

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]

DAY_S = 86_400
Revenue = Mapping[str, Mapping[int, int]]
"""By revenue stream and calendar month since January 1970: micro-dollars earned."""


def sla_credits(name: str, terms: SlaCredits, meter: Meter, charged: Sequence[Rows]) -> list[Rows]:
    """Per month: the share of the fee that its uptime gives back.

    Uptime is 1 - GPU-hours lost to failures and outages / GPU-hours rented; the fee is the month's
    effective cost.
    """
    lost = meter.usage.lost_gpu_s
    if lost is None:
        return []
    places, amounts = [], []
    for month in by_month(meter.hour_s):
        rented = int(meter.usage.committed_gpu_s[month].sum())
        if not rented:
            continue
        uptime = 1 - Fraction(int(lost[month].sum()), rented)
        share = next((share for below, share in terms.brackets if uptime < Fraction(below)), Decimal(0))
        fee = sum(effective_within(rows, month) for rows in charged)
        places.append(month.stop - 1)
        amounts.append(-round(Fraction(min(share, terms.cap_frac)) * fee))
    return [single(Line(meter.usage.fleet, name, "Credit", "sla_credit"), places, amounts)]


def delay_credits(name: str, terms: DelayRelief, meter: Meter) -> list[Rows]:
    """Per tranche, at its acceptance: days beyond the grace x GPUs x the rate, at most the cap per GPU."""
    places, amounts = [], []
    for each in meter.usage.deliveries:
        place = hour_of(each.accepted_s, meter.hour_s)
        if place is None or each.promised_us is None:
            continue
        days = (each.accepted_s - each.promised_us // 1_000_000) // DAY_S - terms.grace_days
        per_gpu = max(days, 0) * terms.usd_per_gpu_day
        if terms.cap_usd_per_gpu is not None:
            per_gpu = min(per_gpu, terms.cap_usd_per_gpu)
        places.append(place)
        amounts.append(-micro_usd(per_gpu * each.gpus))
    line = Line(meter.usage.fleet, name, "Credit", "delay_credit")
    return [single(line, [place], [amount]) for place, amount in summed(places, amounts)]


def summed(places: list[int], amounts: list[int]) -> list[tuple[int, int]]:
    """One amount per hour, so that a key stands once."""
    return [(place, sum(amount for at, amount in zip(places, amounts, strict=True) if at == place))
            for place in sorted(set(places))]


def revenue_share(name: str, terms: RevenueShare, fleet: str, hour_s: "Int64", revenue: Revenue,
                  end_s: int | None = None) -> list[Rows]:
    """Per month that begins before the end: min(cap, max(floor, share x revenue))."""
    places, amounts = [], []
    for month in by_month(hour_s):
        if end_s is not None and hour_s[month.start] >= end_s:
            break
        number = month_number(int(hour_s[month.start]))
        earned = sum(months.get(number, 0) for stream, months in revenue.items()
                     if not terms.streams or stream in terms.streams)
        due = max(round(Fraction(terms.share_frac) * earned), micro_usd(terms.floor_usd_per_month))
        if terms.cap_usd_per_month is not None:
            due = min(due, micro_usd(terms.cap_usd_per_month))
        places.append(month.stop - 1)
        amounts.append(due)
    return [single(Line(fleet, name, "Adjustment", "revenue_share"), places, amounts)]


def effective_within(rows: Rows, hours: slice) -> int:
    """Effective micro-dollars of the rows in some hours of the block."""
    amounts = rows.amounts()["effective_micro_usd"]
    if rows.at is None:
        return int(amounts[hours].sum())
    return int(amounts[(rows.at >= hours.start) & (rows.at < hours.stop)].sum())
