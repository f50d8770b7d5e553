"""Early termination: a commitment that is ended before its time."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.timebase import epoch_s
from fleetsim.units import ExactFraction, Months, Usd, UtcTime, YearlyRate


@dataclass(frozen=True)
class EarlyTermination:
    """The commitment is ended before its time: fee = share of what is still owed, at most a cap."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    date: UtcTime
    """When it ends."""
    fee_frac: ExactFraction = Decimal(0)
    """Share of the payments still due that is paid as a fee."""
    fee_cap_usd: Usd | None = None
    """The fee is at most this."""
    discount_frac_per_year: YearlyRate = Decimal(0)
    """Payments still due are discounted at this rate; not by default."""
    refund_frac: ExactFraction = Decimal(0)
    """Share of the unused prepayment that is given back; the rest lapses."""
    minimum_term_months: Months | None = None
    """It cannot be ended earlier than so many months after its start."""

    @property
    def at_s(self) -> int:
        """When it ends, seconds since 1970."""
        return epoch_s(self.date)
