"""The clock: int64 nanoseconds from the horizon's start, and the calendar around it.

Floats would lose whole nanoseconds after 104 days; int64 holds 292 years.
"""

from datetime import UTC, datetime, timedelta

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS
HOUR_US = 3_600_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_us(instant: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, exact."""
    delta = instant - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def iso(instant: datetime) -> str:
    """A UTC time as `2025-02-14T17:00:00Z`."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


def ns_between(start: datetime, end: datetime) -> int:
    """Nanoseconds from `start` to `end`, exact; negative when `end` comes first."""
    return (epoch_us(end) - epoch_us(start)) * 1_000


def instant_at(start: datetime, now_ns: int) -> datetime:
    """The calendar time `now_ns` after `start` (whole microseconds)."""
    return start + timedelta(microseconds=now_ns // 1_000)


def month_starts(start: datetime, end: datetime) -> list[datetime]:
    """The first instants of calendar months strictly inside (start, end), UTC."""
    months: list[datetime] = []
    year, month = start.year, start.month
    while True:
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        first = datetime(year, month, 1, tzinfo=UTC)
        if first >= end:
            return months
        months.append(first)


def add_months(instant: datetime, months: int) -> datetime:
    """The same day and time `months` later; the month's last day when that day does not exist."""
    total = instant.year * 12 + instant.month - 1 + months
    year, month = divmod(total, 12)
    for day in range(instant.day, 27, -1):
        try:
            return instant.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return instant.replace(year=year, month=month + 1)
