"""Plain data as YAML and back."""

import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetsim.output.scenario_text import from_yaml, to_yaml

WORDS = st.sampled_from([
    "yes", "No", "null", "~", "1e5", "0x1f", "1_000", "2024-01-01", "12:30:00", ".inf", "-", "", "a: b",
    "a #b", "*x", "&x", "!x", "%x", "@x", "`x", "{a", "[a", "a,b", "- a", "? a", "=", "<<", "a\nb", " a",
    "a ", "\u2028", "größe", "\x85", "\x7f", "\x00", "\ufeff", "\U0001f600", "O'Neill", '"q"', "a\\b",
])
NUMBERS = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | NUMBERS | WORDS | st.text(max_size=12)
KEYS = WORDS | st.text("abc_ -.", max_size=8)


def deeper(inner: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    """Lists and maps of what is inside."""
    return st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4)


DATA = st.dictionaries(KEYS, st.recursive(SCALARS, deeper, max_leaves=12), max_size=6)


def there_and_back(data: dict[str, object]) -> dict[str, object]:
    """Written and read."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "scenario.yaml"
        path.write_text(to_yaml(data), encoding="utf-8")
        return from_yaml(path)


@given(DATA)
def test_round_trip(data: dict[str, object]) -> None:
    back = there_and_back(data)
    assert json.dumps(back) == json.dumps(data)  # types and the order of keys too


def test_reads_well() -> None:
    text = to_yaml({"name": "openai-2024", "pools": {"api": {"fleets": {"azure": {"gpus": 60_000}}}},
                    "horizon": {"start": "2024-01-01", "step_s": 300}, "mix": [{"from": "a", "to": "b"}],
                    "nothing": {}, "none": []})
    assert text == (
        'name: openai-2024\npools:\n  api:\n    fleets:\n      azure: {gpus: 60000}\n'
        'horizon: {start: "2024-01-01", step_s: 300}\nmix:\n  - {from: a, to: b}\nnothing: {}\n"none": []\n'
    ).replace('"none"', "none")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_lacks_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_yaml({"a": value})
