"""`fleetsim check FILE`: every fault of a scenario file, without simulating it."""

from datetime import timedelta
from typing import TYPE_CHECKING

from fleetsim.cli.console import say, say_json, warn
from fleetsim.cli.options import AsJson, Overrides, ScenarioFile, ScenarioName
from fleetsim.report.numbers import counted

if TYPE_CHECKING:
    from fleetsim.model.scenario import Scenario


def check(
    file: ScenarioFile,
    scenario: ScenarioName = None,
    set_: Overrides = None,
    as_json: AsJson = False,
) -> None:
    """Check a scenario file, each of its named scenarios too; report every fault with its place.

    Of a contract or offer file it checks what shows without a scenario.
    """
    from fleetsim.spec import check_contract_file, is_contract_file, load, load_all
    from fleetsim.spec.offer_file import is_offer_file, load_offers

    overrides = tuple(set_ or ())
    if scenario is None and not overrides and is_contract_file(file):
        name, contracts = check_contract_file(file)
        say_json({"ok": True, "diagnostics": [], "contracts": contracts}) if as_json else say(
            f"ok: {name}: {counted(contracts, 'contract')}")
        return
    if scenario is None and not overrides and is_offer_file(file):
        offers = len(load_offers(file))
        say_json({"ok": True, "diagnostics": [], "offers": offers}) if as_json else say(
            f"ok: {file.stem}: {counted(offers, 'offer')}")
        return
    if scenario is None:
        loaded = list(load_all(file, overrides=overrides).values())
    else:
        loaded = [load(file, scenario=scenario, overrides=overrides)]
    warnings = list(dict.fromkeys(warning for one in loaded for warning in one.warnings))
    for warning in warnings:
        warn(str(warning))
    if as_json:
        from dataclasses import asdict

        say_json({"ok": True, "diagnostics": [asdict(warning) for warning in warnings],
                  "scenarios": [one.scenario.name for one in loaded]})
    else:
        for one in loaded:
            say(f"ok: {contents(one.scenario)}")


def contents(scenario: "Scenario") -> str:
    """What the scenario holds, in one line: `openai-2024: 2 fleets, 2 pools, ..., 366 days`."""
    horizon = scenario.horizon
    parts = [
        counted(len(scenario.fleets), "fleet"),
        counted(len(scenario.pools), "pool"),
        counted(len(scenario.traffic), "traffic class", "traffic classes"),
        counted(len(scenario.surges), "surge"),
        counted(len(scenario.contracts), "contract"),
        f"{_length(horizon.end - horizon.start)} in {horizon.steps:,} steps of {horizon.step_s} s",
    ]
    return f"{scenario.name}: {', '.join(parts)}"


def _length(horizon: timedelta) -> str:
    """`366 days`, or `6 hours` when it is not whole days."""
    hours = horizon // timedelta(hours=1)
    return counted(hours, "hour") if hours % 24 else counted(hours // 24, "day")
