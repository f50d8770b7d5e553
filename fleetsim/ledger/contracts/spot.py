"""Spot: GPU-hours at the market's price, which the provider can take away."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.agreement import FleetAgreement, check_term, term_s
from fleetsim.ledger.primitives import Market, RateCard
from fleetsim.model.base import Dated
from fleetsim.units import ExactFraction, Hours, OpenFraction, Ratio, Seconds, UsdPerGpuHour, UtcTime


@dataclass(frozen=True, kw_only=True)
class Spot(FleetAgreement):
    """Bills rented GPU-hours at a price that moves every hour; interruptions take GPUs away for a time.

    Interruptions come as a Poisson process per fleet. What they take is neither rented nor billed until it
    comes back; then it is billed and does not serve for `restart_s`: work lost and starting again.
    """

    kind: ClassVar[str] = "spot"
    bills: ClassVar[Literal["committed", "allocated"]] = "allocated"

    usd_per_gpu_hour: Dated[UsdPerGpuHour]
    """Mean price of a GPU-hour."""
    price_cv_frac: Ratio = 0.0
    """Standard deviation / mean of the hourly price; constant by default."""
    price_correlation_h: Hours = 24.0
    """Time over which the price forgets, hours."""
    interruption_mtbf_h: Hours | None = None
    """Mean time between two interruptions of the fleet; none by default."""
    interrupted_frac: OpenFraction = 1.0
    """Share of the fleet's GPUs that an interruption takes."""
    interruption_h: Hours = 6.0
    """Hours until they come back."""
    restart_s: Seconds = 0.0
    """After that: billed and not serving, seconds."""

    share_frac: ExactFraction | None = None
    """At most this share of the fleet's allocated GPU-hours, billed as allocated; the other price list has
    the rest. All rented GPU-hours by default."""
    start: UtcTime | None = None
    """First instant at which it bills; from the beginning by default."""
    end: UtcTime | None = None
    """Last instant, exclusive; to the end by default."""

    def __post_init__(self) -> None:
        check_term(self.start, self.end)

    @property
    def changes_capacity(self) -> bool:
        """Whether the contract takes GPUs away, so that re-billing has to simulate again."""
        return self.interruption_mtbf_h is not None

    def primitive(self) -> RateCard:
        """A rate card whose price moves."""
        market = Market(stream=f"fleet/{self.fleet}/spot-price", cv_frac=self.price_cv_frac,
                        correlation_h=self.price_correlation_h) if self.price_cv_frac else None
        start_s, end_s = term_s(self.start, self.end, None)
        return RateCard(fleet=self.fleet, prices=self.prices(self.usd_per_gpu_hour), market=market,
                        running=self.share_frac is None, most_frac=self.share_frac, start_s=start_s,
                        end_s=end_s, charge="spot")
