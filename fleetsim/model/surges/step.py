"""A step: so many messages a day more, from one instant to another."""

from dataclasses import dataclass
from typing import Any

from fleetsim.model.surges.surge import Surge
from fleetsim.units import MessagesPerDay, UtcTime


@dataclass(frozen=True, kw_only=True)
class Step(Surge):
    """Adds a constant number of messages a day between `start` and `end`."""

    extra_messages_per_day: MessagesPerDay
    """Messages a day added to each class."""
    end: UtcTime | None = None
    """Last instant, exclusive; never by default."""

    def addition(self, days: Any, xp: Any) -> Any:
        return self.extra_messages_per_day * ((days >= 0) & (days < self.days_to(self.end)))
