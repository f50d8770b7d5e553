"""Streams of revenue: subscriptions, tokens sold, plain monthly amounts, shares of another stream."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.model.base import FILE_CONFIG, Dated, most, values_of
from fleetsim.units import (
    MOST_USD,
    Fraction,
    LimitElasticity,
    PriceElasticity,
    Subscribers,
    UsdPerMillionTokens,
    UsdPerMonth,
)

Interpolation = Literal["steps", "log_linear"]
"""Between dated values: each holds until the next, or straight lines in the logarithm."""
Role = Literal["input", "computed"]
"""Whether a line was given to the scenario or follows from what the run did."""


@dataclass(frozen=True, kw_only=True)
class Subscription:
    """Payers at a price per month.

    Elasticity: payers = `subscribers` x (price / reference)^`price_elasticity` x (share of their messages
    that rate limits let through)^`rate_limit_elasticity`; the messages of `traffic_classes` are multiplied
    by the same factor.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG
    section: ClassVar[str] = "revenue"

    subscribers: Dated[Subscribers]
    """Payers at the reference price without a rate limit."""
    interpolation: Interpolation = "steps"
    """Of `subscribers` between dates: `steps` hold, `log_linear` are straight lines in the logarithm."""
    usd_per_month: Dated[UsdPerMonth]
    """Price of one subscription a month; it steps at its dates."""
    traffic_classes: tuple[str, ...] = ()
    """Classes whose messages it pays for: they follow its payers."""
    price_elasticity: PriceElasticity = 0.0
    """Change of payers in % per % of price: -0.5 loses half a percent of them per percent."""
    reference_usd_per_month: UsdPerMonth | None = None
    """Price at which `subscribers` and the messages of the classes hold; needed with an elasticity."""
    rate_limit_elasticity: LimitElasticity = 0.0
    """Change of payers in % per % of their expected messages that `rate_limit` policies let through."""

    def __post_init__(self) -> None:
        if self.price_elasticity:
            if self.reference_usd_per_month is None:
                raise ValueError("price_elasticity needs reference_usd_per_month")
            if not self.reference_usd_per_month or not all(values_of(self.usd_per_month)):
                raise ValueError("with a price_elasticity neither price nor reference may be 0")
        prices = [float(price) for price in values_of(self.usd_per_month)]
        dearest = max((price * self.price_factor(price) for price in prices), default=0.0)
        if most(self.subscribers) * dearest > MOST_USD:
            raise ValueError(f"subscribers x price is more than {MOST_USD:g} USD a month")

    @property
    def role(self) -> Role:
        """An input, unless an elasticity moves the payers."""
        return "computed" if self.price_elasticity or self.rate_limit_elasticity else "input"

    def price_factor(self, usd_per_month: float) -> float:
        """Payers at a price / payers at the reference; exactly 1 at the reference."""
        if not self.price_elasticity or self.reference_usd_per_month is None:
            return 1.0
        return float((usd_per_month / float(self.reference_usd_per_month)) ** self.price_elasticity)


@dataclass(frozen=True, kw_only=True)
class TokenRevenue:
    """Tokens of served messages at a list price: computed from the run."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    section: ClassVar[str] = "revenue"
    role: ClassVar[Role] = "computed"

    traffic_classes: tuple[str, ...]
    """Classes whose served tokens are sold."""
    usd_per_million_prompt_tokens: Dated[UsdPerMillionTokens]
    """Price of tokens read; the one that holds at an hour's start counts for the hour."""
    usd_per_million_output_tokens: Dated[UsdPerMillionTokens]
    """Price of tokens written, likewise."""


@dataclass(frozen=True, kw_only=True)
class MonthlyRevenue:
    """A plain amount a month: a licence, or a published curve."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    section: ClassVar[str] = "revenue"
    role: ClassVar[Role] = "input"

    usd_per_month: Dated[UsdPerMonth]
    """Amount of a calendar month."""
    interpolation: Interpolation = "steps"
    """Between dates: `steps` hold, `log_linear` are straight lines in the logarithm."""


@dataclass(frozen=True, kw_only=True)
class StreamShare:
    """A share of other streams, received or paid away (then it is negative), with a cap and a floor."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    section: ClassVar[str] = "revenue"
    role: ClassVar[Role] = "computed"

    of: str | tuple[str, ...]
    """Stream, or several; none of them a share itself."""
    share_frac: Dated[Fraction]
    """Share of them; it steps at its dates."""
    direction: Literal["received", "paid"] = "paid"
    """Whether somebody pays it to us, or we to somebody."""
    min_usd_per_month: UsdPerMonth | None = None
    """Least amount of a calendar month, in proportion for a part of one; none by default."""
    max_usd_per_month: UsdPerMonth | None = None
    """Most of a calendar month, likewise."""

    def __post_init__(self) -> None:
        low, high = self.min_usd_per_month, self.max_usd_per_month
        if low is not None and high is not None and low > high:
            raise ValueError(f"min_usd_per_month ({low:,.0f}) is above max_usd_per_month ({high:,.0f})")

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams that are shared."""
        return (self.of,) if isinstance(self.of, str) else self.of


Stream = Subscription | TokenRevenue | MonthlyRevenue | StreamShare

REVENUE: dict[str, type] = {
    "subscription": Subscription,
    "tokens": TokenRevenue,
    "monthly": MonthlyRevenue,
    "share": StreamShare,
}
"""The registry: the value of `kind` of an entry of `finance.revenue`, and the class it makes."""
