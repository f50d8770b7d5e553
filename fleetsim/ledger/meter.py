"""The meter of one fleet while contracts are applied: what is left for the next contract in order."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.usage import HourlyUsage
from fleetsim.timebase import HOUR_S

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


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

    @cached_property
    def hour_s(self) -> "Int64":
        """Start of each hour, seconds since 1970."""
        return self.usage.hour_us // 1_000_000

    def seconds_within(self, start_s: int | None, end_s: int | None) -> "Int64":
        """Of each hour, the seconds that lie in [start, end); None is without bound."""
        return seconds_within(self.hour_s, start_s, end_s)

    def part_within(self, gpu_s: "Int64", start_s: int | None, end_s: int | None) -> "Int64":
        """GPU-seconds in proportion to the hour's time in [start, end), whole ones."""
        if start_s is None and end_s is None:
            return gpu_s
        return gpu_s * self.seconds_within(start_s, end_s) // HOUR_S

    def claim(self, committed: "Int64", usable: "Int64 | None" = None) -> "Int64":
        """Take committed GPU-seconds for a contract; the allocated ones among them come back."""
        used = np.minimum(self.allocated, committed if usable is None else usable)
        self.committed = np.maximum(self.committed - committed, 0)
        self.allocated = self.allocated - used
        return used

    def claim_allocated(self, most: "Int64 | None" = None) -> "Int64":
        """Take allocated GPU-seconds that are left, all or at most so many."""
        used = self.allocated if most is None else np.minimum(self.allocated, most)
        self.committed = np.maximum(self.committed - used, 0)
        self.allocated = self.allocated - used
        return used

    def claim_elastic(self, contract: str, start_s: int | None = None, end_s: int | None = None) -> "Int64":
        """Take the elastic GPU-seconds of the hour's time in [start, end) if `contract` bills them."""
        if self.usage.elastic_contract != contract:
            return np.zeros_like(self.elastic)
        used = self.part_within(self.elastic, start_s, end_s)
        self.elastic = self.elastic - used
        return used


def seconds_within(hour_s: "Int64", start_s: int | None, end_s: int | None) -> "Int64":
    """Of each hour, the seconds that lie in [start, end); None is without bound."""
    first, last = (int(hour_s[0]), int(hour_s[-1]) + HOUR_S) if len(hour_s) else (0, 0)
    if (start_s is None or start_s <= first) and (end_s is None or end_s >= last):
        return np.full_like(hour_s, HOUR_S)
    left = hour_s if start_s is None else np.maximum(hour_s, start_s)
    right = hour_s + HOUR_S if end_s is None else np.minimum(hour_s + HOUR_S, end_s)
    return np.maximum(right - left, 0)
