"""The JSON Schema says what the reader accepts."""

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from small import changed

from fleetsim.spec import json_schema
from fleetsim.spec.faults import Faults
from fleetsim.spec.node import Source, plain
from fleetsim.spec.yaml import read

ROOT = Path(__file__).parents[3]
SHIPPED = sorted((ROOT / "workloads").glob("*.yaml")) + sorted((ROOT / "workloads/examples").glob("*.yaml"))


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json_schema()


@pytest.fixture(scope="module")
def validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def data(text: str) -> Any:
    faults = Faults()
    root = read(text, Source("a.yaml", lines=text.splitlines()), faults)
    assert root is not None
    return plain(root)


def test_there_are_shipped_scenarios() -> None:
    assert len(SHIPPED) > 6


@pytest.mark.parametrize("file", SHIPPED, ids=lambda file: file.stem)
def test_shipped_scenarios_are_valid(file: Path, validator: jsonschema.Draft202012Validator) -> None:
    found = list(validator.iter_errors(data(file.read_text(encoding="utf-8"))))
    assert [error.message for error in found] == []


@pytest.mark.parametrize(
    "change",
    [
        ("provider: azure, ", ""),
        ("gpus: 800}]", 'gpus: "800"}]'),
        ("gpus: 800}]", "gpus: 0}]"),
        ("efficiency_frac: 0.3", "efficency_frac: 0.3"),
        ("kind: reserved", "kind: reservation"),
        ("1.30", '"1.30"'),
        ("end: 2024-02-01", "end: soon"),
        ("contracts:", "contract:"),
        ("400_000", "{january: 4e5}"),
    ],
)
def test_wrong_values_are_refused(
    change: tuple[str, str], validator: jsonschema.Draft202012Validator
) -> None:
    assert not validator.is_valid(data(changed(change)))


@pytest.mark.parametrize(
    "volume",
    ["4e5", "{2024-01-01: 4e5}", "{anchors: {2024-01-01: 4e5}}", "{file: m.csv, time: t, value: v}",
     "{curve: all, share_frac: {2024-01-01: 0.5}}"],
)  # fmt: skip
def test_short_forms_are_valid(volume: str, validator: jsonschema.Draft202012Validator) -> None:
    assert validator.is_valid(data(changed(("400_000", volume))))


def test_an_extending_file_may_be_partial(validator: jsonschema.Draft202012Validator) -> None:
    part = "extends: base.yaml\nfleets: {azure: {region: east, node_mtbf_h: null}, oracle: null}\n"
    assert validator.is_valid(data(part))
    assert not validator.is_valid(data(part.replace("region", "regoin")))
    assert not validator.is_valid(data(part.replace("extends: base.yaml\n", "")))


def test_every_key_has_a_description_and_every_number_a_unit(schema: dict[str, Any]) -> None:
    for name, part in schema["$defs"].items():
        if name.startswith("partial-"):
            continue
        for key, field in part["properties"].items():
            if key == "kind" and "const" in field:
                continue
            assert field.get("description"), f"{name}.{key}"
            for branch in (field, *field.get("anyOf", [])):
                if branch.get("type") in ("number", "integer") and name != "PublishedFact":
                    assert branch.get("unit"), f"{name}.{key}"


def test_the_schema_is_made_anew_each_time(schema: dict[str, Any]) -> None:
    before = copy.deepcopy(schema)
    json_schema()["$defs"].clear()
    assert json_schema() == before
