"""A spike that decays: a launch, a novelty, a news day."""

from dataclasses import dataclass
from typing import Any

from fleetsim.model.surges.surge import Surge
from fleetsim.units import PositiveDays, Ratio


@dataclass(frozen=True, kw_only=True)
class Spike(Surge):
    """Multiplies the rate by 1 + s exp(-t/tau) from `start` on."""

    extra_frac: Ratio
    """s: 0.5 for half as much again at the start."""
    tau_days: PositiveDays
    """Time in which the extra falls to 1/e, days."""

    def multiplier(self, days: Any, xp: Any) -> Any:
        decay = xp.exp(-xp.maximum(days, 0.0) / self.tau_days)
        return 1.0 + self.extra_frac * decay * (days >= 0)
