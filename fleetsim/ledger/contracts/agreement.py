"""What every kind may carry: clauses on price, term, uptime and delivery, and how they become terms."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Literal

from fleetsim.ledger.price import Price, next_hour, seconds_of
from fleetsim.ledger.primitives import (
    CapacityCommitment,
    DelayRelief,
    Minimum,
    Payment,
    Pot,
    Prices,
    Primitive,
    RevenueShare,
    SlaCredits,
    SpendCommitment,
    Termination,
    Terms,
)
from fleetsim.model.base import FILE_CONFIG, Dated
from fleetsim.timebase import add_months
from fleetsim.units import (
    DaysCount,
    ExactFraction,
    Months,
    Usd,
    UsdPerGpu,
    UsdPerGpuHour,
    UtcTime,
    YearlyRate,
)

LONGEST = timedelta(days=36_525)
"""Clauses that repeat stop after a century."""


@dataclass(frozen=True)
class Escalator:
    """A price that rises by the same share at every anniversary: p0 (1 + e)^k."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    frac_per_step: YearlyRate
    """Rise at each step, as a share of the price."""
    start: UtcTime
    """The first step comes `every_months` later."""
    every_months: Months = 12
    """Months between two steps."""


@dataclass(frozen=True)
class MostFavoured:
    """A market price that declines, p exp(-lambda t), and resets of the contract's price to it."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    market_usd_per_gpu_hour: UsdPerGpuHour
    """The market's price at `start`."""
    decline_per_year: YearlyRate
    """lambda, per year of 8,760 h."""
    start: UtcTime
    """From here the market's price declines."""
    every_months: Months = 12
    """A reset comes every so many months after `start`."""
    of_market_frac: YearlyRate = Decimal(1)
    """At a reset the price becomes min(price, this x market)."""


@dataclass(frozen=True)
class EarlyTermination:
    """The commitment is ended before its time: fee = share of what is still owed, at most a cap."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    date: UtcTime
    """When it ends."""
    fee_frac: ExactFraction = Decimal(0)
    """Share of the payments still due that is paid as a fee."""
    fee_cap_usd: Usd | None = None
    """The fee is at most this."""
    discount_frac_per_year: YearlyRate = Decimal(0)
    """Payments still due are discounted at this rate; not by default."""
    refund_frac: ExactFraction = Decimal(0)
    """Share of the unused prepayment that is given back; the rest lapses."""
    minimum_term_months: Months | None = None
    """It cannot be ended earlier than so many months after its start."""


@dataclass(frozen=True)
class SlaBracket:
    """A credit below an uptime."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    uptime_below_frac: ExactFraction
    """Uptime of the month below which it is due."""
    credit_frac: ExactFraction
    """Share of the month's fee."""


@dataclass(frozen=True)
class SlaCredit:
    """Credits for missed uptime, as a share of the month's fee."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    brackets: tuple[SlaBracket, ...]
    """Credits by uptime; the lowest uptime that is missed counts."""
    cap_frac: ExactFraction = Decimal(1)
    """At most this share of the fee."""


@dataclass(frozen=True)
class ProviderDelay:
    """Credits for tranches that are accepted later than promised."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    credit_usd_per_gpu_day: UsdPerGpu
    """Per GPU and whole day of delay."""
    grace_days: DaysCount = 0
    """Days of delay without a credit."""
    cap_usd_per_gpu: UsdPerGpu | None = None
    """At most so much per GPU."""


@dataclass(frozen=True)
class PaymentSchedule:
    """When a commitment is paid: a part at its start, the rest month by month."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    upfront_frac: ExactFraction = Decimal(0)
    """Share of the whole price that is paid at the start: 0 no upfront, 1 all upfront."""
    upfront_usd_per_gpu: UsdPerGpu = Decimal(0)
    """Paid per GPU at the start, on top of the price per hour."""

    @property
    def ahead(self) -> bool:
        """Whether anything is paid at the start."""
        return bool(self.upfront_frac or self.upfront_usd_per_gpu)

    def payment(self) -> Payment:
        """As the ledger takes it."""
        return Payment(upfront_frac=self.upfront_frac, upfront_usd_per_gpu=self.upfront_usd_per_gpu)


MONTHLY = PaymentSchedule()
"""Nothing is paid ahead."""


@dataclass(frozen=True, kw_only=True)
class Agreement(ABC):
    """Clauses that any kind of contract may carry."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    kind: ClassVar[str]
    bills: ClassVar[Literal["committed", "allocated"]]

    escalator: Escalator | None = None
    """A yearly rise of the price."""
    most_favoured: MostFavoured | None = None
    """Resets of the price to a declining market's."""
    termination: EarlyTermination | None = None
    """An end before its time."""
    sla: SlaCredit | None = None
    """Credits for missed uptime."""
    delay_relief: ProviderDelay | None = None
    """Credits for late delivery."""

    @property
    @abstractmethod
    def fleets(self) -> tuple[str, ...]:
        """The fleets that it bills."""

    @property
    def commits(self) -> str:
        """What it commits: gpu_hours, usd or nothing."""
        match self.primitive():
            case CapacityCommitment() | Minimum():
                return "gpu_hours"
            case SpendCommitment() | Pot():
                return "usd"
        return "nothing"

    @property
    def capital_charge_usd_per_gpu_hour(self) -> float | None:
        """Cost of capital beyond depreciation; None where no hardware is bought."""
        return None

    @abstractmethod
    def primitive(self) -> Primitive:
        """The primitive that the kind is made of."""

    def revenue_share_terms(self) -> RevenueShare | None:
        """A share of revenue that is due beside the price; none by default."""
        return None

    def terms(self) -> Terms:
        """How the ledger rates it."""
        ended, sla, delay = self.termination, self.sla, self.delay_relief
        return Terms(
            primitive=self.primitive(),
            termination=None if ended is None else Termination(
                at_s=seconds_of(ended.date), fee_frac=ended.fee_frac, fee_cap_usd=ended.fee_cap_usd,
                refund_frac=ended.refund_frac, discount_frac_per_year=ended.discount_frac_per_year),
            sla=None if sla is None else SlaCredits(cap_frac=sla.cap_frac, brackets=tuple(sorted(
                (bracket.uptime_below_frac, bracket.credit_frac) for bracket in sla.brackets))),
            delay=None if delay is None else DelayRelief(
                usd_per_gpu_day=delay.credit_usd_per_gpu_day, grace_days=delay.grace_days,
                cap_usd_per_gpu=delay.cap_usd_per_gpu),
            revenue_share=self.revenue_share_terms(),
        )

    def price(self, dated: "Dated[Decimal]") -> Price:
        """A price with the clauses that move it, in order of time; at one instant a step, a rise, a reset."""
        base = dict(Price.of(dated).steps)
        if self.escalator is None and self.most_favoured is None:
            return Price(tuple(base.items()))
        changes: list[tuple[int, int, Decimal]] = [(second, 0, value) for second, value in base.items()]
        if self.escalator is not None:
            for date in _every(self.escalator.start, self.escalator.every_months):
                changes.append((seconds_of(date), 1, 1 + self.escalator.frac_per_step))
        if self.most_favoured is not None:
            for date in _every(self.most_favoured.start, self.most_favoured.every_months):
                changes.append((seconds_of(date), 2, _market(self.most_favoured, date)))
        price, risen = next(iter(base.values())), Decimal(1)
        steps = {min(changes)[0] - 1: price}  # what holds before the first change
        for second, what, value in sorted(changes):
            if what == 0:
                price = value * risen
            elif what == 1:
                risen, price = risen * value, price * value
            else:
                price = min(price, value)
            steps[next_hour(second)] = _to_a_billionth(price)
        kept: list[tuple[int, Decimal]] = []
        for second, value in steps.items():
            if not kept or kept[-1][1] != value:
                kept.append((second, value))
        return Price(tuple(kept))


@dataclass(frozen=True, kw_only=True)
class FleetAgreement(Agreement):
    """A contract for the GPU-hours of one fleet."""

    fleet: str
    """Fleet whose GPU-hours are billed."""
    list_usd_per_gpu_hour: Dated[UsdPerGpuHour] | None = None
    """Public price, for comparison; the contracted price by default."""
    contracted_usd_per_gpu_hour: Dated[UsdPerGpuHour] | None = None
    """Negotiated price without a commitment, which savings are measured against; the public price, or the
    price itself, by default."""

    @property
    def fleets(self) -> tuple[str, ...]:
        """The fleet that it bills."""
        return (self.fleet,)

    def prices(self, own: "Dated[Decimal] | None") -> Prices:
        """Own, public and negotiated price."""
        public, negotiated = self.list_usd_per_gpu_hour, self.contracted_usd_per_gpu_hour
        return Prices(
            own=None if own is None else self.price(own),
            list=None if public is None else Price.of(public),
            contracted=None if negotiated is None else Price.of(negotiated),
        )


def discounted(dated: "Dated[Decimal]", discount_frac: Decimal) -> "Dated[Decimal]":
    """A price less a share of it, at every date."""
    if isinstance(dated, Mapping):
        return {date: value * (1 - discount_frac) for date, value in dated.items()}
    return dated * (1 - discount_frac)


def term_s(start: datetime | None, end: datetime | None, months: int | None) -> tuple[int | None, int | None]:
    """First and last second of a term with a start and an end, or so many months from the start."""
    if end is None and start is not None and months is not None:
        end = add_months(start, months)
    return tuple(None if each is None else seconds_of(each) for each in (start, end))  # type: ignore[return-value]  # two


def check_term(start: datetime | None, end: datetime | None, months: int | None = None) -> None:
    """ValueError when a term ends before it starts, or has two ends."""
    if start is not None and end is not None and end <= start:
        raise ValueError("the term ends before it starts")
    if end is not None and months is not None:
        raise ValueError("give end or term_months, one of the two")


def _every(start: datetime, months: int) -> list[datetime]:
    found: list[datetime] = []
    while not found or (found[-1] < start + LONGEST and found[-1].year < 9_000):
        found.append(add_months(start, months * (len(found) + 1)))
    return found


def _to_a_billionth(price: Decimal) -> Decimal:
    """Nine decimals; a price that has risen beyond all bounds after decades keeps its 28 digits."""
    return (price.quantize(Decimal("0.000000001")) if price < 10**15 else price).normalize()


def _market(terms: MostFavoured, date: datetime) -> Decimal:
    """What the market asks at a date, times the share that the clause names."""
    years = (date - terms.start) / timedelta(hours=8_760)
    market = float(terms.market_usd_per_gpu_hour) * math.exp(-float(terms.decline_per_year) * years)
    return Decimal(repr(market)) * terms.of_market_frac
