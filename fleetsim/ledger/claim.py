"""Claims: what a contract took from the meter, and how much of it lies in a part of an hour."""

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from fleetsim.timebase import HOUR_S, earliest

if TYPE_CHECKING:
    import numpy as np

    Int64 = np.ndarray[Any, np.dtype[np.int64]]


class Window(NamedTuple):
    """Time in which GPUs are claimed, seconds since 1970; None is without bound."""

    start_s: int | None = None
    end_s: int | None = None
    gpus: int = 1
    """Weight among the windows of one claim."""

    def seconds_within(self, start_s: int, end_s: int) -> int:
        """Seconds of it that lie in [start, end)."""
        left = start_s if self.start_s is None else max(self.start_s, start_s)
        return max((earliest(self.end_s, end_s) or end_s) - left, 0)


ALWAYS = (Window(),)


class Claim(NamedTuple):
    """GPU-seconds that a meter had before and after a contract took its own."""

    windows: Sequence[Window]
    before: "Int64"
    after: "Int64"

    def within(self, hour: int, hour_s: int, start_s: int | None, end_s: int | None) -> Fraction:
        """What was taken in the part of an hour that lies in [start, end), evenly over the windows."""
        taken = int(self.before[hour]) - int(self.after[hour])
        over = hour_s + HOUR_S
        whole = sum(each.gpus * each.seconds_within(hour_s, over) for each in self.windows)
        if not taken or not whole:
            return Fraction(0)
        left, right = max(hour_s, start_s or hour_s), min(over, end_s or over)
        return Fraction(taken * sum(each.gpus * each.seconds_within(left, right) for each in self.windows),
                        whole)
