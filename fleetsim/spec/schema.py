"""JSON Schema of scenario files, from the classes that read them."""

import ast
import inspect
import sys
import textwrap
from dataclasses import is_dataclass
from typing import Any

from fleetsim.model.base import yaml_key
from fleetsim.spec.checks.names import NAME
from fleetsim.spec.entry import adapter
from fleetsim.spec.part_file import FORMAT
from fleetsim.spec.sections import Section, parts_of_finance, sections

Schema = dict[str, Any]
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_DATE_KEY = r"^\d{4}-\d{2}-\d{2}"


def json_schema() -> Schema:
    """The schema of a scenario file: keys, types, bounds, units (`unit`) and what each key means."""
    from fleetsim.model.fidelity import Fidelity
    from fleetsim.model.finance import Finance
    from fleetsim.model.scenario import Horizon

    defs: Schema = {}
    properties: Schema = {
        "fleetsim": {"const": FORMAT, "description": "Version of the file format."},
        "name": {"type": "string", "pattern": f"^{NAME.pattern}$", "description": "Name of the scenario."},
        "description": {"type": "string", "description": "What it is about."},
        "extends": {
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
            "description": "File that this one builds on, relative to it; of several the last wins.",
        },
        "overrides": {
            "type": "object",
            "description": "Named patches: by name, values by dotted path.",
            "additionalProperties": {"type": "object"},
        },
        "scenarios": {
            "type": "object",
            "description": "Named combinations of overrides.",
            "additionalProperties": {"anyOf": [_LIST, {"type": "null"}, _COMBINATION]},
        },
        "horizon": _of(Horizon, defs),
        "fidelity": _of(Fidelity, defs),
        "finance": _of(Finance, defs),
        "objectives": {
            **_LIST,
            "description": "Conditions on figures, as `result:traffic.plus.shed_frac <= 0.001`.",
        },
    }
    for name, section in sections().items():
        properties[name] = _map_of(section, defs)
    defs["Finance"]["properties"] |= {name: _map_of(part, defs) for name, part in parts_of_finance().items()}
    _accept_short_forms(defs)
    partial = {f"partial-{name}": _partial(part) for name, part in defs.items()}
    return {
        "$schema": DIALECT,
        "title": "fleetsim scenario",
        "type": "object",
        "properties": dict.fromkeys(properties, True),
        "additionalProperties": False,
        "if": {"required": ["extends"]},
        "then": {"properties": _partial(properties)},
        "else": {"properties": properties, "required": ["fleetsim", "name", "horizon", "fleets"]},
        "$defs": defs | partial,
    }


def _map_of(section: Section, defs: Schema) -> Schema:
    """A map of named things."""
    if section.registry is None:
        entry = _of(section.annotation, defs)
    else:
        entry = {"oneOf": [_with_kind(kind, cls, defs) for kind, cls in section.registry.items()]}
    return {
        "type": "object",
        "description": f"Each {section.noun} by its name.",
        "propertyNames": {"pattern": f"^{NAME.pattern}$"},
        "additionalProperties": {"anyOf": [entry, {"type": "null"}]},
    }


def _partial(schema: Any) -> Any:
    """The schema of a file that extends another: no key is required, and null removes one.

    Registered kinds are told apart by `kind`, which an extending file need not repeat.
    """
    if isinstance(schema, list):
        return [_partial(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _partial(part) for key, part in schema.items() if key != "required"}
    if isinstance(found.get("$ref"), str):
        found["$ref"] = found["$ref"].replace("#/$defs/", "#/$defs/partial-")
    if "oneOf" in found:
        found["anyOf"] = found.pop("oneOf")
    if isinstance(found.get("properties"), dict) and found.get("additionalProperties") is False:
        found["properties"] = {
            key: {"anyOf": [part, {"type": "null"}]} for key, part in found["properties"].items()
        }
    return found


_LIST: Schema = {"type": "array", "items": {"type": "string"}}
_COMBINATION: Schema = {
    "type": "object",
    "properties": {"overrides": _LIST, "set": {"type": "object"}, "contracts": {"type": "string"}},
    "additionalProperties": False,
}


def _of(annotation: Any, defs: Schema) -> Schema:
    """The schema of a type; named parts go to `defs`."""
    schema: Schema = adapter(annotation).json_schema(ref_template="#/$defs/{model}")
    parts = schema.pop("$defs", {})
    if is_dataclass(annotation) and isinstance(annotation, type):
        parts[annotation.__name__] = schema
        schema = {"$ref": f"#/$defs/{annotation.__name__}"}
    for name, part in parts.items():
        if name not in defs:
            defs[name] = _described(part, _class_named(name, annotation))
    plain: Schema = _untitled(schema)
    return plain


def _with_kind(kind: str, cls: type, defs: Schema) -> Schema:
    """An entry of a registry: the class's keys and its `kind`."""
    name = cls.__name__
    _of(cls, defs)
    part = defs[name]
    part["properties"] = {"kind": {"const": kind}, **part["properties"]}
    part["required"] = ["kind", *part.get("required", [])]
    return {"$ref": f"#/$defs/{name}"}


def _class_named(name: str, annotation: Any) -> type | None:
    """The class that a part of a schema came from: the annotation, or the nearest of that name in its module
    and, class by class, in the modules of those that each module knows."""
    if getattr(annotation, "__name__", "") == name:
        return annotation if isinstance(annotation, type) else None
    modules = dict.fromkeys(owner.__module__ for owner in getattr(annotation, "__mro__", (annotation,)))
    todo = [module for module in modules if module.startswith("fleetsim.")]
    for module in todo:  # grows as it goes
        known = vars(sys.modules[module])
        found = known.get(name)
        if isinstance(found, type):
            return found
        further = dict.fromkeys(each.__module__ for each in known.values() if isinstance(each, type))
        todo += [each for each in further if each.startswith("fleetsim.") and each not in todo]
    return None


def _described(part: Schema, cls: type | None) -> Schema:
    """The part with the docstring of each field; a null says that a key may be left out in an override."""
    docs = field_docs(cls) if cls is not None else {}
    for key, schema in part.get("properties", {}).items():
        if key in docs:
            schema["description"] = docs[key]
    if cls is not None and cls.__doc__:
        part["description"] = inspect.cleandoc(cls.__doc__)
    plain: Schema = _untitled(part)
    return plain


def field_docs(cls: type) -> dict[str, str]:
    """The docstring under each field of a class and of its bases, by key."""
    docs: dict[str, str] = {}
    for owner in reversed(cls.__mro__):
        if not is_dataclass(owner):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(owner))).body[0]
        assert isinstance(body, ast.ClassDef), "the source of a class is one class"
        for field, below in zip(body.body, body.body[1:], strict=False):
            if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
                continue
            if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                docs[yaml_key(field.target.id)] = inspect.cleandoc(str(below.value.value))
    return docs


def _untitled(schema: Any) -> Any:
    """Without the titles that pydantic makes up from field names."""
    if isinstance(schema, list):
        return [_untitled(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: _untitled(part) for key, part in schema.items() if key != "title" or isinstance(part, dict)}


def _accept_short_forms(defs: Schema) -> None:
    """`messages_per_day` as a map of dates, or as the keys of a series file."""
    asker = defs["TrafficClass"]["properties"]["messages_per_day"]
    anchors = next(
        part for part in defs["Volume"]["properties"]["anchors"]["anyOf"] if part.get("type") == "object"
    )
    by_date = {**anchors, "propertyNames": {"pattern": _DATE_KEY}, "minProperties": 1}
    asker["anyOf"] = [*asker["anyOf"], by_date, {"$ref": "#/$defs/SeriesFile"}]
