"""What a contract is to the rest of the program: a protocol. The kinds live in the ledger."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Literal, Protocol

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import (
    Days,
    ExactFraction,
    Fraction,
    GpuCount,
    GpuHoursCount,
    Months,
    UsdPerGpu,
    UsdPerGpuHour,
    UtcTime,
)

LONGEST_BLOCK_MONTHS = 6
"""AWS EC2 Capacity Blocks, June 2025."""


class Contract(Protocol):
    """What a provider charges for the GPU-hours of fleets."""

    kind: ClassVar[str]
    bills: ClassVar[Literal["committed", "allocated"]]
    """Capacity kinds bill accepted GPU-hours whatever happens, elastic kinds allocated ones."""

    @property
    def fleets(self) -> tuple[str, ...]:
        """The fleets whose GPU-hours it charges."""

    @property
    def committed_gpus(self) -> int | None:
        """The number of GPUs that it commits; None where it commits none or all of a fleet's."""

    @property
    def bills_use(self) -> bool:
        """Whether the bill moves with the GPU-hours that are used."""

    def terms(self) -> Any:
        """How the ledger rates it: a `fleetsim.ledger.terms.Terms`."""


OfferKind = Literal["reserved", "on_demand", "spot", "savings_plan", "take_or_pay", "volume_tiers",
                    "capacity_block"]
COMMITS = ("reserved", "savings_plan", "take_or_pay", "capacity_block")
"""Kinds of offers of which a quantity is signed; the others bill what is used."""


@dataclass(frozen=True)
class OfferTier:
    """A price from a quantity on."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    from_gpu_hours: GpuHoursCount
    """GPU-hours of the period from which it holds."""
    usd_per_gpu_hour: UsdPerGpuHour
    """Price of a GPU-hour."""


@dataclass(frozen=True)
class Offer:
    """Capacity that a provider would sell: what could be signed, what it costs and how long it takes.

    A kind is that of the contract which signing it makes. A savings plan commits dollars: its sizes are
    GPUs' worth at the plan price.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG

    gpu: str
    """GPU type."""
    usd_per_gpu_hour: UsdPerGpuHour
    """Price; of the first tier, or under the plan; on spot the mean price."""
    lead_time_days: Days
    """From the order to the first served request, days."""
    min_gpus: GpuCount = 1
    """Smallest order."""
    expires: UtcTime | None = None
    """Last day on which it can be signed."""
    provider: str | None = None
    """Who sells."""
    kind: OfferKind = "reserved"
    """Kind of the contract that it becomes."""
    max_gpus: GpuCount | None = None
    """Most GPUs in term at one time, over all orders; as many as one likes by default."""
    block_gpus: GpuCount = 1
    """Orders are multiples of it."""
    term_months: Months | None = None
    """Term of an order, from the day on which it serves; to the end of the run by default."""
    upfront_frac: ExactFraction = Decimal(0)
    """Share of the price of the whole term that is paid when the term starts."""
    upfront_usd_per_gpu: UsdPerGpu = Decimal(0)
    """Paid per GPU when the term starts, on top of the price per hour."""
    list_usd_per_gpu_hour: UsdPerGpuHour | None = None
    """Public price without a commitment."""
    minimum_frac: Fraction = 1.0
    """Take or pay: share of a month's committed GPU-hours that is paid even when it is not taken."""
    tiers: tuple[OfferTier, ...] = ()
    """Volume tiers after the first."""
    tier_mode: Literal["graduated", "all_units"] = "graduated"
    """Whether a tier's price holds for its slice or for the whole quantity."""
    tier_period_months: Months = 1
    """After so many months the count of the tiers begins again."""

    @property
    def commits(self) -> bool:
        """Whether a quantity is signed that is paid for, used or not."""
        return self.kind in COMMITS

    def __post_init__(self) -> None:
        kind = self.kind.replace("_", " ")
        if self.max_gpus is not None and self.max_gpus < self.min_gpus:
            raise ValueError(f"max_gpus {self.max_gpus} is below min_gpus {self.min_gpus}")
        smallest = -(-self.min_gpus // self.block_gpus) * self.block_gpus
        if self.max_gpus is not None and smallest > self.max_gpus:
            raise ValueError("no multiple of block_gpus lies between min_gpus and max_gpus")
        sized = self.max_gpus is not None or self.min_gpus > 1 or self.block_gpus > 1
        if sized and not self.commits:
            raise ValueError(f"{kind} bills what is used: leave min_gpus, max_gpus and block_gpus out")
        if self.block_gpus > 1 and self.kind == "savings_plan":
            raise ValueError("a savings plan commits dollars: leave block_gpus out")
        if self.term_months is not None and not self.commits:
            raise ValueError(f"{kind} has no term: leave term_months out")
        ahead = bool(self.upfront_frac or self.upfront_usd_per_gpu)
        if ahead and self.kind not in ("reserved", "savings_plan"):
            raise ValueError(f"nothing is paid upfront for {kind}, or all of it: leave upfront_* out")
        if ahead and self.term_months is None:
            raise ValueError("what is paid upfront needs a term: give term_months")
        if self.upfront_usd_per_gpu and self.kind == "savings_plan":
            raise ValueError("a savings plan commits dollars, not GPUs: give upfront_frac")
        if self.kind in ("savings_plan", "capacity_block") and self.term_months is None:
            raise ValueError(f"a {kind} needs term_months")
        if self.kind == "savings_plan" and not self.usd_per_gpu_hour:
            raise ValueError("a savings plan buys GPU-hours at a price above 0")
        if self.kind == "savings_plan" and self.list_usd_per_gpu_hour is None:
            raise ValueError("a savings plan saves against list_usd_per_gpu_hour: give it")
        if self.kind == "capacity_block" and (self.term_months or 0) > LONGEST_BLOCK_MONTHS:
            raise ValueError(f"a capacity block lasts at most {LONGEST_BLOCK_MONTHS} months")
        if self.minimum_frac != 1.0 and self.kind != "take_or_pay":
            raise ValueError(f"{kind} has no minimum: minimum_frac is for take_or_pay")
        if bool(self.tiers) != (self.kind == "volume_tiers"):
            raise ValueError("tiers and kind volume_tiers come together")
        bounds = [tier.from_gpu_hours for tier in self.tiers]
        if bounds != sorted(set(bounds)) or 0 in bounds:
            raise ValueError("tiers after the first begin above 0 GPU-hours and rise")
