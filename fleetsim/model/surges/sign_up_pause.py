"""Sign-ups paused: a class stops growing for a while, and never catches up."""

from dataclasses import dataclass
from typing import ClassVar

from fleetsim.model.surges.surge import Surge
from fleetsim.units import UtcTime


@dataclass(frozen=True, kw_only=True)
class SignUpPause(Surge):
    """Holds the class's growth at 0 between `start` and `end`; later levels shift down.

    The base is multiplied by base(start) / base(end) after the pause, so that growth goes on at its
    own rate from the lower level. Pauses that overlap are one. A dated share of a curve still steps: it
    is a change of product, not growth.
    """

    holds_growth: ClassVar[bool] = True

    end: UtcTime
    """When sign-ups open again."""
