"""One entry of a file to one object: pydantic accepts or refuses, and its faults become ours."""

import dataclasses
import math
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin

from fleetsim.errors import did_you_mean
from fleetsim.spec.annotation import (
    below,
    branch_for,
    branches,
    expected,
    is_date,
    keys_of,
    label_matches,
    quantity,
)
from fleetsim.spec.faults import Faults
from fleetsim.spec.node import Node, NodePath, plain
from fleetsim.spec.scalar import number, written
from fleetsim.units import Quantity, as_utc

if TYPE_CHECKING:
    from pydantic import TypeAdapter


@cache
def adapter(annotation: Any) -> "TypeAdapter[Any]":
    """pydantic's reader of a type; made when the first entry of the type is read."""
    from pydantic import TypeAdapter

    return TypeAdapter(annotation)


def build(annotation: Any, node: Node, path: NodePath, faults: Faults, without: tuple[str, ...] = ()) -> Any:
    """The object that `node` stands for; None, with every fault of it reported, when it is wrong.

    `without` names keys that the class does not have (`kind`).
    """
    from pydantic import ValidationError

    data = plain(node)
    if isinstance(data, dict):
        data = {key: value for key, value in data.items() if key not in without}
    try:
        built = adapter(annotation).validate_python(data)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            _report(fault, annotation, node, path, faults)
        return None
    _look_over(annotation, node, path, faults)
    return built


def _report(fault: Any, annotation: Any, node: Node, path: NodePath, faults: Faults) -> None:
    """One of pydantic's faults as one of ours, or none when it speaks of a branch nobody meant."""
    location, kind = list(fault["loc"]), fault["type"]
    at_key = bool(location) and location[-1] == "[key]"
    if at_key:
        location.pop()
    last = location.pop() if kind in ("missing", "unexpected_keyword_argument") else None
    here: Any = annotation
    spot: Node | None = node
    while True:
        options = branches(here)
        if len(options) > 1:
            chosen = branch_for(here, spot) if spot else None
            if chosen is None:
                break  # no branch has the shape of what was written: one fault for all of them
            label = location.pop(0) if location else None
            if label is None or not label_matches(chosen, label):
                return
            here = chosen
        elif options:
            here = options[0]
        if not location or spot is None:
            break
        if at_key and len(location) == 1:
            break
        segment = location.pop(0)
        here, spot, path = below(here, segment), spot.child(segment), (*path, segment)
    if at_key and location:
        _bad_key(here, str(location[0]), (*path, str(location[0])), faults)
    elif kind == "missing":
        _missing(here, str(last), path, faults)
    elif kind == "unexpected_keyword_argument":
        hint = did_you_mean(str(last), list(keys_of(here)))
        faults.error("unknown-key", (*path, str(last)), f"unknown key {str(last)!r}", hint, on="key")
    else:
        _bad_value(fault, here, spot, path, faults)


def _bad_key(annotation: Any, key: str, path: NodePath, faults: Faults) -> None:
    """A key of a map that is not what the map's keys must be; only dates can fail."""
    message, hint = _date_words("a date as key", key)
    faults.error("bad-date", path, message, hint, on="key")


def _date_words(wanted: str, value: object) -> tuple[str, str]:
    """Message and hint for a value that is no date."""
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
        return f"the calendar has no {value}", ""
    return f"expected {wanted}, got {written(value)}", "write 2024-01-31 or 2024-01-31T18:00Z"


def _missing(annotation: Any, key: str, path: NodePath, faults: Faults) -> None:
    wanted = keys_of(annotation)[key].annotation
    faults.error(
        "missing-key", path, f"missing key {key!r}", f"add `{key}:` with {expected(wanted)}", on="key"
    )


def _bad_value(fault: Any, annotation: Any, node: Node | None, path: NodePath, faults: Faults) -> None:
    kind = fault["type"]
    value: Any = plain(node) if node else fault["input"]
    unit = quantity(annotation) if len(branches(annotation)) == 1 else None
    if unit is not None and kind in ("greater_than_equal", "greater_than", "less_than_equal", "less_than"):
        bound = {
            "greater_than_equal": ("at least", unit.ge),
            "greater_than": ("above", unit.gt),
            "less_than_equal": ("at most", unit.le),
            "less_than": ("below", unit.lt),
        }[kind]
        suffix = "" if unit.unit == "1" else f" {unit.unit}"
        hint = f"{number(value)} % is {number(value / 100)}" if _looks_like_percent(value, unit) else ""
        message = f"must be {bound[0]} {number(bound[1])}{suffix}, got {number(value)}"
        faults.error("out-of-range", path, message, hint)
    elif kind == "literal_error":
        choices = [str(choice) for choice in get_args(annotation)]
        faults.error(
            "unknown-choice",
            path,
            f"expected {expected(annotation)}, got {written(value)}",
            did_you_mean(str(value), choices) if isinstance(value, str) else "",
        )
    elif is_date(annotation) and kind == "value_error":
        faults.error("bad-date", path, *_date_words("a date", value))
    elif kind in ("value_error", "assertion_error") and dataclasses.is_dataclass(annotation):
        reason = str(fault.get("ctx", {}).get("error", fault["msg"]))
        faults.error("bad-combination", path, reason, on="key")
    else:
        faults.error(
            "wrong-type",
            path,
            f"expected {expected(annotation)}, got {written(value)}",
            _type_hint(annotation, value),
        )


def _looks_like_percent(value: Any, unit: Any) -> bool:
    return 1 in (unit.le, unit.lt) and isinstance(value, int | float) and 1 < value <= 100


def _type_hint(annotation: Any, value: Any) -> str:
    """What to write instead, where that can be told."""
    unit = next((quantity(branch) for branch in branches(annotation) if quantity(branch)), None)
    if unit is not None and isinstance(value, str):
        return _number_in(value, whole=expected(annotation).startswith("a whole"))
    if unit is not None and isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"write {int(value):_}"
    wants_text = str in branches(annotation)
    if wants_text and isinstance(value, bool | int | float):
        return f'write "{str(value).lower() if isinstance(value, bool) else value}"'
    for branch in branches(annotation):
        if dataclasses.is_dataclass(branch) and isinstance(branch, type) and not isinstance(value, dict):
            names = [key for key, field in keys_of(branch).items() if field.required] or list(keys_of(branch))
            return f"write {{{', '.join(f'{name}: ...' for name in names[:3])}}}"
        if get_origin(branch) is tuple and value is not None:
            return "write a list: [...]"
    return ""


def _number_in(text: str, whole: bool) -> str:
    """`write 350_000` for '350,000' or '350 000'; `write 2.5` for '2,5'; `write 0.3` for '30%'."""
    bare = text.replace(" ", "").lstrip("$")
    factor = {"%": 0.01, "k": 1e3, "m": 1e6, "b": 1e9}.get(bare[-1:].lower(), 1.0)
    digits = bare if factor == 1.0 else bare[:-1]
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d*)?", digits):
        digits = digits.replace(",", "")
    elif digits.count(",") == 1 and "." not in digits:
        digits = digits.replace(",", ".")
    try:
        value = float(digits)
    except ValueError:
        return ""
    value = value / 100 if factor == 0.01 else value * factor
    if not math.isfinite(value) or (whole and not value.is_integer()):
        return ""
    return f"write {number(value)}"


def _look_over(annotation: Any, node: Node, path: NodePath, faults: Faults) -> None:
    """What pydantic does not see: unlikely numbers, and maps of dates that are empty or out of order."""
    branch = branch_for(annotation, node)
    unit = quantity(branch)
    if unit is not None:
        _warn_unlikely(unit, node.value, path, faults)
        return
    of_map = get_origin(branch) is Mapping
    if of_map and is_date(get_args(branch)[0]):
        _check_dates(node, path, faults)
    if branch is None or (of_map and get_args(branch)[1] is str):
        return
    pairs = enumerate(node.items()) if isinstance(node.value, list) else node.entries().items()
    for segment, child in pairs:
        inner = below(branch, segment)
        if inner is not None:
            _look_over(inner, child, (*path, segment), faults)


def _warn_unlikely(unit: Quantity, value: object, path: NodePath, faults: Faults) -> None:
    if unit.warn_above is not None and isinstance(value, int | float) and value > unit.warn_above:
        suffix = "" if unit.unit == "1" else f" {unit.unit}"
        message = f"{number(value)}{suffix} can hardly be meant: it is above {number(unit.warn_above)}"
        faults.warning("unlikely-value", path, message, "check the unit")


def _check_dates(node: Node, path: NodePath, faults: Faults) -> None:
    if not node.entries():
        faults.error("empty-map", path, "has no date", "write {2024-01-01: ...}")
    previous: tuple[str, datetime] | None = None
    for key in node.entries():
        instant = as_utc(key)
        if previous is not None and instant <= previous[1]:
            relation = "is the same instant as" if instant == previous[1] else "comes before"
            faults.error(
                "date-order",
                (*path, key),
                f"{key} {relation} {previous[0]} above it",
                "write each date once, in order",
                on="key",
            )
        previous = (key, instant)
