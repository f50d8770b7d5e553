"""Recorded months: the recorded part of each calendar month (UTC)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise

from fleetsim.timebase import EPOCH, add_months, epoch_us, instant_at, month_starts


@dataclass(frozen=True)
class RecordedMonth:
    """[start, end) inside one calendar month, microseconds since 1970."""

    start_us: int
    end_us: int

    @property
    def month(self) -> datetime:
        """First instant of the calendar month."""
        start = instant_at(EPOCH, self.start_us * 1_000)
        return start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)

    @property
    def month_us(self) -> int:
        """Length of the calendar month."""
        return epoch_us(add_months(self.month, 1)) - epoch_us(self.month)

    @property
    def length_us(self) -> int:
        """Length of the recorded part."""
        return self.end_us - self.start_us

    @property
    def part(self) -> Fraction:
        """Recorded part of the month; 1 for a whole one."""
        return Fraction(self.length_us, self.month_us)


def recorded_months(start: datetime, end: datetime) -> Sequence[RecordedMonth]:
    """The calendar months of [start, end), the first and the last as far as they lie in it."""
    edges = [epoch_us(instant) for instant in (start, *month_starts(start, end), end)]
    return [RecordedMonth(left, right) for left, right in pairwise(edges)]
