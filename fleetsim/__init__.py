"""fleetsim: how many GPUs, for what traffic, under which contract, and what does it cost?

    import fleetsim as fs

    scenario = fs.load("workloads/openai-2024.yaml")
    run = fs.simulate(scenario, seed=7)
    run.table("fact_cost_hourly")
    fs.rebill(run, "workloads/contracts/azure-list.yaml").figure("cost.total_usd")
    fs.compare(["workloads/contract-comparison.yaml"]).table()
    fs.plot.capacity(run)
    fs.size("calls.parquet", slo="ttft_p99_s<=1", service="llama-2-70b", gpu="a100-80gb").replicas

Names are imported when they are first used (PEP 562): `import fleetsim` itself loads nothing heavy.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fleetsim.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence
    from os import PathLike

    import fleetsim.report.plots as plot
    from fleetsim.errors import (
        Diagnostic,
        FleetsimError,
        ObjectivesMissed,
        ScenarioError,
        SimulationError,
        UsageError,
    )
    from fleetsim.experiments.comparison import compare
    from fleetsim.experiments.optimize import optimize
    from fleetsim.experiments.rebill import rebill
    from fleetsim.experiments.reliability import reliability
    from fleetsim.experiments.replay import replay
    from fleetsim.experiments.size import size
    from fleetsim.model.scenario import Scenario
    from fleetsim.output import Run, open_run
    from fleetsim.output.export import export
    from fleetsim.runner import simulate
    from fleetsim.spec import override

_HOMES = {
    "override": "fleetsim.spec",
    "simulate": "fleetsim.runner",
    "compare": "fleetsim.experiments.comparison",
    "optimize": "fleetsim.experiments.optimize",
    "rebill": "fleetsim.experiments.rebill",
    "reliability": "fleetsim.experiments.reliability",
    "replay": "fleetsim.experiments.replay",
    "size": "fleetsim.experiments.size",
    "export": "fleetsim.output.export",
    "open_run": "fleetsim.output",
    "Run": "fleetsim.output",
    "Scenario": "fleetsim.model.scenario",
    "Diagnostic": "fleetsim.errors",
    "FleetsimError": "fleetsim.errors",
    "ObjectivesMissed": "fleetsim.errors",
    "ScenarioError": "fleetsim.errors",
    "SimulationError": "fleetsim.errors",
    "UsageError": "fleetsim.errors",
}

__all__ = [
    "Diagnostic",
    "FleetsimError",
    "ObjectivesMissed",
    "Run",
    "Scenario",
    "ScenarioError",
    "SimulationError",
    "UsageError",
    "__version__",
    "compare",
    "export",
    "load",
    "open_run",
    "optimize",
    "override",
    "plot",
    "rebill",
    "reliability",
    "replay",
    "simulate",
    "size",
]


def load(
    path: "str | PathLike[str]", *, scenario: str | None = None, overrides: "Sequence[str]" = ()
) -> "Scenario":
    """The scenario in the file at `path`, resolved and checked.

    `scenario` names one of the file's `scenarios`; `overrides` are texts such as
    `"traffic.plus.patience_s=60"`. Faults raise ScenarioError with all of them; values that are allowed
    and can hardly be meant are reported as Python warnings.
    """
    from os import PathLike
    from warnings import warn

    from fleetsim.errors import UsageError
    from fleetsim.spec import load as load_file

    if not isinstance(path, str | PathLike):
        raise UsageError(f"load takes the path of a scenario file, not {type(path).__name__}")
    loaded = load_file(path, scenario=scenario, overrides=overrides)
    for diagnostic in loaded.warnings:
        warn(str(diagnostic), stacklevel=2)
    return loaded.scenario


def __getattr__(name: str) -> Any:
    if name == "plot":
        value: Any = import_module("fleetsim.report.plots")
    elif name in _HOMES:
        value = getattr(import_module(_HOMES[name]), name)
    else:
        raise AttributeError(f"module 'fleetsim' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
