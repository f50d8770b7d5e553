"""Devices adopt a feature: eligible devices x adoption x requests x share routed."""

from dataclasses import dataclass
from typing import Any

from fleetsim.model.surges.surge import Surge
from fleetsim.units import Count, Fraction, PositiveDays, UtcTime


@dataclass(frozen=True, kw_only=True)
class Adoption(Surge):
    """Adds eligible x adopted(t) x requests per device and day x routed share, from `start` on.

    adopted(t) = max (1 - exp(-t/tau)), t counted from `adoption_start`, which may lie before `start`.
    """

    eligible_devices: Count
    """Devices that can use the feature."""
    adoption_start: UtcTime
    """When devices began to adopt."""
    adoption_max_frac: Fraction
    """Share that adopts in the end."""
    adoption_tau_days: PositiveDays
    """Time constant of adoption, days."""
    requests_per_device_per_day: Count
    """Requests of an adopted device."""
    routed_frac: Fraction
    """Share of the requests that comes to this class."""

    def addition(self, days: Any, xp: Any) -> Any:
        age = xp.maximum(days - self.days_to(self.adoption_start), 0.0)
        adopted = self.adoption_max_frac * (1.0 - xp.exp(-age / self.adoption_tau_days))
        routed = self.eligible_devices * self.requests_per_device_per_day * self.routed_frac
        return routed * adopted * (days >= 0)
