"""Traffic classes: who asks, how often, for how many tokens, and how long they wait."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import erfc, log, log1p, sqrt
from typing import ClassVar, Literal

from fleetsim.model.base import FILE_CONFIG, Dated, Labels
from fleetsim.units import (
    Factor,
    Fraction,
    Index,
    MessagesPerDay,
    OpenFraction,
    PositiveSeconds,
    Ratio,
    Seconds,
    Tokens,
    UtcTime,
)

IDLE = "idle"
"""In tables of cost: the traffic class and service of what was rented and not busy."""
Curve = Mapping[UtcTime, MessagesPerDay]
"""Messages per day by date: log-linear between the dates, constant before the first and after the last."""


@dataclass(frozen=True)
class SeriesFile:
    """A CSV or Parquet file with one value per regular interval; gaps are errors."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    file: str
    """Path, relative to the scenario file."""
    time: str
    """Column with the start of each interval."""
    value: str
    """Column with messages per day during the interval."""


@dataclass(frozen=True)
class Volume:
    """Messages per day over time: a curve with a share, own anchors, or a file; one of the three."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    curve: str | None = None
    """Name of a curve of the scenario."""
    share_frac: Dated[Fraction] = 1.0
    """Share of the curve that is this class's; it steps at its dates."""
    anchors: Curve | None = None
    """Own values by date, log-linear between them."""
    series: SeriesFile | None = None
    """A measured series."""


@dataclass(frozen=True)
class TokenCount:
    """Tokens of a prompt or an output: lognormal with this mean and coefficient of variation."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    mean: Tokens
    """Mean, tokens."""
    cv: Ratio = 0.0
    """Standard deviation / mean."""

    def share_above(self, tokens: float) -> float:
        """Share of them with more than so many tokens."""
        if self.mean <= 0 or self.cv <= 0:
            return float(self.mean > tokens)
        spread = log1p(self.cv**2)
        return erfc((log(tokens / self.mean) + spread / 2) / sqrt(2 * spread)) / 2


@dataclass(frozen=True)
class Shape:
    """How traffic moves over the day and the week; its mean over a week is 1.

    `consumer` stretches the Azure conversation weekday profile so that the highest hour of a day is
    `peak_to_mean` times that day's mean; `enterprise` is that service's own week, weekends lower;
    `flat` is constant.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG

    kind: Literal["consumer", "enterprise", "flat"] = "flat"
    """Which profile."""
    peak_to_mean: Factor = 1.30
    """Highest hour / mean of its own day (consumer)."""
    weekend_to_weekday: Factor = 1.0
    """A weekend day's messages / a weekday's (consumer)."""
    timezone: str = "UTC"
    """Zone of the users' clocks, with its daylight saving."""


@dataclass(frozen=True)
class Move:
    """Traffic of one service moves to another, linearly from `start` to `end`, or at once."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    from_: str
    """Service that loses its share."""
    to: str
    """Service that gains it."""
    start: UtcTime
    """First instant."""
    end: UtcTime | None = None
    """When all has moved; at `start` by default."""


@dataclass(frozen=True)
class ServiceMix:
    """Which services a class uses over time: moves between services, in order of their dates."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    mix: tuple[Move, ...]
    """Dated moves; the first one's `from` serves everything before it."""

    def services(self) -> list[str]:
        """Every service of the mix, in order of appearance."""
        return list(dict.fromkeys(name for move in self.mix for name in (move.from_, move.to)))


@dataclass(frozen=True)
class Retry:
    """What a user does whose message was shed or who gave up waiting."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    max_retries: Index = 1
    """Attempts after the first."""
    retry_frac: OpenFraction = 1.0
    """Share of lost attempts that is tried again."""
    delay_s: PositiveSeconds = 60.0
    """Mean time to the next attempt, exponential."""


@dataclass(frozen=True)
class TrafficClass:
    """Who asks."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    pool: str
    """Pool that serves the class."""
    service: str | ServiceMix
    """Service, or dated moves between services."""
    messages_per_day: MessagesPerDay | Volume
    """Messages per day: a number, or how they move over time."""
    prompt_tokens: TokenCount
    """Tokens per call that are read."""
    output_tokens: TokenCount
    """Tokens per call that are written."""
    calls_per_message: Factor = 1.0
    """Requests to a model per message, hidden ones included."""
    priority: Index = 1
    """0 is served first; equal priorities share in proportion to their demand."""
    shape: Shape = field(default_factory=Shape)
    """Day and week."""
    noise_cv_frac: Fraction = 0.0
    """Coefficient of variation of the five-minute rate around its expectation."""
    noise_correlation_frac: Fraction = 0.5
    """Share of the noise's variance that all classes have in common."""
    patience_s: PositiveSeconds | None = None
    """Mean patience of a waiting message, exponential; nobody leaves by default."""
    retry: Retry | None = None
    """What happens to a lost message; nothing by default."""
    prefix_cached_frac: Fraction = 0.0
    """Share of the prompt that replicas find in their prefix cache: it takes no prefill, and holds KV."""
    slo_wait_s: Seconds | None = None
    """A served message that waited no longer counts as within its service level."""
    slo_ttft_s: PositiveSeconds | None = None
    """The same for the time to the first token; known for services with a latency table."""
    slo_tpot_s: PositiveSeconds | None = None
    """The same for the time per output token after the first."""
    labels: Labels = field(default_factory=dict)
    """Free labels: columns of dim_traffic_class."""

    def services(self) -> list[str]:
        """Every service the class ever uses, in order of appearance."""
        return [self.service] if isinstance(self.service, str) else self.service.services()

    def volume(self, start: datetime) -> Volume:
        """How the class's messages move over time; a plain number is one anchor at `start`."""
        if isinstance(self.messages_per_day, Volume):
            return self.messages_per_day
        return Volume(anchors={start: self.messages_per_day})
