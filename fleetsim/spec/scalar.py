"""Scalars of the YAML 1.2 core schema, with `_` allowed between digits."""

import math
import re

Scalar = str | int | float | bool | None

_MOST_DIGITS = 400
"""Longer runs of digits are text: no quantity has them, and Python refuses to read thousands."""
_INT = re.compile(r"[-+]?\d+(?:_\d+)*")
_FLOAT = re.compile(r"[-+]?(?:\d+(?:_\d+)*(?:\.(?:\d+(?:_\d+)*)?)?|\.\d+(?:_\d+)*)(?:[eE][-+]?\d+)?")
_WORDS: dict[str, Scalar] = {
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    ".nan": math.nan,
    ".NaN": math.nan,
    ".NAN": math.nan,
    **{
        f"{sign}.{word}": value
        for sign, value in (("", math.inf), ("+", math.inf), ("-", -math.inf))
        for word in ("inf", "Inf", "INF")
    },
}


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar: null, a bool, an int, a float, or the text itself.

    `350_000` is an int and `40e6` a float; `yes`, `no` and `2024-01-01` are text.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    if len(text) > _MOST_DIGITS:
        return text
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if text[:2] in ("0o", "0x"):
        try:
            return int(text, 0)
        except ValueError:
            return text
    return text


def written(value: object) -> str:
    """How a message shows a value: `text 'x'`, `nothing`, `a map`, `a list`, `true`, `3.5`."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f"text {value!r}"
    if isinstance(value, dict):
        return "a map"
    if isinstance(value, list):
        return "a list"
    return str(value) if isinstance(value, float) else number(value)


def number(value: object) -> str:
    """A number as a person writes it: 350000 as 350_000, 0.25 as 0.25, 1e15 as 1e+15."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int):
        return f"{value:_}" if abs(value) >= 10_000 else str(value)
    return f"{value:g}" if isinstance(value, float) and abs(value) >= 1e15 else str(value)
