"""What a stream of revenue or a cost amounts to over a part of a calendar month, exactly."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from fleetsim.ledger.levels import mean, pieces
from fleetsim.ledger.recorded_month import RecordedMonth
from fleetsim.model.base import Dated
from fleetsim.model.costs import Cost, Staff, Tasks
from fleetsim.model.revenue import Interpolation, Stream, StreamShare, Subscription, TokenRevenue

if TYPE_CHECKING:
    import numpy as np

    Int64 = np.ndarray[Any, np.dtype[np.int64]]
    Floats = np.ndarray[Any, np.dtype[np.float64]]

MILLION = 1_000_000
MONTHS_OF_A_YEAR = 12


@dataclass(frozen=True)
class Served:
    """What a run served in one period: tokens by class and hour, and what rate limits leave of payers."""

    hour_us: "Int64"
    """Start of each hour, microseconds since 1970, rising."""
    prompt_tokens: "Mapping[str, Floats]" = field(default_factory=dict)
    """By traffic class: tokens read of served messages, one value per hour."""
    output_tokens: "Mapping[str, Floats]" = field(default_factory=dict)
    """By traffic class: tokens written, likewise."""
    payers_factor: Mapping[str, float] = field(default_factory=dict)
    """By subscription: mean factor that rate limits put on its payers; 1 where there is none."""


class Amount(NamedTuple):
    """Dollars, unrounded, and the quantity that they were paid for."""

    usd: Fraction
    quantity: float | None = None
    unit: str = ""


def earned(streams: Mapping[str, Stream], name: str, period: RecordedMonth, served: Served) -> Amount:
    """What a stream earns in a period; what is paid away is negative."""
    stream = streams[name]
    if isinstance(stream, Subscription):
        return _subscription(stream, period, Fraction(served.payers_factor.get(name, 1.0)))
    if isinstance(stream, TokenRevenue):
        return _tokens(stream, period, served)
    if isinstance(stream, StreamShare):
        return _share(streams, stream, period, served)
    return Amount(_monthly(stream.usd_per_month, stream.interpolation, period))


def spent(cost: Cost, period: RecordedMonth) -> Amount:
    """What a cost takes in a period."""
    if isinstance(cost, Staff):
        usd, heads = _priced(cost.headcount, cost.interpolation, cost.usd_per_head_per_year, period)
        return Amount(usd / MONTHS_OF_A_YEAR, float(heads), "head")
    if isinstance(cost, Tasks):
        usd, tasks = _priced(cost.tasks_per_month, cost.interpolation, cost.usd_per_task, period)
        return Amount(usd, float(tasks * period.part), "task")
    return Amount(_monthly(cost.usd_per_month, cost.interpolation, period))


def _monthly(usd_per_month: "Dated[Any]", interpolation: Interpolation, period: RecordedMonth) -> Fraction:
    return mean(usd_per_month, interpolation, period.start_us, period.end_us) * period.part


def _priced(level: "Dated[Any]", interpolation: Interpolation, price: "Dated[Any]",
            period: RecordedMonth) -> tuple[Fraction, Fraction]:
    """A level x a price that is due per calendar month, and the mean level of the period."""
    usd = Fraction(0)
    for left, right, held in pieces(price, period.start_us, period.end_us):
        usd += mean(level, interpolation, left, right) * Fraction(held) * (right - left)
    return usd / period.month_us, mean(level, interpolation, period.start_us, period.end_us)


def _subscription(stream: Subscription, period: RecordedMonth, kept: Fraction) -> Amount:
    """Payers x price; the payers are moved by the price of each piece, and by rate limits."""
    usd, payers = Fraction(0), Fraction(0)
    for left, right, price in pieces(stream.usd_per_month, period.start_us, period.end_us):
        moved = Fraction(stream.price_factor(float(price))) * kept
        piece = mean(stream.subscribers, stream.interpolation, left, right) * moved * (right - left)
        payers += piece
        usd += piece * Fraction(price)
    return Amount(usd / period.month_us, float(payers / period.length_us), "subscriber")


def _tokens(stream: TokenRevenue, period: RecordedMonth, served: Served) -> Amount:
    """Whole tokens of each price x that price."""
    usd, sold = Fraction(0), 0
    for by_class, prices in ((served.prompt_tokens, stream.usd_per_million_prompt_tokens),
                             (served.output_tokens, stream.usd_per_million_output_tokens)):
        for left, right, price in pieces(prices, period.start_us, period.end_us):
            # An hour has the price that holds when it starts.
            first, last = served.hour_us.searchsorted([left, right]).tolist()
            for name in stream.traffic_classes:
                tokens = round(math.fsum(by_class[name][first:last].tolist()))
                usd += tokens * Fraction(price) / MILLION
                sold += tokens
    return Amount(usd, float(sold), "token")


def _share(streams: Mapping[str, Stream], share: StreamShare, period: RecordedMonth,
           served: Served) -> Amount:
    """The share of the other streams, between floor and cap; negative when it is paid away."""
    usd = Fraction(0)
    for left, right, frac in pieces(share.share_frac, period.start_us, period.end_us):
        for name in share.streams:
            usd += _within(streams, name, period, left, right, served) * Fraction(frac)
    if share.min_usd_per_month is not None:
        usd = max(usd, Fraction(share.min_usd_per_month) * period.part)
    if share.max_usd_per_month is not None:
        usd = min(usd, Fraction(share.max_usd_per_month) * period.part)
    return Amount(usd if share.direction == "received" else -usd)


def _within(streams: Mapping[str, Stream], name: str, period: RecordedMonth, left: int, right: int,
            served: Served) -> Fraction:
    """What a stream earns in [left, right) of a period."""
    return earned(streams, name, period if (left, right) == (period.start_us, period.end_us)
                  else RecordedMonth(left, right), served).usd
