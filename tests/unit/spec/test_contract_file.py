"""Contract files: what shows in them without a scenario."""

from pathlib import Path

import pytest

from fleetsim.errors import ScenarioError
from fleetsim.spec import check_contract_file

ONE = "contracts: {ok: {kind: on_demand, fleet: f, usd_per_gpu_hour: 1}}\n"


def faults(path: Path, text: str) -> list[tuple[str, str]]:
    path.write_text(text)
    with pytest.raises(ScenarioError) as caught:
        check_contract_file(path)
    return [(found.code, found.path) for found in caught.value.diagnostics]


def test_a_sound_file(tmp_path: Path) -> None:
    path = tmp_path / "some.yaml"
    path.write_text(f"fleetsim: 1\n{ONE}")
    assert check_contract_file(path) == ("some", 1)


@pytest.mark.parametrize(("text", "found"), [
    (ONE, ("missing-key", "")),
    (f"fleetsim: 2\n{ONE}", ("unknown-format", "fleetsim")),
    (f"fleetsim: 1\nname: a b\n{ONE}", ("bad-name", "name")),
    (f"fleetsim: 1\nname: [a]\n{ONE}", ("wrong-type", "name")),
    (f"fleetsim: 1\nprices: 2\n{ONE}", ("unknown-key", "prices")),
    ("fleetsim: 1\nname: a\n", ("missing-key", "")),
    ("fleetsim: 1\ncontracts: [a]\n", ("wrong-type", "contracts")),
    ("fleetsim: 1\ncontracts: {}\n", ("empty-map", "contracts")),
    ("fleetsim: 1\ncontracts: {'a/b': {kind: on_demand, fleet: f, usd_per_gpu_hour: 1}}\n",
     ("bad-name", "contracts.a/b")),
])
def test_every_fault_has_a_place(tmp_path: Path, text: str, found: tuple[str, str]) -> None:
    assert faults(tmp_path / "some.yaml", text) == [found]
