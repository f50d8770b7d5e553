"""A price over time: exact decimals, each from an instant on. A step inside an hour acts at the next one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from fleetsim.timebase import HOUR_S, epoch_s

if TYPE_CHECKING:
    import numpy as np

    Int64 = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Price:
    """USD per GPU-hour (or another unit) by the second since 1970 from which each holds, in rising order.

    The first one also holds before its time.
    """

    steps: tuple[tuple[int, Decimal], ...]

    @classmethod
    def of(cls, dated: "Decimal | Mapping[datetime, Decimal]") -> "Price":
        """A constant, or the values of a file by date."""
        if not isinstance(dated, Mapping):
            return cls(((0, dated),))
        return cls(tuple((next_hour(epoch_s(date)), dated[date]) for date in sorted(dated)))

    @property
    def first(self) -> Decimal:
        """The price at the beginning."""
        return self.steps[0][1]

    def at(self, second: int) -> Decimal:
        """The price that holds at a second since 1970."""
        held = self.first
        for start, value in self.steps:
            if start <= second:
                held = value
        return held

    def charge(self, quantity_s: "Int64", hour_s: "Int64") -> "Int64":
        """Micro-dollars of each hour's quantity (in units x seconds); the hours begin at `hour_s`."""
        import numpy as np

        from fleetsim.ledger.money import priced

        parts = [priced(quantity_s[hours], value) for hours, value in self.segments(hour_s)]
        return parts[0] if len(parts) == 1 else np.concatenate([np.zeros(0, dtype=np.int64), *parts])

    def total(self, quantity_s: "Int64", hour_s: "Int64") -> int:
        """The sum of what `charge` gives."""
        from fleetsim.ledger.money import micro_usd_per_gpu_s, sum_scaled

        parts = [(quantity_s[hours], micro_usd_per_gpu_s(value)) for hours, value in self.segments(hour_s)]
        return sum(sum_scaled(part, price.numerator, price.denominator) for part, price in parts)

    def segments(self, hour_s: "Int64") -> "list[tuple[slice, Decimal]]":
        """The block's hours by the price that holds in them."""
        import numpy as np

        if len(self.steps) == 1:
            return [(slice(0, len(hour_s)), self.first)]
        starts = np.array([start for start, _ in self.steps[1:]], dtype=np.int64)
        edges = [0, *np.searchsorted(hour_s, starts).tolist(), len(hour_s)]
        return [(slice(left, right), value)
                for (_, value), left, right in zip(self.steps, edges[:-1], edges[1:], strict=True)
                if left < right]

    def scaled(self, factor: Fraction) -> "Price":
        """The same steps, each times a factor."""
        if factor == 1:
            return self
        exact = Decimal(factor.numerator) / Decimal(factor.denominator)
        return Price(tuple((start, value * exact) for start, value in self.steps))

    def micro_usd_between(self, start_s: int, end_s: int) -> Fraction:
        """Micro-dollars of one unit held from one second to another, exact."""
        from fleetsim.ledger.money import MICRO

        edges = [start_s, *(second for second, _ in self.steps[1:] if start_s < second < end_s), end_s]
        return sum(
            (Fraction(self.at(left)) * (right - left) * MICRO / HOUR_S
             for left, right in pairwise(edges)),
            start=Fraction(0),
        )


def next_hour(second: int) -> int:
    """The first full hour that does not begin before a second since 1970."""
    return -(-second // HOUR_S) * HOUR_S
