"""On demand: GPU-hours paid for when they are allocated."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.ledger.primitives import RateCard
from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import UsdPerGpuHour


@dataclass(frozen=True, kw_only=True)
class OnDemand:
    """Bills the allocated GPU-hours that no commitment covers, and a fleet's elastic part.

    The elastic part of a fleet is billed by the contract that `elastic.contract` names.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG
    kind: ClassVar[str] = "on_demand"
    bills: ClassVar[Literal["committed", "allocated"]] = "allocated"

    fleet: str
    """Fleet whose allocated GPU-hours are billed."""
    usd_per_gpu_hour: UsdPerGpuHour
    """Price of an allocated GPU-hour."""
    list_usd_per_gpu_hour: UsdPerGpuHour | None = None
    """Public price, for comparison; the price itself by default."""

    def primitive(self) -> RateCard:
        """How the ledger rates it."""
        return RateCard(
            usd_per_gpu_hour=self.usd_per_gpu_hour, list_usd_per_gpu_hour=self.list_usd_per_gpu_hour
        )
