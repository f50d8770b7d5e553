"""What a type says about a key of a file: its fields, its branches, its unit and bounds, in words.

The classes of `fleetsim.model` are the only description of the file; pydantic reads them to accept or
refuse a value, and this file to say in plain words what was expected.
"""

import dataclasses
from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from fleetsim.model.base import yaml_key
from fleetsim.spec.node import Node
from fleetsim.units import Instant, Quantity


class Key(NamedTuple):
    """One key of a map that a dataclass stands for."""

    annotation: Any
    required: bool


@cache
def keys_of(cls: type) -> dict[str, Key]:
    """The keys that a class allows, in the order of its fields."""
    hints = get_type_hints(cls, include_extras=True)
    return {
        yaml_key(field.name): Key(
            hints[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
        )
        for field in dataclasses.fields(cls)
        if field.init
    }


def branches(annotation: Any) -> list[Any]:
    """The types that a value may have, without None."""
    if get_origin(annotation) in (Union, UnionType):
        return [branch for part in get_args(annotation) for branch in branches(part)]
    return [] if annotation is NoneType else [annotation]


def quantity(annotation: Any) -> Quantity | None:
    """The unit and bounds of a number."""
    if get_origin(annotation) is Annotated:
        for marker in get_args(annotation)[1:]:
            if isinstance(marker, Quantity):
                return marker
    return None


def is_date(annotation: Any) -> bool:
    """Whether the type is a point in time."""
    return get_origin(annotation) is Annotated and any(
        isinstance(marker, Instant) for marker in get_args(annotation)[1:]
    )


def shape_of(annotation: Any) -> Literal["map", "list", "scalar"]:
    """Which of the three shapes of a YAML value a type asks for."""
    if dataclasses.is_dataclass(annotation) or get_origin(annotation) is Mapping:
        return "map"
    return "list" if get_origin(annotation) is tuple else "scalar"


def branch_for(annotation: Any, node: Node) -> Any:
    """The branch that the written value was meant for; None when no branch has its shape."""
    shape = "map" if isinstance(node.value, dict) else "list" if isinstance(node.value, list) else "scalar"
    fitting = [branch for branch in branches(annotation) if shape_of(branch) == shape]
    return fitting[0] if fitting else None


def below(annotation: Any, segment: str | int) -> Any:
    """The type of an entry of a map or list; None when there can be no such entry."""
    if dataclasses.is_dataclass(annotation):
        key = keys_of(annotation).get(str(segment)) if isinstance(annotation, type) else None
        return key.annotation if key else None
    if get_origin(annotation) is Mapping:
        return get_args(annotation)[1]
    return get_args(annotation)[0] if get_origin(annotation) is tuple else None


def label_matches(annotation: Any, label: object) -> bool:
    """Whether pydantic's name for a branch of a union means this type."""
    text = str(label)
    if dataclasses.is_dataclass(annotation):
        return text == getattr(annotation, "__name__", "")
    if get_origin(annotation) is Mapping:
        return text.startswith("dict[")
    if get_origin(annotation) is tuple:
        return text.startswith("tuple[")
    # What checks before it reads, as the amounts of money do, is named after both.
    return text.startswith("function-before[") or ("[" not in text and text[:1].islower())


def expected(annotation: Any) -> str:
    """What a value must be, in words: `a whole number (GPU)`, `a date`, `text or a map`."""
    words: list[str] = []
    for branch in branches(annotation):
        word = _expected(branch)
        if word not in words:
            words.append(word)
    return " or ".join(words)


def _expected(annotation: Any) -> str:
    unit = quantity(annotation)
    if unit is not None:
        noun = "a whole number" if get_args(annotation)[0] is int else "a number"
        return noun if unit.unit == "1" else f"{noun} ({unit.unit})"
    if is_date(annotation):
        return "a date"
    if get_origin(annotation) is Literal:
        *others, last = (repr(choice) for choice in get_args(annotation))
        return f"{', '.join(others)} or {last}" if others else last
    if get_origin(annotation) is Mapping and is_date(get_args(annotation)[0]):
        return "a map of dates"
    shape = shape_of(annotation)
    if shape != "scalar":
        return f"a {shape}"
    return {str: "text", int: "a whole number", float: "a number", bool: "true or false"}.get(
        annotation, "a value"
    )
