"""What every part of a scenario file shares: unknown keys are errors, Python keywords get an alias."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias, TypeVar

from fleetsim.units import UtcTime


def yaml_key(field: str) -> str:
    """The key of a field in YAML: `from_` and `class_` lose the mark that Python needs."""
    return field.rstrip("_")


FILE_CONFIG: dict[str, Any] = {
    "extra": "forbid",
    "alias_generator": yaml_key,
}
"""Read by pydantic at the file edge, as `__pydantic_config__` of each class."""

Labels = Mapping[str, str]
"""Free labels (team, cost_centre, product); each becomes a column of the thing's table."""

T = TypeVar("T")
Dated: TypeAlias = T | Mapping[UtcTime, T]
"""A value, or values by the date from which each holds; the first also holds before its date."""


def at(value: "Dated[T]", instant: datetime) -> T:
    """The value that holds at `instant`."""
    if not isinstance(value, Mapping):
        return value
    dates = sorted(value)
    held = dates[0]
    for date in dates:
        if date <= instant:
            held = date
    return value[held]


def values_of(value: "Dated[T]") -> list[T]:
    """Every value that a dated value ever has."""
    return list(value.values()) if isinstance(value, Mapping) else [value]


def most(value: "Dated[float] | Dated[Decimal]") -> float:
    """The largest value that a dated number ever has; 0 when it has none."""
    numbers = value.values() if isinstance(value, Mapping) else [value]
    return max((float(number) for number in numbers), default=0.0)


def change_dates(value: "Dated[T]") -> list[datetime]:
    """The dates at which a dated value may change."""
    return sorted(value)[1:] if isinstance(value, Mapping) else []
