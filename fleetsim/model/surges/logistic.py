"""A logistic roll-out, as when a feature reaches users device by device."""

from dataclasses import dataclass
from typing import Any

from fleetsim.model.surges.surge import Surge
from fleetsim.units import MessagesPerDay, PositiveDays


@dataclass(frozen=True, kw_only=True)
class Logistic(Surge):
    """Adds Q (L(t) - L(0)) / (1 - L(0)), L(t) = 1 / (1 + exp(-(t - midpoint)/tau)): 0 at `start`."""

    extra_messages_per_day: MessagesPerDay
    """Q: messages a day added in the end."""
    midpoint_days: PositiveDays
    """Days from `start` to half of the way."""
    tau_days: PositiveDays
    """Time constant, days."""

    def addition(self, days: Any, xp: Any) -> Any:
        at_start = self._level(xp.zeros(1), xp)[0]
        level = self._level(xp.maximum(days, 0.0), xp)
        return self.extra_messages_per_day * (level - at_start) / (1.0 - at_start)

    def _level(self, days: Any, xp: Any) -> Any:
        return 1.0 / (1.0 + xp.exp(-(days - self.midpoint_days) / self.tau_days))
