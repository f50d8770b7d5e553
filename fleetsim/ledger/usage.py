"""What the meter says: GPU-seconds per fleet and hour, and which tranches were accepted when."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Int64 = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """A tranche as it turned out."""

    accepted_us: int
    """Acceptance after any slip, microseconds since 1970, on a whole second."""
    gpus: int
    """GPUs accepted."""
    promised_us: int | None = None
    """Promised acceptance; when it was accepted by default."""
    end_us: int | None = None
    """When it was handed back; None while it stays."""

    @property
    def accepted_s(self) -> int:
        """Acceptance, seconds since 1970."""
        return self.accepted_us // 1_000_000


@dataclass(frozen=True, kw_only=True)
class HourlyUsage:
    """One fleet over a block of hours in rising order; arrays hold one int64 per hour.

    A block holds whole calendar months (UTC), but for a horizon's first and last. `deliveries` are all
    of the fleet's tranches, those still to come included: a total is divided among them.
    """

    fleet: str
    hour_us: "Int64"
    """Start of each hour, microseconds since 1970."""
    committed_gpu_s: "Int64"
    """Accepted GPU-seconds of the tranches."""
    allocated_gpu_s: "Int64"
    """Allocated GPU-seconds of the tranches; at most the committed ones, but for a demand put in their
    place."""
    elastic_allocated_gpu_s: "Int64"
    """Allocated GPU-seconds of the elastic part."""
    lost_gpu_s: "Int64 | None" = None
    """Accepted GPU-seconds lost to failures and outages; none when not metered."""
    energy_wh: "Int64 | None" = None
    """Watt-hours at the meter, cooling included; none when not metered."""
    elastic_contract: str | None = None
    """The contract that bills the elastic part."""
    deliveries: tuple[Delivery, ...] = ()
