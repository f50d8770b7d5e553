"""Orders: when an offer could be signed, from when to when it would serve, and the contract it becomes."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from fleetsim.ledger.contracts import (
    Agreement,
    CapacityBlock,
    OnDemand,
    Reserved,
    SavingsPlan,
    Spot,
    TakeOrPay,
    VolumeTiers,
)
from fleetsim.ledger.contracts.payment_schedule import PaymentSchedule
from fleetsim.ledger.contracts.savings_plan import PlanRate
from fleetsim.ledger.contracts.volume_tiers import Tier
from fleetsim.ledger.money import MICRO
from fleetsim.model.contract import Offer
from fleetsim.output.decision import last_instant
from fleetsim.timebase import EPOCH, YEAR_H, add_months

MONTH_H = 730
"""Hours of a twelfth of a year."""
HOUR = timedelta(hours=1)
MOST_MONTHS_APART = 3
"""Between the dates on which orders are looked at, unless said otherwise."""


@dataclass(frozen=True)
class Order:
    """An offer signed on one date. Its size is whole units: GPUs, or micro-dollars an hour of a plan."""

    offer_name: str
    offer: Offer
    signed: datetime
    start: datetime
    """First instant at which it serves."""
    end: datetime | None
    """End of its term; None where it has none."""

    @property
    def name(self) -> str:
        """The offer and the date of the order."""
        return f"{self.offer_name}-{self.signed:%Y-%m-%d}"

    @property
    def in_dollars(self) -> bool:
        """Whether its size is dollars an hour."""
        return self.offer.kind == "savings_plan"

    @property
    def units_per_gpu(self) -> float:
        """Units that serve one GPU."""
        return float(self.offer.usd_per_gpu_hour) * MICRO if self.in_dollars else 1.0

    @property
    def smallest(self) -> int:
        """Units of the smallest order."""
        if self.in_dollars:
            return round(self.offer.min_gpus * self.units_per_gpu) if self.offer.min_gpus > 1 else 0
        return -(-self.offer.min_gpus // self.offer.block_gpus) * self.offer.block_gpus

    @property
    def largest(self) -> int | None:
        """Units of the largest order; None without a limit."""
        most = self.offer.max_gpus
        if most is None:
            return None
        return int(most * self.units_per_gpu) if self.in_dollars else most - most % self.offer.block_gpus

    @property
    def term_h(self) -> float | None:
        """Hours of the term."""
        return None if self.end is None else (self.end - self.start) / timedelta(hours=1)

    @property
    def upfront_usd_per_gpu(self) -> float:
        """What is paid per GPU when the term starts."""
        if self.term_h is None:
            return 0.0
        share = 1.0 if self.offer.kind == "capacity_block" else float(self.offer.upfront_frac)
        of_price = share * float(self.offer.usd_per_gpu_hour) * self.term_h
        return of_price + float(self.offer.upfront_usd_per_gpu)

    @property
    def usd_per_gpu_hour(self) -> float:
        """Effective price of a committed GPU-hour: everything that is paid, over the hours of the term."""
        price = float(self.offer.usd_per_gpu_hour)
        return price if self.term_h is None else price + float(self.offer.upfront_usd_per_gpu) / self.term_h

    def level_factor(self, rate: float) -> float:
        """Level rate / effective price: NPV(payments) / NPV(GPU-hours) over the term, at a yearly rate.

        1 where nothing is paid ahead: each hour is paid when it is used.
        """
        ahead = self.upfront_usd_per_gpu
        if not ahead or not rate or self.term_h is None or not self.usd_per_gpu_hour:
            return 1.0
        hourly = math.pow(1 + rate, -1 / YEAR_H)
        hours = (1 - math.pow(hourly, self.term_h)) / (1 - hourly)
        recurring = self.usd_per_gpu_hour - ahead / self.term_h
        return (ahead / hours + recurring) / self.usd_per_gpu_hour

    def contract(self, fleet: str, units: int, *, by_month: bool = False) -> Agreement:
        """What signing so many units gives; `by_month` pays the price month by month, at the same cost."""
        offer = self.offer
        payment = PaymentSchedule(upfront_frac=Decimal(0) if by_month else offer.upfront_frac,
                                  upfront_usd_per_gpu=offer.upfront_usd_per_gpu)
        shared: dict[str, Any] = {"fleet": fleet, "list_usd_per_gpu_hour": offer.list_usd_per_gpu_hour,
                                  "usd_per_gpu_hour": offer.usd_per_gpu_hour}
        match offer.kind:
            case "reserved":
                return Reserved(**shared, gpus=units, start=self.start, term_months=offer.term_months,
                                payment=payment)
            case "take_or_pay":
                return TakeOrPay(**shared, gpus=units, start=self.start, term_months=offer.term_months,
                                 minimum_frac=offer.minimum_frac)
            case "capacity_block":
                assert self.end is not None, "a block has a term"
                return CapacityBlock(**shared, gpus=units, start=self.start, end=self.end)
            case "savings_plan":
                assert offer.list_usd_per_gpu_hour is not None, "checked when the offer was made"
                rate = PlanRate(on_demand_usd_per_gpu_hour=offer.list_usd_per_gpu_hour,
                                usd_per_gpu_hour=offer.usd_per_gpu_hour)
                return SavingsPlan(usd_per_hour=Decimal(units) / MICRO, rates={fleet: rate},
                                   start=self.start, term_months=offer.term_months, payment=payment)
        raise AssertionError(f"{offer.kind} has no size")


@dataclass(frozen=True)
class Rest:
    """What bills the GPU-hours that no commitment covers: price lists one after the other, and spot.

    At any instant one price list holds, and of the spot offers the cheapest.
    """

    lists: tuple[Order, ...]
    """On demand or in tiers, each until the next one starts; in order of time."""
    spot: tuple[Order, ...] = ()
    """The same for spot."""

    @property
    def tiers(self) -> Order | None:
        """The list that has tiers."""
        return next((order for order in self.lists if order.offer.kind == "volume_tiers"), None)

    def contracts(self, fleet: str, spot_max_frac: float) -> dict[str, Agreement]:
        """The contracts by offer."""
        found: dict[str, Agreement] = {}
        for orders in (self.lists, self.spot):
            for order, end in _with_ends(orders):
                found[order.offer_name] = _elastic(order, end, fleet, spot_max_frac)
        return found


def _elastic(order: Order, end: datetime | None, fleet: str, spot_max_frac: float) -> Agreement:
    offer = order.offer
    if offer.kind == "volume_tiers":
        tiers = (Tier(0, offer.usd_per_gpu_hour),
                 *(Tier(tier.from_gpu_hours, tier.usd_per_gpu_hour) for tier in offer.tiers))
        return VolumeTiers(fleet=fleet, tiers=tiers, mode=offer.tier_mode, start=order.start,
                           period_months=offer.tier_period_months,
                           list_usd_per_gpu_hour=offer.list_usd_per_gpu_hour)
    shared: dict[str, Any] = {"fleet": fleet, "usd_per_gpu_hour": offer.usd_per_gpu_hour, "end": end,
                              "start": order.start, "list_usd_per_gpu_hour": offer.list_usd_per_gpu_hour}
    if offer.kind == "spot":
        return Spot(**shared, share_frac=Decimal(str(spot_max_frac)))
    return OnDemand(**shared)


def _with_ends(orders: Sequence[Order]) -> list[tuple[Order, datetime | None]]:
    return [(order, orders[place + 1].start if place + 1 < len(orders) else None)
            for place, order in enumerate(orders)]


def months_apart(offers: Iterable[Offer]) -> int:
    """Months between the dates of orders: 3, or the shortest term on offer, so that it can be renewed."""
    return min(MOST_MONTHS_APART, *(offer.term_months or MOST_MONTHS_APART for offer in offers))


def order_dates(start: datetime, end: datetime, every_months: int) -> list[datetime]:
    """The dates before `end` on which orders are looked at: `start` and then every so many months."""
    dates = [start]
    while every_months and (date := add_months(start, every_months * len(dates))) < end:
        dates.append(date)
    return dates


def orders_of(offers: Mapping[str, Offer], dates: Sequence[datetime], end: datetime) -> list[Order]:
    """Every order on one of the dates that could serve before `end`.

    An offer serves its lead time after the order, and cannot be signed after the day it expires on.
    Price lists are signed once, on the first date, and bill from the next whole hour on: one list an hour.
    """
    found = []
    for name, offer in offers.items():
        for signed in dates if offer.commits else dates[:1]:
            serves = signed + timedelta(days=offer.lead_time_days)
            if not offer.commits:
                serves += (EPOCH - serves) % HOUR
            expired = offer.expires is not None and signed >= last_instant(offer.expires)
            if serves < end and not expired:
                until = None if offer.term_months is None else add_months(serves, offer.term_months)
                found.append(Order(name, offer, signed, serves, until))
    return found


def rests_of(orders: Sequence[Order], spot_max_frac: float) -> list[Rest]:
    """Every way to bill what no commitment covers; the first has no tiers.

    With tiers: the cheapest lists until the tiers start, then those alone.
    """
    spots = [order for order in orders if order.offer.kind == "spot"] if spot_max_frac > 0 else []
    lists = [order for order in orders if order.offer.kind == "on_demand"]
    tiered = [order for order in orders if order.offer.kind == "volume_tiers"]
    cheapest, spot = _one_at_a_time(lists), _one_at_a_time(spots)
    found = [Rest(cheapest, spot)]
    if spot and any(low.offer.usd_per_gpu_hour <= high.offer.usd_per_gpu_hour
                    for low in cheapest for high in spot):
        found.append(Rest(cheapest))
    for order in tiered:
        before = tuple(each for each in cheapest if each.start < order.start)
        lowest = min(tier.usd_per_gpu_hour for tier in order.offer.tiers)
        cheap = bool(spot) and all(each.offer.usd_per_gpu_hour < lowest for each in spot)
        found += [Rest((*before, order), each) for each in dict.fromkeys((spot,) if cheap else (spot, ()))]
    return found


def _one_at_a_time(orders: Sequence[Order]) -> tuple[Order, ...]:
    """The orders that are the cheapest from their start on, in order of time."""
    kept: list[Order] = []
    for order in sorted(orders, key=lambda each: (each.start, each.offer.usd_per_gpu_hour, each.offer_name)):
        if not kept or order.offer.usd_per_gpu_hour < kept[-1].offer.usd_per_gpu_hour:
            kept = [each for each in kept if each.start < order.start]
            kept.append(order)
    return tuple(kept)
