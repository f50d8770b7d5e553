"""Payment schedule: how much of a commitment is paid at its start."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import ExactFraction, UsdPerGpu


@dataclass(frozen=True)
class PaymentSchedule:
    """When a commitment is paid: a part at its start, the rest month by month."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    upfront_frac: ExactFraction = Decimal(0)
    """Share of the whole price that is paid at the start: 0 no upfront, 1 all upfront."""
    upfront_usd_per_gpu: UsdPerGpu = Decimal(0)
    """Paid per GPU at the start, on top of the price per hour."""

    @property
    def ahead(self) -> bool:
        """Whether anything is paid at the start."""
        return bool(self.upfront_frac or self.upfront_usd_per_gpu)


MONTHLY = PaymentSchedule()
"""Nothing is paid ahead."""
