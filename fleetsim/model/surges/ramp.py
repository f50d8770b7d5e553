"""A linear ramp from nothing to a level that then holds."""

from dataclasses import dataclass
from typing import Any

from fleetsim.model.surges.surge import Surge
from fleetsim.units import MessagesPerDay, UtcTime


@dataclass(frozen=True, kw_only=True)
class Ramp(Surge):
    """Adds messages linearly from 0 at `start` to the full number at `end`, and keeps them."""

    extra_messages_per_day: MessagesPerDay
    """Messages a day added to each class from `end` on."""
    end: UtcTime
    """When the full number is reached."""

    @property
    def last(self) -> None:
        return None

    def addition(self, days: Any, xp: Any) -> Any:
        return self.extra_messages_per_day * xp.clip(days / self.days_to(self.end), 0.0, 1.0)
