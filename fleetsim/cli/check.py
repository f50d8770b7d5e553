"""`fleetsim check FILE`: every fault of a scenario file, without simulating it."""

from fleetsim.cli.console import counted, say, say_json, warn
from fleetsim.cli.options import AsJson, Overrides, ScenarioFile, ScenarioName
from fleetsim.errors import Diagnostic, ScenarioError
from fleetsim.model.scenario import Scenario


def check(
    file: ScenarioFile,
    scenario: ScenarioName = None,
    set_: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Check a scenario file and report every fault with its place."""
    from fleetsim.spec import load

    try:
        loaded = load(file, scenario=scenario, overrides=tuple(set_ or ()))
    except ScenarioError as error:
        if as_json:
            say_json({"ok": False, "diagnostics": [as_data(found) for found in error.diagnostics]})
        raise
    for warning in loaded.warnings:
        warn(str(warning))
    if as_json:
        found = [as_data(warning) for warning in loaded.warnings]
        say_json({"ok": True, "diagnostics": found, "scenario": loaded.scenario.name})
    else:
        say(f"ok: {contents(loaded.scenario)}")


def as_data(diagnostic: Diagnostic) -> dict[str, str | int]:
    """A diagnostic as plain data for `--json`."""
    from dataclasses import asdict

    return asdict(diagnostic)


def contents(scenario: Scenario) -> str:
    """What the scenario holds, in one line: `openai-2024: 2 fleets, 2 pools, ..., 366 days`."""
    horizon = scenario.horizon
    parts = [
        counted(len(scenario.fleets), "fleet"),
        counted(len(scenario.pools), "pool"),
        counted(len(scenario.traffic), "traffic class", "traffic classes"),
        counted(len(scenario.surges), "surge"),
        counted(len(scenario.contracts), "contract"),
        f"{(horizon.end - horizon.start).days:,} days in {horizon.steps:,} steps of {horizon.step_s} s",
    ]
    return f"{scenario.name}: {', '.join(parts)}"
