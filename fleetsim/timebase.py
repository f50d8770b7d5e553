"""The clock: int64 nanoseconds from the horizon's start, and the calendar around it.

Floats would lose whole nanoseconds after 104 days; int64 holds 292 years.
"""

from datetime import MAXYEAR, UTC, datetime, timedelta

SECOND_NS = 1_000_000_000
HOUR_S = 3_600
HOUR_NS = HOUR_S * SECOND_NS
HOUR_US = HOUR_S * 1_000_000
DAY_S = 24 * HOUR_S
YEAR_H = 8_760
"""Hours of the year that yearly rates and prices are counted by."""
YEAR_S = YEAR_H * HOUR_S
LAST_NS = 2**62
"""Times of a trace lie within it of their origin, so that the difference of any two is an int64."""
LAST_YEARS = LAST_NS // (YEAR_S * SECOND_NS)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def epoch_us(instant: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, exact."""
    delta = instant - EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def epoch_s(instant: datetime) -> int:
    """Whole seconds since 1970-01-01 UTC."""
    return epoch_us(instant) // 1_000_000


def instant_of(second: int) -> datetime:
    """The instant so many seconds after 1970-01-01 UTC."""
    return EPOCH + timedelta(seconds=second)


def earliest(*seconds: int | None) -> int | None:
    """The first of the seconds that are given."""
    return min((second for second in seconds if second is not None), default=None)


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
    """The same day and time `months` later; the month's last day when that day does not exist.

    The calendar ends with the year 9999: what lies beyond is its last instant.
    """
    total = instant.year * 12 + instant.month - 1 + months
    year, month = divmod(total, 12)
    if year > MAXYEAR:
        return datetime.max.replace(microsecond=0, tzinfo=instant.tzinfo)
    for day in range(instant.day, 27, -1):
        try:
            return instant.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return instant.replace(year=year, month=month + 1)


def months_after(second: int, months: int) -> int:
    """The second since 1970 that `add_months` gives for one."""
    return epoch_s(add_months(instant_of(second), months))
