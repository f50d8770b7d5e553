"""Scalars are those of YAML 1.2, with '_' between digits."""

import math

import pytest

from fleetsim.spec.scalar import number, resolve, written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("350_000", 350_000),
        ("-7", -7),
        ("+7", 7),
        ("0x1F", 31),
        ("0o17", 15),
        ("40e6", 40e6),
        ("5.0e9", 5e9),
        ("1.", 1.0),
        (".5", 0.5),
        ("1_000.25", 1000.25),
        ("1e-3", 0.001),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        (".inf", math.inf),
        ("-.inf", -math.inf),
    ],
)
def test_values(text: str, value: object) -> None:
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "no",
        "on",
        "off",
        "2024-01-01",
        "1_",
        "_1",
        "1__0",
        "1e",
        "12:30",
        "0b11",
        "1,000",
        "-",
        "+",
        ".",
        "0x",
    ],
)
def test_text_stays_text(text: str) -> None:
    assert resolve(text) == text


def test_not_a_number() -> None:
    value = resolve(".nan")
    assert isinstance(value, float)
    assert math.isnan(value)


def test_values_in_messages() -> None:
    shown = [written(value) for value in (None, True, "a", {}, [], 350_000, 8.0, 0.3)]
    assert shown == ["nothing", "true", "text 'a'", "a map", "a list", "350_000", "8.0", "0.3"]
    assert [number(value) for value in (8.0, 9_999, 10_000, 1e20)] == ["8", "9999", "10_000", "1e+20"]
