"""Negotiated discount: a share off the public price of every GPU-hour."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.agreement import FleetAgreement, discounted
from fleetsim.ledger.primitives import RateCard
from fleetsim.units import ExactFraction


@dataclass(frozen=True, kw_only=True)
class Negotiated(FleetAgreement):
    """Bills allocated GPU-hours at list price x (1 - discount)."""

    kind: ClassVar[str] = "negotiated"
    bills: ClassVar[Literal["committed", "allocated"]] = "allocated"

    discount_frac: ExactFraction
    """Share off the public price."""

    def __post_init__(self) -> None:
        if self.list_usd_per_gpu_hour is None:
            raise ValueError("a discount needs list_usd_per_gpu_hour")

    def primitive(self) -> RateCard:
        """A rate card at the discounted price."""
        assert self.list_usd_per_gpu_hour is not None, "checked when it was made"
        own = discounted(self.list_usd_per_gpu_hour, self.discount_frac)
        return RateCard(fleet=self.fleet, prices=self.prices(own))
