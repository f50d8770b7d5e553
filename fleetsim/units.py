"""Unit aliases for scenario fields, and columns of tables.

A field's type says its unit and its bounds once; the check of a file, the JSON Schema and the
reference pages all read them from here. The markers speak pydantic's protocol without importing it,
so that `fleetsim.model` stays free of third-party code.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, NamedTuple


@dataclass(frozen=True)
class Quantity:
    """A number with a unit, bounds that must hold and bounds beyond which it cannot be meant."""

    unit: str
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    warn_above: float | None = None
    """A value above this is allowed and reported as a warning: most likely a wrong unit."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        schema = dict(handler(source))
        bounds = {"ge": self.ge, "gt": self.gt, "le": self.le, "lt": self.lt}
        schema.update({name: bound for name, bound in bounds.items() if bound is not None})
        if schema["type"] in ("int", "float"):
            schema["strict"] = True  # `true` or "12" is no number
        if schema["type"] == "float":
            schema["allow_inf_nan"] = False
        if schema["type"] == "decimal":  # strict would refuse the floats that a file holds
            return {
                "type": "function-before",
                "function": {"type": "no-info", "function": not_text},
                "schema": schema,
            }
        return schema

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Callable[[Any], Any]) -> Any:
        if core_schema["type"] != "function-before":
            return {**handler(core_schema), "unit": self.unit}
        bounds = {"minimum": self.ge, "exclusiveMinimum": self.gt, "maximum": self.le,
                  "exclusiveMaximum": self.lt}
        written = {name: bound for name, bound in bounds.items() if bound is not None}
        return {"type": "number", **written, "unit": self.unit}


@dataclass(frozen=True)
class Instant:
    """A point in time, UTC. `2024-01-01` means midnight; a time without a zone is UTC."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        return {
            "type": "function-plain",
            "function": {"type": "no-info", "function": as_utc},
            "serialization": {"type": "to-string"},
        }

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Callable[[Any], Any]) -> Any:
        pattern = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)?$"
        return {"type": "string", "pattern": pattern, "unit": "UTC"}


def not_text(value: object) -> object:
    """The value itself; ValueError when it is text, which no amount of money is."""
    if isinstance(value, str | bool):
        raise ValueError(f"{value!r} is no number")
    return value


def as_utc(value: object) -> datetime:
    """The instant that a date, a datetime or their ISO 8601 text names; ValueError when none."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is no date; write 2024-01-31 or 2024-01-31T18:00Z") from None
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise ValueError(f"{value!r} is no date; write 2024-01-31 or 2024-01-31T18:00Z")


UtcTime = Annotated[datetime, Instant()]

# Counts and shares
MOST_GPUS = 100_000_000
"""Most GPUs of one fleet: many times what the world has; beyond it sums of money overflow."""
MOST_MESSAGES_PER_DAY = 1e14
"""Most messages of one class or curve a day: ten thousand for everybody alive."""

ExactFraction = Annotated[Decimal, Quantity("1", ge=0, le=1)]
YearlyRate = Annotated[Decimal, Quantity("1/year", ge=0, le=10)]
Gpus = Annotated[int, Quantity("GPU", ge=0, le=MOST_GPUS, warn_above=50_000_000)]
Nodes = Annotated[int, Quantity("1", ge=0, le=MOST_GPUS)]
NodeCount = Annotated[int, Quantity("1", gt=0, le=MOST_GPUS)]
GpuCount = Annotated[int, Quantity("GPU", gt=0, le=MOST_GPUS, warn_above=50_000_000)]
Fraction = Annotated[float, Quantity("1", ge=0, le=1)]
PartFraction = Annotated[float, Quantity("1", ge=0, lt=1)]
OpenFraction = Annotated[float, Quantity("1", gt=0, le=1)]
Factor = Annotated[float, Quantity("1", gt=0, warn_above=10_000)]
Ratio = Annotated[float, Quantity("1", ge=0, warn_above=10_000)]
PowerUsage = Annotated[float, Quantity("1", ge=1, le=5, warn_above=3)]
Count = Annotated[float, Quantity("1", ge=0)]
Index = Annotated[int, Quantity("1", ge=0)]

# Time
Seconds = Annotated[float, Quantity("s", ge=0, warn_above=366 * 86_400)]
WindowWarmupSeconds = Annotated[float, Quantity("s", ge=0, le=86_400)]
PositiveSeconds = Annotated[float, Quantity("s", gt=0, warn_above=366 * 86_400)]
MOST_JOB_H = 1_000_000
"""Longest work of a training job, 114 years; times of jobs are 64-bit numbers of nanoseconds."""
MOST_JOB_S = 10 * 366 * 86_400
"""Longest pause of a training job, ten years."""
JobSeconds = Annotated[float, Quantity("s", ge=0, le=MOST_JOB_S, warn_above=366 * 86_400)]
PositiveJobSeconds = Annotated[float, Quantity("s", gt=0, le=MOST_JOB_S, warn_above=366 * 86_400)]
JobHours = Annotated[float, Quantity("h", gt=0, le=MOST_JOB_H)]
StepSeconds = Annotated[int, Quantity("s", gt=0, le=3_600)]
Hours = Annotated[float, Quantity("h", gt=0, warn_above=1_000_000)]
Days = Annotated[float, Quantity("day", ge=0, warn_above=36_500)]
PositiveDays = Annotated[float, Quantity("day", gt=0, warn_above=36_500)]
SignedDays = Annotated[float, Quantity("day", ge=-36_500, le=36_500)]
DaysCount = Annotated[int, Quantity("day", ge=0, le=36_500)]
Months = Annotated[int, Quantity("month", gt=0, le=1_200, warn_above=240)]

# Traffic and serving
MessagesPerDay = Annotated[float, Quantity("message/day", ge=0, le=MOST_MESSAGES_PER_DAY, warn_above=1e13)]
MessagesPerSecond = Annotated[float, Quantity("message/s", ge=0, le=1e9, warn_above=1e8)]
Tokens = Annotated[float, Quantity("token", ge=0, warn_above=10_000_000)]
TokensPerSecond = Annotated[float, Quantity("token/s", gt=0, warn_above=1e7)]
ReplicaCount = Annotated[int, Quantity("replica", gt=0, le=MOST_GPUS)]
Batch = Annotated[int, Quantity("sequence", gt=0, le=65_536)]
TokenLimit = Annotated[int, Quantity("token", gt=0, le=10**10)]
StepMilliseconds = Annotated[float, Quantity("ms", ge=1e-6, warn_above=60_000)]
"""A step takes at least a nanosecond, or time would stand still."""
Milliseconds = Annotated[float, Quantity("ms", ge=0, warn_above=60_000)]
GigaBytes = Annotated[float, Quantity("GB", ge=0, warn_above=10_000)]
GigaBytesPerSecond = Annotated[float, Quantity("GB/s", gt=0, warn_above=1e6)]
Microseconds = Annotated[float, Quantity("us", ge=0, warn_above=1e6)]
NanosecondsPerToken = Annotated[float, Quantity("ns/token", ge=0, warn_above=1e6)]
GpuSeconds = Annotated[float, Quantity("GPU-s", gt=0, warn_above=1e6)]

# Training
Flops = Annotated[float, Quantity("FLOP", gt=0, warn_above=1e29)]
StateGigaBytes = Annotated[float, Quantity("GB", gt=0, warn_above=1e6)]
JobsPerDay = Annotated[float, Quantity("job/day", ge=0, le=1e6, warn_above=1e5)]

# Money
MOST_USD = 9e12
"""Largest amount: more micro-dollars than it holds do not fit 64 bits."""

Usd = Annotated[Decimal, Quantity("USD", ge=0, le=MOST_USD, warn_above=1e12)]
UsdPerGpuHour = Annotated[Decimal, Quantity("USD/GPU-hour", ge=0, le=10_000, warn_above=100)]
UsdPerHour = Annotated[Decimal, Quantity("USD/hour", ge=0, le=1e9, warn_above=1e8)]
UsdPerGpu = Annotated[Decimal, Quantity("USD/GPU", ge=0, le=1e7, warn_above=1e6)]
UsdPerKwh = Annotated[Decimal, Quantity("USD/kWh", ge=0, le=100, warn_above=2)]
UsdPerKwMonth = Annotated[Decimal, Quantity("USD/kW/month", ge=0, le=1e6, warn_above=5_000)]
ExactKw = Annotated[Decimal, Quantity("kW", ge=0, le=1_000, warn_above=20)]
GpuHoursCount = Annotated[int, Quantity("GPU-hour", ge=0, le=10**12)]
UsdPerMonth = Annotated[Decimal, Quantity("USD/month", ge=0, le=MOST_USD, warn_above=1e12)]
UsdPerHeadYear = Annotated[Decimal, Quantity("USD/head/year", ge=0, le=1e9, warn_above=2e7)]
UsdPerTask = Annotated[Decimal, Quantity("USD/task", ge=0, le=1e9, warn_above=1e5)]
UsdPerMillionTokens = Annotated[Decimal, Quantity("USD/million tokens", ge=0, le=1e6, warn_above=1_000)]
Subscribers = Annotated[float, Quantity("subscriber", ge=0, le=1e12, warn_above=8e9)]
Heads = Annotated[float, Quantity("head", ge=0, le=1e9, warn_above=1e7)]
TasksPerMonth = Annotated[float, Quantity("task/month", ge=0, le=1e15, warn_above=1e12)]
PriceElasticity = Annotated[float, Quantity("1", ge=-10, le=0)]
LimitElasticity = Annotated[float, Quantity("1", ge=0, le=10)]


@dataclass(frozen=True)
class Column:
    """One column of a table: name with its unit, Arrow type by name, and what it means.

    `additive` says whether the values may be summed over rows; a level (GPUs now) may not.
    """

    name: str
    dtype: str
    unit: str
    meaning: str
    additive: bool = False


class Coded(NamedTuple):
    """A text column: per row a code (int32 array), and the names that the codes stand for."""

    codes: Any
    names: tuple[str, ...]
