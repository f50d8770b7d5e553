"""Provider delay: credits for tranches that come late."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import DaysCount, UsdPerGpu


@dataclass(frozen=True)
class ProviderDelay:
    """Credits for tranches that are accepted later than promised."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    credit_usd_per_gpu_day: UsdPerGpu
    """Per GPU and whole day of delay."""
    grace_days: DaysCount = 0
    """Days of delay without a credit."""
    cap_usd_per_gpu: UsdPerGpu | None = None
    """At most so much per GPU."""

    def usd_per_gpu(self, days: int) -> Decimal:
        """The credit for so many whole days of delay."""
        due = max(days - self.grace_days, 0) * self.credit_usd_per_gpu_day
        return due if self.cap_usd_per_gpu is None else min(due, self.cap_usd_per_gpu)
