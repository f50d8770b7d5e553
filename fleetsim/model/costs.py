"""Costs beside compute: staff, tasks (data labelling), plain monthly amounts."""

from dataclasses import dataclass
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG, Dated, most
from fleetsim.model.revenue import Interpolation, Role
from fleetsim.units import MOST_USD, Heads, TasksPerMonth, UsdPerHeadYear, UsdPerMonth, UsdPerTask


@dataclass(frozen=True, kw_only=True)
class Staff:
    """People at a cost per head and year; a calendar month is a twelfth of a year."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    section: ClassVar[str] = "staff"
    role: ClassVar[Role] = "input"

    headcount: Dated[Heads]
    """People."""
    interpolation: Interpolation = "steps"
    """Of `headcount` between dates: `steps` hold, `log_linear` are straight lines in the logarithm."""
    usd_per_head_per_year: Dated[UsdPerHeadYear]
    """Pay and everything that comes with a head, a year; it steps at its dates."""

    def __post_init__(self) -> None:
        if most(self.headcount) * most(self.usd_per_head_per_year) > MOST_USD:
            raise ValueError(f"headcount x usd_per_head_per_year is more than {MOST_USD:g} USD a year")


@dataclass(frozen=True, kw_only=True)
class Tasks:
    """Work bought by the piece, as labelled data."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    section: ClassVar[str] = "data"
    role: ClassVar[Role] = "input"

    tasks_per_month: Dated[TasksPerMonth]
    """Tasks of a calendar month."""
    interpolation: Interpolation = "steps"
    """Of `tasks_per_month` between dates: `steps` hold, `log_linear` are straight lines in the logarithm."""
    usd_per_task: Dated[UsdPerTask]
    """Price of one; it steps at its dates."""

    def __post_init__(self) -> None:
        if most(self.tasks_per_month) * most(self.usd_per_task) > MOST_USD:
            raise ValueError(f"tasks x price is more than {MOST_USD:g} USD a month")


@dataclass(frozen=True, kw_only=True)
class MonthlyCost:
    """A plain amount a month."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    section: ClassVar[str] = "other"
    role: ClassVar[Role] = "input"

    usd_per_month: Dated[UsdPerMonth]
    """Amount of a calendar month."""
    interpolation: Interpolation = "steps"
    """Between dates: `steps` hold, `log_linear` are straight lines in the logarithm."""


Cost = Staff | Tasks | MonthlyCost

COSTS: dict[str, type] = {"staff": Staff, "tasks": Tasks, "monthly": MonthlyCost}
"""The registry: the value of `kind` of an entry of `finance.costs`, and the class it makes."""
