"""A factor on the rate between two instants."""

from dataclasses import dataclass
from typing import Any

from fleetsim.model.surges.surge import Surge
from fleetsim.units import Ratio, UtcTime


@dataclass(frozen=True, kw_only=True)
class Multiplier(Surge):
    """Multiplies the rate by `factor` between `start` and `end`."""

    factor: Ratio
    """2 doubles the traffic; 0 stops it."""
    end: UtcTime | None = None
    """Last instant, exclusive; never by default."""

    def multiplier(self, days: Any, xp: Any) -> Any:
        active = (days >= 0) & (days < self.days_to(self.end))
        return 1.0 + (self.factor - 1.0) * active
