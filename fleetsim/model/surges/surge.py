"""What every surge has: the classes it acts on, a start, and neutral answers to both questions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import UtcTime


@dataclass(frozen=True, kw_only=True)
class Surge:
    """A dated change of traffic. Before `start` it changes nothing."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    holds_growth: ClassVar[bool] = False

    class_: str | tuple[str, ...]
    """Traffic class, or several."""
    start: UtcTime
    """First instant."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The traffic classes that the surge acts on."""
        return (self.class_,) if isinstance(self.class_, str) else self.class_

    @property
    def last(self) -> datetime | None:
        """When it ends by itself; None when it never does."""
        return getattr(self, "end", None)

    def addition(self, days: Any, xp: Any) -> Any:
        """Messages a day on top of the base, per class, at `days` since the start."""
        return 0.0

    def multiplier(self, days: Any, xp: Any) -> Any:
        """Factor on the rate at `days` since the start."""
        return 1.0

    def days_to(self, instant: datetime | None) -> float:
        """Days from the start to `instant`; infinity for None."""
        return float("inf") if instant is None else (instant - self.start).total_seconds() / 86_400
