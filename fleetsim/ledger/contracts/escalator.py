"""Escalator: a price that rises with the years."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.timebase import add_months
from fleetsim.units import Months, UtcTime, YearlyRate

LONGEST = timedelta(days=36_525)
"""Clauses that repeat stop after a century."""


@dataclass(frozen=True)
class Escalator:
    """A price that rises by the same share at every anniversary: p0 (1 + e)^k."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    frac_per_step: YearlyRate
    """Rise at each step, as a share of the price."""
    start: UtcTime
    """The first step comes `every_months` later."""
    every_months: Months = 12
    """Months between two steps."""

    def rises(self) -> Iterator[tuple[datetime, Decimal]]:
        """When the price is multiplied by what."""
        for date in repeated(self.start, self.every_months):
            yield date, 1 + self.frac_per_step


def repeated(start: datetime, months: int) -> list[datetime]:
    """So many months after the start, and again, for a century."""
    found: list[datetime] = []
    while not found or (found[-1] < start + LONGEST and found[-1].year < 9_000):
        found.append(add_months(start, months * (len(found) + 1)))
    return found
