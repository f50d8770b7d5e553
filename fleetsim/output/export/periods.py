"""The time a row of an export is about: its charge period and the billing period that holds it."""

from datetime import UTC, date, datetime, timedelta
from typing import Literal, NamedTuple

from fleetsim.output.window import Window
from fleetsim.timebase import add_months

Grain = Literal["month", "hour"]


class ChargePeriod(NamedTuple):
    """Starts are inclusive, ends exclusive; a billing period is a calendar month, UTC."""

    start: datetime
    end: datetime
    billing_start: datetime
    billing_end: datetime


def month_of(instant: datetime, recorded: Window) -> ChargePeriod:
    """The recorded part of the calendar month that holds an instant."""
    first = datetime(instant.year, instant.month, 1, tzinfo=UTC)
    stop = add_months(first, 1)
    return ChargePeriod(max(first, recorded.start), min(stop, recorded.end), first, stop)


def hour_of(instant: datetime, recorded: Window) -> ChargePeriod:
    """The hour that begins at an instant."""
    month = month_of(instant, recorded)
    return month._replace(start=instant, end=instant + timedelta(hours=1))


def as_instant(value: date | datetime) -> datetime:
    """A day or a time of a table as an instant in UTC."""
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    return datetime(value.year, value.month, value.day, tzinfo=UTC)
