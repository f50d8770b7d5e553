"""extends, overrides, scenarios and --set: what is merged, what is refused, and where faults point."""

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from small import TEXT, changed, write

from fleetsim.errors import ScenarioError, UsageError
from fleetsim.spec import load, override

LAYERED = (
    TEXT
    + """
overrides:
  dear: {contracts.azure-a100.usd_per_gpu_hour: 2.60}
  dearer: {contracts.azure-a100.usd_per_gpu_hour: 5.20}
  oracle:
    fleets.oracle: {gpu: h100-80gb, provider: oracle, tranches: [{date: 2024-01-01, gpus: 80}]}
    pools.chat.fleets: {oracle: {gpus: 80}}
    contracts.oracle: {kind: on_demand, fleet: oracle, usd_per_gpu_hour: 3}
scenarios:
  base:
  dear: [dear]
  both: [dear, dearer]
  set: {overrides: [dear], set: {traffic.plus.patience_s: 30}}
  oracle: [oracle]
"""
)


def price(path: Path, name: str | None = None, *sets: str) -> Decimal:
    contract = load(path, scenario=name, overrides=sets).scenario.contracts["azure-a100"]
    return contract.usd_per_gpu_hour


def test_extends_merges_maps_and_replaces_lists_and_scalars(tmp_path: Path) -> None:
    write(tmp_path, TEXT, "parts/base.yaml")
    own = write(
        tmp_path,
        "extends: parts/base.yaml\nname: own\n"
        "fleets: {azure: {region: east, tranches: [{date: 2024-01-02, gpus: 900}]}}\n"
        "traffic: {plus: {prompt_tokens: {cv: null}}}\n",
        "own.yaml",
    )
    scenario = load(own).scenario
    fleet = scenario.fleets["azure"]
    assert (scenario.name, fleet.region, fleet.provider) == ("own", "east", "azure")
    assert [tranche.gpus for tranche in fleet.tranches] == [900]
    assert scenario.traffic["plus"].prompt_tokens.mean == 2700
    assert scenario.traffic["plus"].prompt_tokens.cv == 0.0
    assert not {"extends", "overrides", "scenarios"} & set(scenario.source)


def test_a_chain_of_three_files(tmp_path: Path) -> None:
    write(tmp_path, LAYERED, "a/base.yaml")
    write(tmp_path, "extends: base.yaml\nhorizon: {step_s: 600, control_s: 600}\n", "a/middle.yaml")
    top = write(tmp_path, "extends: a/middle.yaml\nscenarios: {cheap: [dear]}\n", "top.yaml")
    assert load(top).scenario.horizon.step_s == 600
    assert price(top, "cheap") == Decimal("2.6")
    assert price(top, "both") == Decimal("5.2")


@pytest.mark.parametrize(("name", "usd"), [(None, "1.3"), ("base", "1.3"), ("dear", "2.6"), ("both", "5.2")])
def test_named_scenarios_apply_their_overrides_in_order(tmp_path: Path, name: str | None, usd: str) -> None:
    assert price(write(tmp_path, LAYERED), name) == Decimal(usd)


def test_set_comes_last_and_may_make_a_map_that_has_defaults(tmp_path: Path) -> None:
    file = write(tmp_path, LAYERED)
    assert price(file, "dear", "contracts.azure-a100.usd_per_gpu_hour=0.9") == Decimal("0.9")
    loaded = load(
        file,
        scenario="set",
        overrides=["traffic.plus.shape.kind=consumer", "traffic.plus.shape.peak_to_mean=1.6", "name=other"],
    )
    plus = loaded.scenario.traffic["plus"]
    assert (plus.patience_s, plus.shape.kind, plus.shape.peak_to_mean) == (30, "consumer", 1.6)
    assert loaded.scenario.name == "other"


def test_a_list_entry_and_null(tmp_path: Path) -> None:
    file = write(tmp_path, changed(("output_tokens: {mean: 400}", "output_tokens: {mean: 400, cv: 1}")))
    loaded = load(file, overrides=["fleets.azure.tranches.0.gpus=900", "traffic.plus.output_tokens.cv=null"])
    assert loaded.scenario.fleets["azure"].tranches[0].gpus == 900
    assert loaded.scenario.traffic["plus"].output_tokens.cv == 0.0


def test_an_override_may_add_a_thing(tmp_path: Path) -> None:
    scenario = load(write(tmp_path, LAYERED), scenario="oracle").scenario
    assert list(scenario.fleets) == ["azure", "oracle"]
    assert list(scenario.pools["chat"].fleets) == ["azure", "oracle"]
    assert set(scenario.gpus) == {"a100-80gb", "h100-80gb"}


def test_a_fault_points_at_the_file_that_wrote_the_value(tmp_path: Path) -> None:
    base = write(tmp_path, changed(("{mean: 400}", "{mean: few}")), "base.yaml")
    own = write(tmp_path, "extends: base.yaml\ntraffic: {plus: {patience_s: long}}\n", "own.yaml")
    with pytest.raises(ScenarioError) as raised:
        load(own, overrides=["contracts.azure-a100.usd_per_gpu_hour=cheap"])
    places = [(Path(fault.file).name, fault.line, fault.path) for fault in raised.value.diagnostics]
    assert places == [
        ("own.yaml", 2, "traffic.plus.patience_s"),
        (base.name, 16, "traffic.plus.output_tokens.mean"),
        ("--set", 0, "contracts.azure-a100.usd_per_gpu_hour"),
    ]


def test_overrides_that_no_scenario_uses_are_checked_too(tmp_path: Path) -> None:
    file = write(tmp_path, TEXT + "overrides: {typo: {contracts.azure-a10.usd_per_gpu_hour: 2}}\n")
    with pytest.raises(ScenarioError) as raised:
        load(file)
    (fault,) = raised.value.diagnostics
    assert (fault.code, fault.line, fault.help) == ("unknown-path", 19, "did you mean 'azure-a100'?")


def test_a_missing_file_is_a_wrong_call(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(UsageError, match=r"no such file: .*smal\.yaml; did you mean '.*small\.yaml'"):
        load(tmp_path / "smal.yaml")


def test_override_rebuilds_from_the_resolved_source(tmp_path: Path) -> None:
    scenario = load(write(tmp_path, LAYERED), scenario="dear").scenario
    other = override(
        scenario,
        {
            "contracts.azure-a100.usd_per_gpu_hour": Decimal("1.10"),
            "horizon.end": datetime(2024, 1, 15, tzinfo=UTC),
            "traffic.plus.labels": {"team": "a"},
        },
    )
    assert other.contracts["azure-a100"].usd_per_gpu_hour == Decimal("1.1")
    assert other.horizon.end == datetime(2024, 1, 15, tzinfo=UTC)
    assert other.traffic["plus"].labels == {"team": "a"}
    assert scenario.contracts["azure-a100"].usd_per_gpu_hour == Decimal("2.6")
    assert override(scenario, {}) == scenario


def test_a_wrong_override_names_the_path(tmp_path: Path) -> None:
    scenario = load(write(tmp_path)).scenario
    with pytest.raises(ScenarioError) as raised:
        override(scenario, {"traffic.plus.patience": 3, "pools.chat.target_load_frac": 2})
    assert [(fault.code, fault.path) for fault in raised.value.diagnostics] == [
        ("unknown-path", "traffic.plus.patience"),
        ("out-of-range", "pools.chat.target_load_frac"),
    ]
