"""The hours that a figure is taken over."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from fleetsim.errors import UsageError
from fleetsim.timebase import HOUR_US, epoch_us

Days = Literal["all", "weekdays", "weekends"]
DAY_US = 24 * HOUR_US
THURSDAY = 3
"""Weekday of 1970-01-01, counted from Monday."""


def on_the_hour(at: datetime) -> bool:
    """Whether a window may begin or end there: the tables know no shorter time than an hour."""
    return epoch_us(at) % HOUR_US == 0


@dataclass(frozen=True)
class Window:
    """Whole hours from `start` to `end` (exclusive), UTC, on all days, weekdays or weekends."""

    start: datetime
    end: datetime
    days: Days = "all"

    def __post_init__(self) -> None:
        if self.days not in ("all", "weekdays", "weekends"):
            raise UsageError(f"days {self.days!r} is none of all, weekdays, weekends")

    def part(self, start: datetime | None, end: datetime | None, days: Days) -> "Window | None":
        """The part of this window from `start` to `end` that lies on these days; None when empty."""
        first = self.start if start is None else max(start, self.start)
        last = self.end if end is None else min(end, self.end)
        window = Window(first, last, days) if first < last else None
        return window if window is not None and window.hours else None

    @property
    def hours(self) -> int:
        """Hours that count."""
        if self.days == "all":
            return (epoch_us(self.end) - epoch_us(self.start)) // HOUR_US
        hours, at = 0, self.start
        while at < self.end:
            midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
            until = min(midnight, self.end)
            if (at.isoweekday() > 5) == (self.days == "weekends"):
                hours += (epoch_us(until) - epoch_us(at)) // HOUR_US
            at = until
        return hours

    def years(self) -> Iterator["Window"]:
        """Its parts in each calendar year that have hours that count, in order."""
        for year in range(self.start.year, self.end.year + 1):
            first, last = (self.start.replace(year=of, month=1, day=1, hour=0) for of in (year, year + 1))
            part = self.part(first, last, self.days)
            if part is not None:
                yield part

    def sql(self, column: str = "hour") -> str:
        """The condition on an hourly table's time column."""
        condition = f"{column} >= '{self.start.isoformat()}'::timestamptz" \
                    f" and {column} < '{self.end.isoformat()}'::timestamptz"
        if self.days == "all":
            return condition
        weekday = f"(epoch_us({column}) // {DAY_US} + {THURSDAY}) % 7"
        return f"{condition} and {weekday} {'>' if self.days == 'weekends' else '<='} 4"
