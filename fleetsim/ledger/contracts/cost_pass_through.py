"""Cost pass-through: compute near its cost, and a share of the customer's revenue."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.agreement import FleetAgreement
from fleetsim.ledger.primitives import CapacityCommitment
from fleetsim.ledger.terms import RevenueShare
from fleetsim.model.base import Dated
from fleetsim.units import ExactFraction, Usd, UsdPerGpuHour


@dataclass(frozen=True, kw_only=True)
class CostPassThrough(FleetAgreement):
    """Bills accepted GPU-hours at cost and, month by month, min(cap, max(floor, share x revenue)).

    Microsoft and OpenAI, Amazon and Anthropic. Two separate charges.
    """

    kind: ClassVar[str] = "cost_pass_through"
    bills: ClassVar[Literal["committed", "allocated"]] = "committed"

    usd_per_gpu_hour: Dated[UsdPerGpuHour]
    """Cost of an accepted GPU-hour that is passed on."""
    revenue_share_frac: ExactFraction
    """Share of revenue that is due."""
    revenue: tuple[str, ...] = ()
    """Revenue streams that it is a share of; all by default."""
    floor_usd_per_month: Usd = Decimal(0)
    """At least so much a calendar month, in proportion for a part of one."""
    cap_usd_per_month: Usd | None = None
    """At most so much a calendar month, likewise."""

    def __post_init__(self) -> None:
        if self.cap_usd_per_month is not None and self.cap_usd_per_month < self.floor_usd_per_month:
            raise ValueError("the cap is below the floor")

    def primitive(self) -> CapacityCommitment:
        """A capacity commitment."""
        return CapacityCommitment(fleet=self.fleet, prices=self.prices(self.usd_per_gpu_hour))

    def revenue_share_terms(self) -> RevenueShare:
        """The share of revenue."""
        return RevenueShare(share_frac=self.revenue_share_frac, streams=self.revenue,
                            floor_usd_per_month=self.floor_usd_per_month,
                            cap_usd_per_month=self.cap_usd_per_month)
