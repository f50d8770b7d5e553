"""A whole run in memory, and what tests count in it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from fleetsim.engine import simulate
from fleetsim.model.scenario import Horizon, Scenario
from fleetsim.output.sink import TableSink

SEED = 3


class WholeRun:
    """Tables of one scenario, as pandas frames."""

    def __init__(self, scenario: Scenario, resolution: str = "hour", **options: Any) -> None:
        self.scenario = scenario
        self.sink = TableSink()
        simulate(scenario, seed=SEED, sink=self.sink, resolution=resolution, **options)

    def frame(self, table: str) -> pd.DataFrame:
        """A table; text columns hold text."""
        columns = {}
        for name, column in zip((table_ := self.sink.table(table)).column_names, table_.columns, strict=True):
            columns[name] = column.to_pandas()
            if isinstance(columns[name].dtype, pd.CategoricalDtype):
                columns[name] = columns[name].astype(object)
        return pd.DataFrame(columns)

    @property
    def hours(self) -> pd.DatetimeIndex:
        """Hours on record."""
        horizon = self.scenario.horizon
        return pd.date_range(horizon.start + timedelta(hours=horizon.recorded_from), horizon.end,
                             freq="h", inclusive="left")

    def fleet_hours(self, fleet: str, column: str) -> "np.ndarray[Any, Any]":
        """A column of the capacity table, summed over a fleet's pools, for each hour; 0 without a row."""
        rows = self.frame("fact_capacity_hourly")
        sums = rows[rows["fleet"] == fleet].groupby("hour")[column].sum()
        return np.asarray(sums.reindex(self.hours, fill_value=0).to_numpy())

    def fleet_seconds(self, fleet: str, name: str) -> list[int]:
        """Whole GPU-seconds of a fleet for each hour."""
        whole: list[int] = gpu_seconds(self.fleet_hours(fleet, f"{name}_gpu_hours")).tolist()
        return whole


def step_at(horizon: Horizon, instant: datetime) -> int:
    """The first step that starts at or after an instant."""
    return -(-round((instant - horizon.start).total_seconds()) // horizon.step_s)


def gpu_seconds(gpu_hours: Any) -> Any:
    """GPU-hours of whole GPUs and steps as whole GPU-seconds; fails when they are not."""
    exact = np.asarray(gpu_hours, dtype=float) * 3_600
    whole = np.rint(exact)
    assert np.all(np.abs(exact - whole) < 1e-3)
    return whole.astype(np.int64)


def per_hour(horizon: Horizon, by_step: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """Sums over the hours on record of one value per step, times the length of a step."""
    sums = by_step.reshape(-1, 3_600 // horizon.step_s).sum(axis=1) * horizon.step_s
    return sums[horizon.recorded_from :]


def by_step(horizon: Horizon, changes: list[tuple[int, int]]) -> "np.ndarray[Any, Any]":
    """A level per step from (step, change); a change after the end changes nothing."""
    level = np.zeros(horizon.steps, dtype=np.int64)
    for step, change in changes:
        level[max(0, step) :] += change
    return level


def rented_by_step(run: WholeRun, fleet: str, kinds: Callable[[str], bool]) -> "np.ndarray[Any, Any]":
    """Rented GPUs of a fleet in each step, from its events of some kinds alone."""
    horizon = run.scenario.horizon
    events = run.frame("fact_event")
    events = events[(events["thing"] == f"fleet/{fleet}") & events["gpus"].notna()]
    return by_step(horizon, [
        (step_at(horizon, row.effective_time.to_pydatetime()), int(row.gpus))
        for row in events.itertuples() if kinds(row.kind)])
