"""Most-favoured customer: a price that is reset to a declining market's."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from fleetsim.ledger.contracts.escalator import repeated
from fleetsim.model.base import FILE_CONFIG
from fleetsim.timebase import YEAR_H
from fleetsim.units import Months, UsdPerGpuHour, UtcTime, YearlyRate


@dataclass(frozen=True)
class MostFavoured:
    """A market price that declines, p exp(-lambda t), and resets of the contract's price to it."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    market_usd_per_gpu_hour: UsdPerGpuHour
    """The market's price at `start`."""
    decline_per_year: YearlyRate
    """lambda, per year of 8,760 h."""
    start: UtcTime
    """From here the market's price declines."""
    every_months: Months = 12
    """A reset comes every so many months after `start`."""
    of_market_frac: YearlyRate = Decimal(1)
    """At a reset the price becomes min(price, this x market)."""

    def resets(self) -> Iterator[tuple[datetime, Decimal]]:
        """When the price is at most what: the market's, times the share that the clause names."""
        for date in repeated(self.start, self.every_months):
            years = (date - self.start) / timedelta(hours=YEAR_H)
            market = float(self.market_usd_per_gpu_hour) * math.exp(-float(self.decline_per_year) * years)
            yield date, Decimal(repr(market)) * self.of_market_frac
