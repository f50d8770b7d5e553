"""What another file wrote beyond this horizon is left out; what stands beside the horizon is a fault."""

from pathlib import Path

import pytest
from small import changed, write

from fleetsim.errors import ScenarioError
from fleetsim.spec import load

LONG = changed(
    ("end: 2024-02-01", "end: 2025-01-01"),
    ("gpus: 800}]", "gpus: 800}, {date: 2024-06-01, gpus: 80}]"),
    ("{azure: {gpus: 800}}", "{azure: {gpus: 880}}"),
    (
        "contracts:",
        "surges: {launch: {kind: step, class: plus, start: 2024-05-13, extra_messages_per_day: 1}}\n"
        "contracts:",
    ),
)


def test_a_shorter_horizon_leaves_out_what_lies_beyond(tmp_path: Path) -> None:
    file = write(tmp_path, LONG)
    overrides = ["horizon.end=2024-02-01", "pools.chat.fleets.azure.gpus=800"]
    loaded = load(file, overrides=overrides)
    assert [tranche.gpus for tranche in loaded.scenario.fleets["azure"].tranches] == [800]
    assert loaded.scenario.surges == {}
    assert "surges" not in loaded.scenario.source or loaded.scenario.source["surges"] == {}
    (warning,) = loaded.warnings
    assert warning.message == "outside the horizon and left out: 1 tranche of azure, surge launch"


def test_nothing_is_left_out_of_the_long_one(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, LONG))
    assert loaded.warnings == []
    assert list(loaded.scenario.surges) == ["launch"]


def test_beside_the_horizon_it_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as raised:
        load(write(tmp_path, LONG.replace("end: 2025-01-01", "end: 2024-02-01")))
    assert {fault.code for fault in raised.value.diagnostics if fault.severity == "error"} == {
        "outside-horizon",
        "more-gpus-than-fleet",
    }


def test_a_fleet_keeps_its_only_tranche_and_the_fault(tmp_path: Path) -> None:
    write(tmp_path, LONG, "base.yaml")
    own = write(tmp_path, "extends: base.yaml\nhorizon: {start: 2022-01-01, end: 2023-01-01}\n")
    with pytest.raises(ScenarioError, match=r"base\.yaml:5:\d+: error: fleets\.azure\.tranches\.0\.date"):
        load(own)
