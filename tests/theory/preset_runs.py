"""Runs of the scenarios that ship, made by the command line and read back from their tables."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from fleetsim.cli.main import app
from fleetsim.output.run import Run

WORKLOADS = Path(__file__).parents[2] / "workloads"

Preset = Callable[..., Run]
"""preset(file, scenario name or None, *settings) -> the run, made once."""


def presets(results: Path) -> Preset:
    """Runs land under `results` and are kept for whoever asks again."""

    @cache
    def run(name: str, scenario: str | None = None, *settings: str) -> Run:
        words = ["run", str(WORKLOADS / f"{name}.yaml"), "--results", str(results), "--seed", "7", "--json"]
        words += ["--scenario", scenario] if scenario else []
        words += [word for setting in settings for word in ("--set", setting)]
        outcome = CliRunner().invoke(app, words)
        assert outcome.exit_code == 0, outcome.output
        return Run(json.loads(outcome.stdout)["path"])

    return run


def value(run: Run, query: str) -> Any:
    """The one value that a query over the tables gives."""
    rows = run.query(query).to_pylist()
    assert len(rows) == 1
    return next(iter(rows[0].values()))


def required_on_weekday_peaks(run: Run, pool: str) -> float:
    """Mean over the weekdays 2024-05-13 to 06-14 of the day's highest hourly required GPUs."""
    return float(value(run, f"""
        select avg(highest) from (
            select max(required) as highest from (
                select hour, sum(required_gpu_hours) as required from fact_capacity_hourly
                where pool = '{pool}' and hour >= '2024-05-13' and hour < '2024-06-15' group by hour)
            where isodow(hour) <= 5 group by hour::date)"""))
