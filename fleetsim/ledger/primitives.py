"""What every kind of contract is made of. The rating pipeline knows these and no kind by name.

A primitive states terms; it computes nothing. `rank` is its place in the order of application in one
hour: 1 contracts that bring their own capacity, 2 reservations and minimums, 3 spend commitments, 5 price
lists for what is left. A GPU-hour goes to the first contract that covers it and is priced once. Pots
(rank 6) draw on amounts that the others have charged.

The classes have no equality and no text: nobody compares them, and making those methods would take half of
the time in which a file is checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from fleetsim.ledger.price import Price


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Payment:
    """How much of a commitment is paid at its start; the rest is paid month by month."""

    upfront_frac: Decimal = Decimal(0)
    """Of the whole price."""
    upfront_usd_per_gpu: Decimal = Decimal(0)
    """On top of the price per hour."""

    @property
    def ahead(self) -> bool:
        """Whether anything is paid at the start."""
        return bool(self.upfront_frac or self.upfront_usd_per_gpu)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Prices:
    """What a GPU-hour costs, what it costs in public and what it would cost without the commitment.

    The contract's own price is None where it follows from a total.
    """

    own: Price | None
    list: Price | None = None
    contracted: Price | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CapacityCommitment:
    """GPUs paid for every hour of a term, used or not; nothing carries over to the next hour."""

    fleet: str
    prices: Prices
    rank: int = 2
    gpus: int | None = None
    """So many, whether they are there or not; all accepted GPUs that no earlier contract has when None."""
    start_s: int | None = None
    end_s: int | None = None
    term_months: int | None = None
    """Term of each tranche from its acceptance; for all of its time when None."""
    total_usd: Decimal | None = None
    """What is paid over all terms in place of a price; needs `term_months`."""
    payment: Payment = Payment()
    unusable_before_end_s: int = 0
    """Paid for and not usable at the end of the term."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Minimum:
    """A minimum of the committed GPU-hours of each period, taken or paid; what is not taken may be kept."""

    fleet: str
    prices: Prices
    rank: int = 2
    gpus: int | None = None
    """So many, whether they are there or not; all accepted GPUs that no earlier contract has when None."""
    minimum_frac: float = 1.0
    overage: Price | None = None
    """Whole price above the commitment; the own price when None."""
    start_s: int | None = None
    end_s: int | None = None
    term_months: int | None = None
    total_usd: Decimal | None = None
    make_up_months: int = 0
    """Months for which GPU-hours paid and not taken can be taken later; 0 is never."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SpendRate:
    """What one fleet's GPU-hours cost under a spend commitment, and without it."""

    own: Price
    on_demand: Price
    list: Price | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SpendCommitment:
    """Dollars per hour that buy GPU-hours at plan prices; use it or lose it each hour."""

    usd_per_hour: Price
    rates: Mapping[str, SpendRate]
    """By fleet."""
    rank: int = 3
    start_s: int | None = None
    end_s: int | None = None
    payment: Payment = Payment()


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Pot:
    """Dollars that eligible charges are drawn from: paid in advance, or owed if not reached."""

    fleets: tuple[str, ...]
    usd: Decimal
    """Of each period of `period_months`, or of the whole term."""
    prepaid: bool
    """Paid at the start of the period and drawn; otherwise charges are invoiced and a shortfall is due."""
    start_s: int
    end_s: int | None = None
    period_months: int | None = None
    contracts: tuple[str, ...] = ()
    """Contracts whose charges are eligible; all of the fleets' when empty."""
    rank: int = 6


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Tiers:
    """Prices by the quantity of a period: from so many GPU-hours on, so much."""

    prices: tuple[tuple[int, Price], ...]
    """GPU-seconds at which each begins, rising from 0."""
    mode: Literal["graduated", "all_units"]
    period_months: int
    anchor_s: int
    """A period begins here; the others follow."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Market:
    """A price that moves every hour around a level: lognormal, mean 1, correlated in time."""

    stream: str
    cv_frac: float
    correlation_h: float


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RateCard:
    """A price per GPU-hour, for what no commitment covers."""

    fleet: str
    prices: Prices
    rank: int = 5
    tiers: Tiers | None = None
    market: Market | None = None
    running: bool = False
    """Charges rented GPU-hours instead of allocated ones."""
    start_s: int | None = None
    end_s: int | None = None
    charge: Literal["on_demand", "spot"] = "on_demand"
    most_frac: Decimal | None = None
    """At most this share of the fleet's allocated GPU-hours; all that are left when None."""


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class OwnedCost:
    """Hardware of one's own: bought at acceptance, written off over its life, run at a cost."""

    fleet: str
    capex_usd_per_gpu: Decimal
    residual_usd_per_gpu: Decimal
    life_months: int
    usd_per_kwh: Price
    kw_per_gpu: Decimal
    colocation_usd_per_kw_month: Price
    opex_frac_per_year: Decimal
    staff_usd_per_gpu_year: Decimal
    list: Price | None = None
    rank: int = 1


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RevenueShare:
    """A share of revenue that is due beside a contract's price, month by month."""

    share_frac: Decimal
    streams: tuple[str, ...]
    """Revenue streams; all when empty."""
    floor_usd_per_month: Decimal = Decimal(0)
    cap_usd_per_month: Decimal | None = None


Primitive = CapacityCommitment | Minimum | SpendCommitment | Pot | RateCard | OwnedCost


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Termination:
    """The end of a commitment before its time."""

    at_s: int
    fee_frac: Decimal = Decimal(0)
    fee_cap_usd: Decimal | None = None
    discount_frac_per_year: Decimal = Decimal(0)
    refund_frac: Decimal = Decimal(0)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SlaCredits:
    """Credits by uptime of the month: (uptime below which, share of the month's fee), lowest first."""

    brackets: tuple[tuple[Decimal, Decimal], ...]
    cap_frac: Decimal


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class DelayRelief:
    """Credits for a late delivery, per GPU and day of delay."""

    usd_per_gpu_day: Decimal
    grace_days: int
    cap_usd_per_gpu: Decimal | None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Terms:
    """A contract as the ledger rates it: one primitive, and the clauses that act on it."""

    primitive: Primitive
    termination: Termination | None = None
    sla: SlaCredits | None = None
    delay: DelayRelief | None = None
    revenue_share: RevenueShare | None = None


