"""Finance: what comes in and goes out beside the rent of GPUs, and the cash that is there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.costs import COSTS
from fleetsim.model.revenue import REVENUE, Subscription
from fleetsim.units import Fraction, Usd, UtcTime

__all__ = ["COSTS", "REVENUE", "Finance", "Round"]


@dataclass(frozen=True, kw_only=True)
class Round:
    """Money from investors: cash, and cloud credits that pay for compute alone."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    date: UtcTime
    """When it is received."""
    usd: Usd
    """Amount, credits included."""
    as_credits_frac: Fraction = 0.0
    """Share of it that is cloud credits: billed compute draws them before it takes cash."""


@dataclass(frozen=True, kw_only=True)
class Finance:
    """Monthly P&L and cash. Compute comes from the contracts; everything else is declared here."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    opening_cash_usd: Usd | None = None
    """Cash when recording begins; without it and without `funding` there is no cash balance."""
    opening_credits_usd: Usd | None = None
    """Cloud credits when recording begins."""
    revenue: Mapping[str, Any] = field(default_factory=dict)
    """Each revenue stream by its name."""
    costs: Mapping[str, Any] = field(default_factory=dict)
    """Each cost beside compute by its name."""
    funding: Mapping[str, Round] = field(default_factory=dict)
    """Each funding round by its name."""

    @property
    def has_cash(self) -> bool:
        """Whether anything is said of cash, so that a balance means something."""
        return self.opening_cash_usd is not None or bool(self.funding)

    @property
    def has_credits(self) -> bool:
        """Whether anything is said of credits or of cash."""
        return self.opening_credits_usd is not None or self.has_cash

    def elastic(self) -> dict[str, Subscription]:
        """The subscriptions whose payers, and with them messages, may move."""
        return {name: stream for name, stream in self.revenue.items()
                if isinstance(stream, Subscription) and stream.role == "computed"}
