"""SLA credits: a part of the fee back for missed uptime."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import ExactFraction


@dataclass(frozen=True)
class SlaBracket:
    """A credit below an uptime."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    uptime_below_frac: ExactFraction
    """Uptime of the month below which it is due."""
    credit_frac: ExactFraction
    """Share of the month's usage charges."""


@dataclass(frozen=True)
class SlaCredit:
    """Credits for missed uptime, as a share of the month's usage charges of the contract."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    brackets: tuple[SlaBracket, ...]
    """Credits by uptime; the lowest uptime that is missed counts."""
    cap_frac: ExactFraction = Decimal(1)
    """At most this share of the charges."""

    def credit_frac(self, uptime: Fraction) -> Decimal:
        """The share that an uptime gives back."""
        missed = [each for each in self.brackets if uptime < Fraction(each.uptime_below_frac)]
        if not missed:
            return Decimal(0)
        return min(min(missed, key=lambda each: each.uptime_below_frac).credit_frac, self.cap_frac)
