"""Volume tiers: the more GPU-hours in a period, the lower the price."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.agreement import FleetAgreement
from fleetsim.ledger.primitives import RateCard, Tiers
from fleetsim.model.base import FILE_CONFIG
from fleetsim.timebase import HOUR_S, epoch_s
from fleetsim.units import GpuHoursCount, Months, UsdPerGpuHour, UtcTime


@dataclass(frozen=True)
class Tier:
    """A price from a quantity on."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    from_gpu_hours: GpuHoursCount
    """GPU-hours of the period from which it holds."""
    usd_per_gpu_hour: UsdPerGpuHour
    """Price of a GPU-hour."""


@dataclass(frozen=True, kw_only=True)
class VolumeTiers(FleetAgreement):
    """Bills allocated GPU-hours by the quantity of the period.

    Graduated: each slice at its own price. All units: the whole quantity at the price of the tier reached,
    settled at the period's end, so that a total can drop at a threshold.
    """

    kind: ClassVar[str] = "volume_tiers"
    bills: ClassVar[Literal["committed", "allocated"]] = "allocated"

    tiers: tuple[Tier, ...]
    """Prices by the GPU-hours of the period, from 0 and rising."""
    mode: Literal["graduated", "all_units"] = "graduated"
    """Whether a price holds for its slice or for the whole quantity."""
    period_months: Months = 1
    """After so many months the count begins again."""
    start: UtcTime
    """It bills from here on; a period begins here and the others follow."""

    def __post_init__(self) -> None:
        bounds = [tier.from_gpu_hours for tier in self.tiers]
        if not bounds or bounds[0] != 0 or bounds != sorted(set(bounds)):
            raise ValueError("tiers begin at 0 GPU-hours and rise")

    def primitive(self) -> RateCard:
        """A rate card with tiers."""
        prices = tuple((tier.from_gpu_hours * HOUR_S, self.price(tier.usd_per_gpu_hour))
                       for tier in self.tiers)
        return RateCard(
            fleet=self.fleet, prices=self.prices(self.tiers[0].usd_per_gpu_hour),
            start_s=epoch_s(self.start),
            tiers=Tiers(prices=prices, mode=self.mode, period_months=self.period_months,
                        anchor_s=epoch_s(self.start)))
