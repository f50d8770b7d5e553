"""Shapes: how traffic moves over the day and the week, as a factor of mean 1 over a week."""

from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from fleetsim.model.profile import AZURE_WEEKDAY, AZURE_WEEKEND, AZURE_WEEKEND_TO_WEEKDAY, unit_mean
from fleetsim.model.traffic import Shape
from fleetsim.timebase import epoch_us

MONDAY_BEFORE_EPOCH_S = -3 * 86_400
"""1970-01-01 was a Thursday."""


@lru_cache(maxsize=64)
def week(shape: Shape) -> np.ndarray:
    """The factor of each hour of a week from Monday 00:00 local time, (168), mean 1."""
    if shape.kind == "flat":
        return np.ones(168)
    weekday = np.array(unit_mean(AZURE_WEEKDAY))
    if shape.kind == "enterprise":
        weekend, ratio = np.array(unit_mean(AZURE_WEEKEND)), AZURE_WEEKEND_TO_WEEKDAY
    else:
        weekday = 1.0 + (shape.peak_to_mean - 1.0) / (weekday.max() - 1.0) * (weekday - 1.0)
        weekend, ratio = weekday, shape.weekend_to_weekday
    level = 7.0 / (5.0 + 2.0 * ratio)
    return np.concatenate([np.tile(weekday * level, 5), np.tile(weekend * level * ratio, 2)])


def shape_factors(shape: Shape, start: datetime, middle_s: np.ndarray) -> np.ndarray:
    """The factor at each instant, given in seconds after `start`; constant within the hour."""
    if shape.kind == "flat":
        return np.ones(len(middle_s))
    since_epoch_s = middle_s + epoch_us(start) / 1e6
    if shape.timezone != "UTC":
        since_epoch_s = since_epoch_s + utc_offsets_s(shape.timezone, start, middle_s)
    hours = np.floor((since_epoch_s - MONDAY_BEFORE_EPOCH_S) / 3_600).astype(np.int64)
    return week(shape)[hours % 168]


def utc_offsets_s(timezone: str, start: datetime, middle_s: np.ndarray) -> np.ndarray:
    """Seconds that local clocks are ahead of UTC at each instant, daylight saving included.

    Clocks change on whole hours of UTC at the most often, so one look an hour is enough.
    """
    zone = ZoneInfo(timezone)
    first = int(middle_s[0] // 3_600)
    hours = np.arange(first, int(middle_s[-1] // 3_600) + 1)
    offsets = [(start + timedelta(hours=int(hour))).astimezone(zone).utcoffset() for hour in hours]
    seconds = np.array([offset.total_seconds() if offset else 0.0 for offset in offsets])
    return seconds[(middle_s // 3_600).astype(np.int64) - first]
