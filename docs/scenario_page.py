"""The reference page of the scenario file, from the classes that read it."""

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from markup import number, table

from fleetsim.model.base import yaml_key
from fleetsim.spec.annotation import branches, is_date, keys_of, quantity
from fleetsim.spec.schema import field_docs, json_schema
from fleetsim.spec.sections import Section, parts_of_finance, sections

INTRO = """\
Strict YAML 1.2: an unknown key is an error, everywhere. Maps are keyed by name, so that every value has a
dotted path (`contracts.azure-a100.usd_per_gpu_hour`) for `--set`, `overrides` and `scenarios`. Dates are ISO
8601 in UTC; `2024-01-31` is its midnight. Numbers may be written `350_000` or `4.5e6`. **Bold** keys are
required. A unit of 1 is a plain number or a share. A file that `extends` another gives only what differs;
`null` removes what the other has.

For editors: `fleetsim schema > fleetsim.schema.json`.
"""
SHORT_FORMS = """\
## Short forms

| written | stands for |
|---|---|
| `messages_per_day: 5e6` | the same number at all times |
| `messages_per_day: {2024-01-01: 5e6, 2024-07-01: 8e6}` | `{anchors: {...}}` |
| `messages_per_day: {file: m.csv, time: t, value: v}` | `{series: {file: m.csv, time: t, value: v}}` |
| `service: gpt4t` | that service at all times, instead of `{mix: [...]}` |
| `scenarios: {high: [a, b]}` | `{high: {overrides: [a, b]}}`; the long form may also `set` values by path |
| `efficiency_frac: 0.30` | the same at all times, instead of `{2024-01-01: 0.30, 2024-07-01: 0.45}` |
"""


def scenario_page() -> str:
    """All sections, each key with type, unit, bounds, default and meaning."""
    from fleetsim.model.fidelity import Fidelity
    from fleetsim.model.finance import Finance
    from fleetsim.model.scenario import Horizon

    schema = json_schema()["else"]["properties"]
    parts = [INTRO, "## Top level\n", _top_level(schema), "\n## horizon\n", *_class(Horizon),
             "\n## fidelity\n", *_class(Fidelity)]
    for name, section in sections().items():
        parts.append(f"\n## {name}\n")
        parts += _section(name, section)
    parts += ["\n## finance\n", inspect.cleandoc(Finance.__doc__ or "") + "\n", _keys(Finance)]
    for name, part in parts_of_finance().items():
        anchor = f'<a id="{part.annotation.__name__.lower()}"></a>' if part.annotation else ""
        parts.append(f"\n### {anchor}finance.{name}\n")
        parts += _section(name, part)
    return "\n".join([*parts, "", SHORT_FORMS])


def _section(name: str, section: Section) -> Iterator[str]:
    """A map of named things: the keys of one, or of each kind."""
    yield f"Each {section.noun} by its name.\n"
    if section.registry is None and dataclasses.is_dataclass(section.annotation):
        yield from _class(section.annotation)
    elif section.registry is None:
        yield (f"A {_words(section.annotation)}: messages per day by date, log-linear between the "
               "dates, constant before the first and after the last.\n")
    else:
        yield "`kind` says which: " + ", ".join(
            f"[`{kind}`](#{name}-{kind})" for kind in section.registry) + ".\n"
        for kind, cls in section.registry.items():
            yield f'\n### <a id="{name}-{kind}"></a>{name}: {kind}\n'
            yield from _class(cls)


def _top_level(schema: Mapping[str, Any]) -> str:
    required = {"fleetsim", "name", "horizon", "fleets"}
    rows = []
    for key, part in schema.items():
        described = part.get("description") or "What is simulated."
        link = f"[{key}](#{key})" if key in sections() or key in ("horizon", "fidelity", "finance") else key
        rows.append((f"**{link}**" if key in required else link, described))
    return f"{table(('key', 'meaning'), rows)}\n\nA file with `extends` need not repeat what the other has.\n"


def _class(cls: type) -> Iterator[str]:
    """A class: what it is, its keys, then the classes below it."""
    yield inspect.cleandoc(cls.__doc__ or "") + "\n"
    yield _keys(cls)
    for key, below in _parts(cls):
        yield f'\n#### <a id="{below.__name__.lower()}"></a>{key}\n'
        yield from _class(below)


def _parts(cls: type) -> Iterator[tuple[str, type]]:
    """(key, class) of the classes that the keys of a class hold, each once on the page."""
    own: list[type] = []
    for key, (annotation, _) in keys_of(cls).items():
        for found in _classes_in(annotation):
            if found not in own:
                own.append(found)
                yield key, found


def _classes_in(annotation: Any) -> Iterator[type]:
    for branch in branches(annotation):
        if dataclasses.is_dataclass(branch) and isinstance(branch, type):
            yield branch
        elif not is_date(branch) and quantity(branch) is None and get_origin(branch) is not Literal:
            for part in get_args(branch):
                yield from _classes_in(part)


def _keys(cls: type) -> str:
    docs = field_docs(cls)
    fields = {yaml_key(field.name): field for field in dataclasses.fields(cls)}
    rows = []
    for key, (annotation, required) in keys_of(cls).items():
        unit, bounds = _unit(annotation)
        rows.append((f"**`{key}`**" if required else f"`{key}`", _words(annotation), unit, bounds,
                     "" if required else _default(fields[key]), docs.get(key, "")))
    return table(("key", "type", "unit", "bounds", "default", "meaning"), rows) + "\n"


def _default(field: Any) -> str:
    if field.default is dataclasses.MISSING:
        made = field.default_factory()
        return "none" if not made else f"`{type(made).__name__}` with its defaults"
    if field.default is None or field.default in ("", ()):
        return "none"
    return f"`{field.default}`"


def _unit(annotation: Any) -> tuple[str, str]:
    """Unit and bounds of the numbers in a type."""
    for branch in branches(annotation):
        found = quantity(branch)
        if found is not None:
            bounds = [f"{sign} {number(bound)}" for sign, bound in
                      (("≥", found.ge), (">", found.gt), ("≤", found.le), ("<", found.lt))
                      if bound is not None]
            return found.unit, " and ".join(bounds)
        if is_date(branch):
            return "UTC", ""
        if get_origin(branch) is Mapping or get_origin(branch) is tuple:
            inner = _unit(get_args(branch)[-1 if get_origin(branch) is Mapping else 0])
            if inner[0]:
                return inner
    return "", ""


def _words(annotation: Any) -> str:
    """A type in words; classes link to their keys."""
    words: list[str] = []
    for branch in branches(annotation):
        word = _word(branch)
        if word not in words:
            words.append(word)
    return " or ".join(words)


def _word(annotation: Any) -> str:
    if quantity(annotation) is not None:
        return "whole number" if get_args(annotation)[0] is int else "number"
    if is_date(annotation):
        return "date"
    if dataclasses.is_dataclass(annotation):
        name = getattr(annotation, "__name__", "")
        return f"[{name}](#{name.lower()})"
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in arguments)
    if origin is Mapping:
        keys = "date" if is_date(arguments[0]) else "name"
        return f"map of {keys} to {_words(arguments[1])}"
    if origin is tuple:
        return f"list of {_words(arguments[0])}"
    return {Any: "entry", str: "text", int: "whole number", float: "number",
            bool: "true or false"}[annotation]
