"""The id of a run and where it lies."""

from dataclasses import replace
from pathlib import Path

import pytest
from tiny_run import tiny_scenario

import fleetsim.output.layout as layout
from fleetsim.errors import UsageError
from fleetsim.model.scenario import Scenario


def identity(scenario: Scenario | None = None, *, seed: int = 1, replication: int = 0,
             resolution: str = "hour") -> str:
    """The id of the tiny scenario, or of another."""
    return layout.run_id(scenario or tiny_scenario(), seed=seed, replication=replication,
                         resolution=resolution)


def test_id_is_sixteen_hex_digits_and_stays() -> None:
    assert len(identity()) == 16
    assert int(identity(), 16) >= 0
    assert identity() == identity()


def test_everything_a_run_is_made_from_changes_the_id(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = tiny_scenario()
    source = dict(scenario.source)
    swapped = {**source, "pools": {"chat": {"fleets": {"a": {"gpus": 1}, "b": {"gpus": 1}}}}}
    ids = {
        identity(), identity(seed=2), identity(replication=1), identity(resolution="step"),
        identity(replace(scenario, source={**source, "name": "other"})),
        identity(replace(scenario, source=swapped)),  # another spill-over order
        identity(replace(scenario, inputs={"a.csv": "cd" * 32})),
    }
    monkeypatch.setattr(layout, "__version__", "99")
    assert len(ids | {identity()}) == 8


def test_the_order_of_inputs_does_not() -> None:
    scenario = tiny_scenario()
    there = replace(scenario, inputs={"a": "1", "b": "2"})
    back = replace(scenario, inputs={"b": "2", "a": "1"})
    assert identity(there) == identity(back)


@pytest.mark.parametrize(("arguments", "message"), [
    ({"resolution": "minute"}, "'minute' is neither hour nor step"), ({"seed": -1}, "seed -1: .* from 0 to"),
    ({"replication": -1}, "replication -1: .* from 0 to"), ({"seed": 2**63}, "to 9223372036854775807"),
    ({"seed": True}, "seed True: "), ({"seed": 1.0}, "seed 1.0: "), ({"seed": None}, "seed None: "),
])
def test_impossible_runs(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        identity(**arguments)  # wrong on purpose


@pytest.mark.parametrize(("name", "folder"), [
    ("openai-2024", "openai-2024"), ("a b/c:d", "a-b-c-d"), ("../up", "up"), ("...", "scenario"),
    ("größe", "größe"),
])
def test_folder(name: str, folder: str) -> None:
    scenario = replace(tiny_scenario(), name=name)
    assert layout.run_directory(Path("results"), scenario, "ab") == Path("results") / folder / "ab"
