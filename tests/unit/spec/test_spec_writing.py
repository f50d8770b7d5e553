"""What is written as YAML reads back as the same data."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetsim.spec import dump, load
from fleetsim.spec.faults import Faults
from fleetsim.spec.node import Source, plain
from fleetsim.spec.yaml import read

ROOT = Path(__file__).parents[3]
TEXT = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), max_size=30)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
DATA = st.dictionaries(
    TEXT,
    st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)
    ),
    max_size=5,
)


def reread(text: str) -> Any:
    faults = Faults()
    root = read(text, Source("a.yaml", lines=text.splitlines()), faults)
    assert root is not None, f"{text}\n{[str(error) for error in faults.errors]}"
    assert faults.errors == []
    return plain(root)


@given(DATA)
def test_any_plain_data(data: dict[str, Any]) -> None:
    text = dump(data)
    assert reread(text) == data
    assert dump(reread(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "1",
        "1e3",
        "null",
        "",
        " a",
        "a ",
        "a: b",
        "#a",
        "a #b",
        "- a",
        "{a}",
        "é",
        "a\nb",
        "2024-01-01",
    ],
)
def test_text_that_looks_like_something_else(text: str) -> None:
    assert reread(dump({"key": text, text: "value"})) == {"key": text, text: "value"}


@pytest.mark.parametrize("name", ["openai-2024", "apple-surge", "oracle-expansion"])
def test_a_resolved_scenario_loads_as_itself(name: str, tmp_path: Path) -> None:
    scenario = load(ROOT / "workloads" / f"{name}.yaml").scenario
    copy = tmp_path / "scenario.yaml"
    copy.write_text(dump(scenario.source), encoding="utf-8")
    assert load(copy).scenario == scenario
