"""Levels over time: the mean of a dated number between two instants, and its pieces of one price."""

import math
from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import Any

from fleetsim.model.base import Dated, at, change_dates
from fleetsim.model.revenue import Interpolation
from fleetsim.timebase import EPOCH, epoch_us, instant_at

Number = float | Decimal


def mean(value: Any, interpolation: Interpolation, start_us: int, end_us: int) -> Fraction:
    """The mean of a number, dated or not, over [start, end), microseconds since 1970.

    Steps are weighted by their time, exactly. A log-linear piece from v to w has the mean
    (w - v) / ln(w / v); it is straight where one end is 0, and constant outside the dates.
    """
    if not isinstance(value, Mapping):
        return Fraction(value)
    total = Fraction(0)
    for left, right in _cut(start_us, end_us, [epoch_us(date) for date in value]):
        if interpolation == "steps":
            step: Any = at(value, instant_at(EPOCH, left * 1_000))
            held = Fraction(step)
        else:
            held = Fraction(_log_mean(_interpolated(value, left), _interpolated(value, right)))
        total += held * (right - left)
    return total / (end_us - start_us)


def pieces(price: "Dated[Any]", start_us: int, end_us: int) -> list[tuple[int, int, Any]]:
    """[start, end) in pieces of one price each, with that price."""
    return [(left, right, at(price, instant_at(EPOCH, left * 1_000)))
            for left, right in _cut(start_us, end_us, [epoch_us(date) for date in change_dates(price)])]


def _cut(start_us: int, end_us: int, cuts: list[int]) -> list[tuple[int, int]]:
    """[start, end) in pieces that end at the cuts inside it."""
    inside = sorted({cut for cut in cuts if start_us < cut < end_us})
    return list(pairwise([start_us, *inside, end_us]))


def _interpolated(value: Mapping[Any, Number], instant_us: int) -> float:
    """The log-linear value at an instant; straight where one end is 0."""
    points = sorted((epoch_us(date), float(number)) for date, number in value.items())
    if instant_us <= points[0][0]:
        return points[0][1]
    for (left, low), (right, high) in pairwise(points):
        if instant_us < right:
            part = (instant_us - left) / (right - left)
            if low <= 0 or high <= 0:
                return low + (high - low) * part
            return float(low * (high / low) ** part)
    return points[-1][1]


def _log_mean(one: float, other: float) -> float:
    """The mean of an exponential between its two ends; their arithmetic mean where one is 0."""
    if one <= 0 or other <= 0:
        return (one + other) / 2
    growth = math.log(other / one)
    # Near 0 the quotient loses digits; the series goes on with growth^2 / 24, below the last digit here.
    return (other - one) / growth if abs(growth) > 1e-6 else math.sqrt(one * other)
