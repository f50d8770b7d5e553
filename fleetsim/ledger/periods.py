"""Periods of a contract over a block of hours: calendar months, or so many months from an anniversary."""

from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleetsim.timebase import HOUR_S, months_after

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


class Period(NamedTuple):
    """The hours of a block that lie in one period."""

    first: int
    """Index of its first hour in the block."""
    stop: int
    """Index after its last hour in the block."""
    number: int
    """0, 1, 2 ... from the anchor on."""
    begins: bool
    """Whether the period's first hour is in the block."""
    ends: bool
    """Whether the period ends with the block's part."""
    last: bool
    """Whether it does, or all that is billed."""

    @property
    def hours(self) -> slice:
        """The part as a slice of the block."""
        return slice(self.first, self.stop)


def month_edges(hour_s: "Int64") -> list[int]:
    """Indices at which calendar months (UTC) begin in the block, and its length."""
    if len(hour_s) == 0:
        return [0]
    if month_number(int(hour_s[0])) == month_number(int(hour_s[-1])):
        return [0, len(hour_s)]
    month = hour_s.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    return [0, *(np.flatnonzero(np.diff(month)) + 1).tolist(), len(hour_s)]


def by_month(hour_s: "Int64") -> list[slice]:
    """The block's calendar months."""
    return [slice(*edges) for edges in pairwise(month_edges(hour_s))]


def month_number(second: int) -> int:
    """Calendar months since January 1970."""
    return int(np.int64(second).astype("datetime64[s]").astype("datetime64[M]").astype(np.int64))


def hour_of(second: int, hour_s: "Int64") -> int | None:
    """The index of the block's hour in which an instant falls, or None."""
    if len(hour_s) == 0 or not hour_s[0] <= second < hour_s[-1] + HOUR_S:
        return None
    return int((second - int(hour_s[0])) // HOUR_S)


def periods(hour_s: "Int64", anchor_s: int, months: int | None, last_s: int | None,
            stop_s: int | None = None) -> list[Period]:
    """The periods of `months` from the anchor on, or the one from it to `stop_s`, that the block touches.

    `last_s` is the end of all that is billed: a period that it cuts is settled there. Hours before the
    anchor and from `stop_s` on are in no period. An hour is in the period in which it begins; the hour of
    the anchor is in the first.
    """
    if len(hour_s) == 0:
        return []
    end = int(hour_s[-1]) + HOUR_S
    bounds = [anchor_s - anchor_s % HOUR_S]
    while months is not None and bounds[-1] < end:
        bounds.append(months_after(anchor_s, months * len(bounds)))
    if stop_s is not None:
        bounds = [bound for bound in bounds if bound < stop_s] + [stop_s]
    elif months is None:
        bounds.append(np.iinfo(np.int64).max)
    edges = np.searchsorted(hour_s, bounds).tolist()
    found = []
    for number, (first, stop) in enumerate(pairwise(edges)):
        if first == stop:
            continue
        reaches = int(hour_s[stop - 1]) + HOUR_S
        ends = reaches >= bounds[number + 1]
        found.append(Period(first, stop, number, int(hour_s[first]) - HOUR_S < bounds[number], ends,
                            ends or (last_s is not None and reaches >= last_s)))
    return found
