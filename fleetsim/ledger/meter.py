"""The meter of one fleet while contracts are applied: what is left for the next contract in order."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.usage import HourlyUsage
from fleetsim.timebase import epoch_us

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]

HOUR_S = 3_600


@dataclass
class Meter:
    """GPU-seconds per hour that no contract has claimed yet."""

    usage: HourlyUsage
    committed: "Int64"
    """Accepted GPU-seconds."""
    allocated: "Int64"
    """Allocated ones among them."""
    elastic: "Int64"
    """Allocated GPU-seconds of the elastic part."""

    @classmethod
    def of(cls, usage: HourlyUsage) -> "Meter":
        """A meter that nobody has claimed from."""
        return cls(usage, usage.committed_gpu_s, usage.allocated_gpu_s, usage.elastic_allocated_gpu_s)

    @property
    def hour_s(self) -> "Int64":
        """Start of each hour, seconds since 1970."""
        return self.usage.hour_us // 1_000_000

    def seconds_within(self, start_s: int | None, end_s: int | None) -> "Int64":
        """Of each hour, the seconds that lie in [start, end); None is without bound."""
        hour = self.hour_s
        left = hour if start_s is None else np.maximum(hour, start_s)
        right = hour + HOUR_S if end_s is None else np.minimum(hour + HOUR_S, end_s)
        return np.maximum(right - left, 0)

    def claim(self, committed: "Int64") -> "Int64":
        """Take committed GPU-seconds for a contract; the allocated ones among them come back."""
        used = np.minimum(self.allocated, committed)
        self.committed = np.maximum(self.committed - committed, 0)
        self.allocated = self.allocated - used
        return used

    def claim_allocated(self) -> "Int64":
        """Take all allocated GPU-seconds that are left; the fixed part is then covered."""
        used = self.allocated
        self.allocated = np.zeros_like(used)
        self.committed = np.zeros_like(used)
        return used

    def claim_elastic(self, contract: str, seconds: "Int64 | None" = None) -> "Int64":
        """Take the elastic GPU-seconds if `contract` bills them, in proportion to `seconds` of the hour."""
        if self.usage.elastic_contract != contract:
            return np.zeros_like(self.elastic)
        used = self.elastic if seconds is None else self.elastic * seconds // HOUR_S
        self.elastic = self.elastic - used
        return used


def seconds(instant: datetime | None) -> int | None:
    """An instant as whole seconds since 1970."""
    return None if instant is None else epoch_us(instant) // 1_000_000
