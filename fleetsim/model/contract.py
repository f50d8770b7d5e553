"""What a contract is to the rest of the program: a protocol. The kinds live in the ledger."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Literal, Protocol

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import GpuCount, PositiveDays, UsdPerGpuHour, UtcTime


class Contract(Protocol):
    """What a provider charges for a fleet's GPU-hours."""

    kind: ClassVar[str]
    bills: ClassVar[Literal["committed", "allocated"]]
    """Capacity kinds bill accepted GPU-hours whatever happens, elastic kinds allocated ones."""

    @property
    def fleet(self) -> str:
        """The fleet whose GPU-hours it charges."""

    @property
    def list_usd_per_gpu_hour(self) -> Decimal | None:
        """Public price, for comparison."""

    def primitive(self) -> Any:
        """How the ledger rates it: one of `fleetsim.ledger.primitives`."""


@dataclass(frozen=True)
class Offer:
    """Capacity that a provider would sell: what it is, what it costs and how long it takes."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    gpu: str
    """GPU type."""
    usd_per_gpu_hour: UsdPerGpuHour
    """Price."""
    lead_time_days: PositiveDays
    """From the order to the first served request, days."""
    min_gpus: GpuCount = 1
    """Smallest order."""
    expires: UtcTime | None = None
    """Last day on which it can be signed."""
    provider: str | None = None
    """Who sells."""
