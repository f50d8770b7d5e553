"""The meter of one fleet while contracts are applied: what is left for the next contract in order."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from math import floor
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.claim import ALWAYS, Claim, Window
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
    committed_claims: list[Claim] = field(default_factory=list)
    """What contracts took of `committed`, in order."""
    allocated_claims: list[Claim] = field(default_factory=list)
    """What they took of `allocated`."""

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

    def left_within(self, start_s: int | None, end_s: int | None, *, committed: bool = False) -> "Int64":
        """What is left of the time in [start, end), whole GPU-seconds.

        Of an hour that lies there in part: its part of the hour's use, less what earlier contracts took in
        the same time. So one contract can follow another inside an hour, and nothing is lost or billed twice.
        """
        left, gross, claims = (
            (self.committed, self.usage.committed_gpu_s, self.committed_claims) if committed else
            (self.allocated, self.usage.allocated_gpu_s, self.allocated_claims))
        if start_s is None and end_s is None:
            return left
        seconds = self.seconds_within(start_s, end_s)
        found = np.where(seconds == HOUR_S, left, 0)
        for hour in np.flatnonzero((seconds > 0) & (seconds < HOUR_S)).tolist():
            second = int(self.hour_s[hour])
            own = Fraction(int(gross[hour]) * int(seconds[hour]), HOUR_S)
            taken = sum((claim.within(hour, second, start_s, end_s) for claim in claims), start=Fraction(0))
            found[hour] = min(max(floor(own - taken), 0), int(left[hour]))
        return found

    def claim(self, committed: "Int64", usable: "Int64 | None" = None,
              windows: Sequence[Window] = ALWAYS) -> "Int64":
        """Take committed GPU-seconds for a contract; the allocated ones among them come back."""
        used = np.minimum(self.allocated, committed if usable is None else usable)
        self._take(np.maximum(self.committed - committed, 0), self.allocated - used, windows)
        return used

    def claim_allocated(self, most: "Int64 | None" = None, windows: Sequence[Window] = ALWAYS) -> "Int64":
        """Take allocated GPU-seconds that are left, all or at most so many."""
        used = self.allocated if most is None else np.minimum(self.allocated, most)
        self._take(np.maximum(self.committed - used, 0), self.allocated - used, windows)
        return used

    def _take(self, committed: "Int64", allocated: "Int64", windows: Sequence[Window]) -> None:
        self.committed_claims.append(Claim(windows, self.committed, committed))
        self.allocated_claims.append(Claim(windows, self.allocated, allocated))
        self.committed, self.allocated = committed, allocated

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
