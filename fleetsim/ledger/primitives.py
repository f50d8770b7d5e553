"""What every kind of contract is made of. The rating pipeline knows these and no kind by name.

A primitive states terms; it computes nothing. `rank` and `preference` are its place in the order of
application (`fleetsim.ledger.order`). Clauses that act on any of them: `fleetsim.ledger.terms`.

The classes have no equality and no text: nobody compares them, and making those methods would take half of
the time in which a file is checked.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.payment_schedule import MONTHLY, PaymentSchedule
from fleetsim.ledger.order import Preference, Rank
from fleetsim.ledger.price import Price


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Prices:
    """What a GPU-hour costs, what it costs in public and what it would cost without the commitment.

    The contract's own price is None where it follows from a total.
    """

    own: Price | None
    list: Price | None = None
    contracted: Price | None = None

    @property
    def first(self) -> Decimal:
        """The own price at the beginning; 0 where it follows from a total."""
        return Decimal(0) if self.own is None else self.own.first


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class CapacityCommitment:
    """GPUs paid for every hour of a term, used or not; nothing carries over to the next hour."""

    fleet: str
    prices: Prices
    rank: Rank = Rank.RESERVATION
    gpus: int | None = None
    """So many, whether they are there or not; the fleet's tranches when None."""
    start_s: int | None = None
    end_s: int | None = None
    term_months: int | None = None
    """Term of each tranche from its acceptance; for all of its time when None."""
    total_usd: Decimal | None = None
    """What is paid over all terms in place of a price; needs `term_months`."""
    payment: PaymentSchedule = MONTHLY
    unusable_before_end_s: int = 0
    """Paid for and not usable at the end of the term."""

    @property
    def preference(self) -> Preference:
        """A number of GPUs first, then the cheaper."""
        return Preference(self.gpus is None, price=self.prices.first)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Minimum:
    """A minimum of the committed GPU-hours of each month, taken or paid; what is not taken may be kept."""

    fleet: str
    prices: Prices
    rank: ClassVar = Rank.RESERVATION
    gpus: int | None = None
    """So many, whether they are there or not; the fleet's tranches when None."""
    minimum_frac: float = 1.0
    overage: Price | None = None
    """Whole price above the commitment; when None, no more than is committed can be taken in an hour."""
    start_s: int | None = None
    end_s: int | None = None
    term_months: int | None = None
    total_usd: Decimal | None = None
    make_up_months: int = 0
    """Months for which GPU-hours paid and not taken can be taken later; 0 is never."""

    @property
    def preference(self) -> Preference:
        """A number of GPUs first, then the cheaper."""
        return Preference(self.gpus is None, price=self.prices.first)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SpendRate:
    """What one fleet's GPU-hours cost under a spend commitment, and without it."""

    own: Price
    on_demand: Price
    list: Price | None = None

    def unsaved(self, second: int | None = None) -> Decimal:
        """Price under the commitment / price without it, at an instant or at first; 1 where both are 0."""
        own, public = ((price.first if second is None else price.at(second))
                       for price in (self.own, self.on_demand))
        return own / public if public else Decimal(1)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SpendCommitment:
    """Dollars per hour that buy GPU-hours at plan prices; use it or lose it each hour."""

    usd_per_hour: Price
    rates: Mapping[str, SpendRate]
    """By fleet."""
    start_s: int | None = None
    end_s: int | None = None
    payment: PaymentSchedule = MONTHLY

    @property
    def rank(self) -> Rank:
        """Plans for one fleet come first."""
        return Rank.SPEND_OF_ONE_FLEET if len(self.rates) == 1 else Rank.SPEND_OF_SEVERAL

    @property
    def preference(self) -> Preference:
        """The highest saving first, then the cheapest."""
        return min(Preference(True, rate.unsaved(), rate.own.first) for rate in self.rates.values())


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
    drawn_before_usd: Decimal = Decimal(0)
    """Drawn from the period that is open when the bill begins."""
    rank: ClassVar = Rank.POT


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
    rank: ClassVar = Rank.PRICE_LIST
    tiers: Tiers | None = None
    market: Market | None = None
    running: bool = False
    """Charges rented GPU-hours instead of allocated ones."""
    start_s: int | None = None
    end_s: int | None = None
    charge: Literal["on_demand", "spot"] = "on_demand"
    most_frac: Decimal | None = None
    """At most this share of the fleet's allocated GPU-hours; all that are left when None."""

    @property
    def preference(self) -> Preference:
        """A share of the fleet's GPU-hours first, then the cheaper."""
        return Preference(self.most_frac is None, price=self.prices.first)


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
    contracted: Price | None = None
    rank: ClassVar = Rank.OWN_CAPACITY
    preference: ClassVar = Preference(True)


Primitive = CapacityCommitment | Minimum | SpendCommitment | Pot | RateCard | OwnedCost
