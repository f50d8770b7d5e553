"""Stretches: hours in which the same orders serve, and the load-duration curve of each.

Committed capacity fills a stretch's curve from below. A layer of it is needed in so many hours; what a
layer saves per GPU is what those hours would cost on spot or at the price list. That makes the cost of a
year a convex function of one number per stretch, whatever the number of hours. Hours of like demand form
groups, which are split where the answer needs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.experiments.orders import Order, Rest
from fleetsim.ledger.contracts.capacity_block import CapacityBlock
from fleetsim.ledger.meter import seconds_within
from fleetsim.timebase import EPOCH, HOUR_S, YEAR_H, add_months, epoch_s

if TYPE_CHECKING:
    Floats = np.ndarray[Any, np.dtype[np.float64]]
    Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Demand:
    """GPUs required by hour, and what a dollar of each hour is worth at the start."""

    hour_s: "Ints"
    """Start of each hour, seconds since 1970."""
    gpus: "Floats"
    rate: float = 0.0
    """Yearly discount rate."""

    @property
    def start(self) -> datetime:
        """First instant."""
        return EPOCH + timedelta(seconds=int(self.hour_s[0]))

    @property
    def end(self) -> datetime:
        """Last instant, exclusive."""
        return EPOCH + timedelta(seconds=int(self.hour_s[-1]) + HOUR_S)

    @property
    def worth(self) -> "Floats":
        """Discount factor of each hour."""
        hours = (self.hour_s - self.hour_s[0]) / HOUR_S
        worth: Floats = (1 + self.rate) ** (-hours / YEAR_H)
        return worth

    def paid(self, order: Order) -> "Floats":
        """Share of each hour that lies in an order's term."""
        return self._within(order.start, order.end)

    def served(self, order: Order) -> "Floats":
        """Share of each hour in which an order serves: a capacity block ends before its term."""
        early = CapacityBlock.ends_early_s if order.offer.kind == "capacity_block" else 0.0
        return self._within(order.start, None if order.end is None else order.end - timedelta(seconds=early))

    def _within(self, start: datetime, end: datetime | None) -> "Floats":
        return seconds_within(self.hour_s, epoch_s(start),
                              None if end is None else epoch_s(end)) / HOUR_S


@dataclass(frozen=True)
class Layers:
    """A stretch's load-duration curve from below."""

    width: "Floats"
    """GPUs of each layer."""
    list_hours: "Floats"
    """Hours in which the price list serves the layer when nothing else does."""
    spot_hours: "Floats"
    """Hours in which spot does."""
    saved_usd: "Floats"
    """What one GPU of the layer saves."""

    @property
    def needed(self) -> "Floats":
        """Hours in which each layer is needed."""
        return self.list_hours + self.spot_hours


@dataclass(frozen=True)
class Stretch:
    """A run of hours with the same orders in service, in the same period and at the same prices."""

    hours: slice
    served: "Floats"
    """By order: share of each hour in which it serves."""
    list_usd: float | None
    """Price of the price list; None where there is none."""
    spot_usd: float | None
    spot_frac: float
    """Share of the GPUs that can be on spot."""
    gpus: "Floats"
    """Required GPUs, rising."""
    worth: "Floats"
    """Discount factor of each of them."""

    def groups(self, most: int) -> "Ints":
        """First hours of so many groups of like demand, or of every hour."""
        count = len(self.gpus)
        return np.unique(np.linspace(0, count, min(most, count), endpoint=False).astype(np.int64))

    def refined(self, starts: "Ints", committed: Sequence[float], parts: int) -> "Ints":
        """The groups, those in whose range a level of committed GPUs falls in so many parts."""
        stops = np.append(starts[1:], len(self.gpus))
        split = np.zeros(len(starts), dtype=bool)
        for share in {1.0, 1.0 - self.spot_frac}:
            low, high = self.gpus[starts] * share, self.gpus[stops - 1] * share
            for level in committed:
                split |= (low < level * (1 + 1e-12)) & (high > level * (1 - 1e-12)) & (high > low)
        inner = [np.linspace(left, right, min(parts, right - left), endpoint=False).astype(np.int64)
                 for left, right in zip(starts[split].tolist(), stops[split].tolist(), strict=True)]
        return np.unique(np.concatenate([starts, *inner]))

    def layers(self, starts: "Ints") -> Layers:
        """The curve of groups of hours, each with the mean of its demand.

        Costs are convex in demand, so that means make them lower, never higher; and they are exact where
        no group lies on both sides of what is committed.
        """
        counts = np.diff(np.append(starts, len(self.gpus))).astype(np.float64)
        value = np.add.reduceat(self.worth, starts)
        gpus = np.add.reduceat(self.gpus * self.worth, starts) / value
        kept = gpus * (1 - self.spot_frac)
        levels = np.unique(np.concatenate([gpus, kept]))
        levels = levels[levels > 0]
        every, every_worth = _at_least(gpus, counts, levels), _at_least(gpus, value, levels)
        lists, lists_worth = _at_least(kept, counts, levels), _at_least(kept, value, levels)
        saved = lists_worth * (self.list_usd or 0.0) + (every_worth - lists_worth) * (self.spot_usd or 0.0)
        return Layers(np.diff(levels, prepend=0.0), lists, every - lists, saved)


def stretches_of(demand: Demand, served: "Floats", rest: Rest, spot_max_frac: float,
                 cuts: "Ints | None" = None) -> list[Stretch]:
    """The demand in stretches; `cuts` numbers hours that must not share one (months, periods)."""
    list_usd, spot_usd = list_prices(demand, rest.lists), list_prices(demand, rest.spot)
    keys = np.vstack([served, np.nan_to_num(list_usd, posinf=-1.0), np.nan_to_num(spot_usd, posinf=-1.0),
                      np.zeros(len(demand.gpus)) if cuts is None else cuts])
    changes = np.flatnonzero((np.diff(keys, axis=1) != 0).any(axis=0)) + 1
    found = []
    for left, right in pairwise([0, *changes.tolist(), len(demand.gpus)]):
        hours = slice(left, right)
        order = np.argsort(demand.gpus[hours], kind="stable")
        listed, on_spot = float(list_usd[left]), float(spot_usd[left])
        found.append(Stretch(
            hours, served[:, left], listed if np.isfinite(listed) else None,
            on_spot if np.isfinite(on_spot) else None, spot_max_frac if np.isfinite(on_spot) else 0.0,
            demand.gpus[hours][order], demand.worth[hours][order]))
    return found


def _at_least(values: "Floats", weights: "Floats", levels: "Floats") -> "Floats":
    """For each level: the weight of the rising values that reach it."""
    from_here = np.append(np.cumsum(weights[::-1])[::-1], 0.0)
    reached: Floats = from_here[np.searchsorted(values, levels)]
    return reached


def list_prices(demand: Demand, orders: Sequence[Order]) -> "Floats":
    """The price of the list that holds in each hour; infinite where none does."""
    prices = np.full(len(demand.gpus), np.inf)
    for order in orders:
        prices[demand.hour_s >= epoch_s(order.start)] = float(order.offer.usd_per_gpu_hour)
    return prices


def period_numbers(demand: Demand, anchor: datetime, months: int) -> "Ints":
    """By hour: the number of its period, when one begins at `anchor` and after every so many months."""
    starts, date = [epoch_s(anchor)], anchor
    while date < demand.end:
        date = add_months(anchor, months * len(starts))
        starts.append(epoch_s(date))
    return np.searchsorted(np.array(starts), demand.hour_s, side="right").astype(np.int64)


def month_numbers(demand: Demand) -> "Ints":
    """By hour: the number of its calendar month."""
    first = demand.start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return period_numbers(demand, first, 1)
