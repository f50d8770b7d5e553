"""Reserved: GPUs paid for every hour of the term, used or not."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.ledger.primitives import CapacityCommitment
from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import GpuCount, UsdPerGpuHour, UtcTime


@dataclass(frozen=True, kw_only=True)
class Reserved:
    """Bills accepted GPU-hours at one price whatever happens (AWS RI, Azure reservation, GCP resource CUD).

    An hour's commitment is split in a used part (allocated GPU-hours) and an unused one.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG
    kind: ClassVar[str] = "reserved"
    bills: ClassVar[Literal["committed", "allocated"]] = "committed"

    fleet: str
    """Fleet whose accepted GPUs are reserved."""
    usd_per_gpu_hour: UsdPerGpuHour
    """Price of a reserved GPU-hour."""
    list_usd_per_gpu_hour: UsdPerGpuHour | None = None
    """Public price, for comparison; the price itself by default."""
    gpus: GpuCount | None = None
    """Reserves at most so many of the accepted GPUs; all of them by default."""
    start: UtcTime | None = None
    """First instant of the term; from acceptance by default."""
    end: UtcTime | None = None
    """Last instant of the term, exclusive; until the GPUs are handed back by default."""

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("the term ends before it starts")

    def primitive(self) -> CapacityCommitment:
        """How the ledger rates it."""
        return CapacityCommitment(
            usd_per_gpu_hour=self.usd_per_gpu_hour,
            list_usd_per_gpu_hour=self.list_usd_per_gpu_hour,
            gpus=self.gpus,
            start=self.start,
            end=self.end,
        )
