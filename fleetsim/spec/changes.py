"""Overrides: values set by dotted path, from a file's named overrides and scenarios or from `--set`."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import is_dataclass, replace
from datetime import date
from decimal import Decimal
from numbers import Integral, Real

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.spec.annotation import below, branches, keys_of, shape_of
from fleetsim.spec.contract_file import named_file, with_contracts
from fleetsim.spec.faults import Faults
from fleetsim.spec.merge import with_value
from fleetsim.spec.node import Node, Place, Source, tree
from fleetsim.spec.scalar import written
from fleetsim.spec.sections import LAYERS, SINGLES, sections, type_at
from fleetsim.spec.yaml import MOST_LEVELS, read

Change = tuple[str, Node]
"""A dotted path and the value to stand there; the value's key is where the path was written."""


def resolved(root: Node, scenario: str | None, sets: Sequence[Change], faults: Faults) -> Node:
    """The tree with the named scenario and then `sets` applied, and no layers left in it.

    Every override and scenario of the file is tried, also those that were not asked for, so that
    one check finds the faults of all.
    """
    named, combined = _named_overrides(root, faults), _scenarios(root, faults)
    bare = replace(root, value={key: node for key, node in root.entries().items() if key not in LAYERS})
    if scenario is not None and scenario not in combined:
        known = list(combined)
        hint = did_you_mean(scenario, known) if known else "the file has no `scenarios`"
        section = root.child("scenarios") or root
        faults.at(section.head, "unknown-scenario", "scenarios", f"no scenario {scenario!r}", hint)
    used: set[str] = set()
    result = bare
    for name, (overrides, own, contracts) in combined.items():
        signed = None if contracts is None else named_file(contracts, f"scenarios.{name}.contracts", faults)
        changes: list[Change] = []
        for override in overrides:
            word = str(override.value)
            used.add(word)
            if word in named:
                changes += named[word]
            else:
                faults.at(
                    override.place,
                    "unknown-override",
                    f"scenarios.{name}",
                    f"no override {word!r}",
                    did_you_mean(word, list(named)),
                )
        start = bare if signed is None else with_contracts(bare, signed)
        outcome = applied(start, changes + own, faults)
        if name == scenario:
            result = _named(outcome, name)
    for name, changes in named.items():
        if name not in used:
            applied(bare, changes, faults)
    return applied(result, sets, faults)


def _named(root: Node, scenario: str) -> Node:
    """The tree with the scenario's name on the file's: two named scenarios are never confused."""
    name = root.child("name")
    if name is None or not isinstance(name.value, str):
        return root
    return with_value(root, ("name",), replace(name, value=f"{name.value}-{scenario}"))


def _named_overrides(root: Node, faults: Faults) -> dict[str, list[Change]]:
    section = root.child("overrides")
    if section is None:
        return {}
    if not _is_map(section, "overrides", "a map of names", faults):
        return {}
    return {
        name: [(path, value) for path, value in node.entries().items()]
        for name, node in section.entries().items()
        if _is_map(node, f"overrides.{name}", "a map of dotted paths", faults)
    }


SCENARIO_KEYS = ("overrides", "set", "contracts")


def _scenarios(root: Node, faults: Faults) -> dict[str, tuple[list[Node], list[Change], Node | None]]:
    """By name: overrides, changes of its own, and the contract file that it is under."""
    section = root.child("scenarios")
    found: dict[str, tuple[list[Node], list[Change], Node | None]] = {}
    if section is None or not _is_map(section, "scenarios", "a map of names", faults):
        return found
    for name, node in section.entries().items():
        if isinstance(node.value, list) or node.value is None:
            found[name] = (node.items(), [], None)
        elif _is_map(node, f"scenarios.{name}", "a list of override names or a map", faults):
            for key, child in node.entries().items():
                if key not in SCENARIO_KEYS:
                    faults.at(
                        child.head,
                        "unknown-key",
                        f"scenarios.{name}.{key}",
                        f"unknown key {key!r}",
                        did_you_mean(key, list(SCENARIO_KEYS)),
                    )
            names, changes = node.child("overrides"), node.child("set")
            if names and not isinstance(names.value, list):
                faults.at(
                    names.place,
                    "wrong-type",
                    f"scenarios.{name}.overrides",
                    f"expected a list, got {written(names.value)}",
                    "write [name, name]",
                )
            if changes and not _is_map(changes, f"scenarios.{name}.set", "a map of dotted paths", faults):
                changes = None
            found[name] = (names.items() if names else [],
                           list(changes.entries().items()) if changes else [], node.child("contracts"))
    return found


def _is_map(node: Node, path: str, wanted: str, faults: Faults) -> bool:
    if isinstance(node.value, dict):
        return True
    faults.at(node.place, "wrong-type", path, f"expected {wanted}, got {written(node.value)}")
    return False


def applied(root: Node, changes: Iterable[Change], faults: Faults) -> Node:
    """The tree with every change that has a legal path; the others are faults."""
    for path, value in changes:
        segments = tuple(path.split("."))
        if _is_legal(root, segments, value, faults):
            root = with_value(root, segments, value)
    return root


def _is_legal(root: Node, segments: tuple[str, ...], value: Node, faults: Faults) -> bool:
    """Whether the path names something that is there, a legal key of it, or a whole new thing."""
    node: Node | None = root
    path = ".".join(segments)
    for position, segment in enumerate(segments):
        last = position == len(segments) - 1
        child = node.child(segment) if node else None
        if child is not None:
            node = child
            continue
        known, new_allowed = _known(root, segments[:position], node)
        if segment in known and value.value is not None:
            node = None
            continue
        is_thing = position != 1 or isinstance(value.value, dict)
        if new_allowed and last and is_thing and value.value is not None:
            continue
        parent = ".".join(segments[:position])
        where = f"{parent} has no {segment!r}" if parent else f"no section {segment!r}"
        length = len(node.items()) if node else 0
        hint = did_you_mean(segment, known) if not length else f"its entries are 0 to {length - 1}"
        faults.at(value.head, "unknown-path", path, where, hint)
        return False
    return True


def _known(root: Node, parent: tuple[str, ...], node: Node | None) -> tuple[list[str], bool]:
    """What may follow `parent`: the words, and whether a new word may be made up."""
    there = list(node.entries()) if node else []
    if not parent:
        return [*SINGLES, *sections()], False
    if len(parent) == 1 and parent[0] in sections():
        return there, True
    options = branches(type_at(root, parent, _step))
    words: list[str] = there
    made_up = False
    for option in options:
        if is_dataclass(option) and isinstance(option, type):
            words = words + [key for key in keys_of(option) if key not in words]
        elif shape_of(option) == "map":
            made_up = True
    return words, made_up


def _step(annotation: object, segment: str | int) -> object:
    """The type of an entry, of the first branch that can have such an entry."""
    for option in branches(annotation):
        found = below(option, segment)
        if found is not None:
            return found
    return None


def from_texts(texts: Sequence[str], faults: Faults) -> list[Change]:
    """`dotted.path=value` texts as changes; the value is read as YAML."""
    changes: list[Change] = []
    for number, text in enumerate(texts):
        source = Source("--set", 1_000 + number, lines=[text])
        path, equals, value = text.partition("=")
        if not equals or not path.strip():
            faults.at(
                Place(source, 0, 1, len(text)),
                "bad-set",
                "",
                f"{text!r} is no `path=value`",
                "write --set contracts.azure.usd_per_gpu_hour=2.6",
            )
            continue
        key = Place(source, 0, 1, len(path))
        place = Place(source, 0, len(path) + 2, max(1, len(value)))
        if not value.strip():
            hint = f"write --set {path.strip()}=null to remove it"
            faults.at(place, "bad-set", path, "no value given", hint)
            continue
        inner = Faults()
        node = read(value, Source("--set", lines=[value]), inner)
        if inner.errors or node is None:
            reason = inner.errors[0].message if inner.errors else "no YAML"
            faults.at(place, "bad-set", path, f"the value is no YAML: {reason}")
            continue
        changes.append((path.strip(), _moved(node, place, key)))
    return changes


def _moved(node: Node, place: Place, key: Place) -> Node:
    """The node with everything in it at one place."""
    value = node.value
    if isinstance(value, dict):
        return Node({name: _moved(child, place, place) for name, child in value.items()}, place, key)
    if isinstance(value, list):
        return Node([_moved(child, place, place) for child in value], place, key)
    return Node(value, place, key)


def from_data(values: Mapping[str, object], name: str = "override") -> list[Change]:
    """Python values by dotted path as changes; dates and decimals as a file would hold them."""
    changes = []
    if not isinstance(values, Mapping):
        raise UsageError(f"overrides are a map of dotted paths to values, got {type(values).__name__}")
    for number, (path, value) in enumerate(values.items()):
        if not isinstance(path, str):
            raise UsageError(f"the path of an override is text, got {path!r}")
        data = _as_file_data(value)
        text = f"{path} = {data!r}"
        source = Source(name, 1_000 + number, lines=[text])
        key = Place(source, 0, 1, len(path))
        place = Place(source, 0, len(path) + 4, len(text) - len(path) - 3)
        changes.append((path, _moved(tree(data, place), place, key)))
    return changes


def _as_file_data(value: object, level: int = 0) -> object:
    """A Python value as a file would hold it; numbers of numpy are numbers."""
    if level > MOST_LEVELS:
        raise UsageError(f"nested too deeply: more than {MOST_LEVELS} maps and lists inside each other")
    if isinstance(value, dict):
        return {str(_as_file_data(key)): _as_file_data(child, level + 1) for key, child in value.items()}
    if isinstance(value, list | tuple):
        return [_as_file_data(child, level + 1) for child in value]
    if value is None or isinstance(value, str | bool | int | float):
        return float(value) if isinstance(value, float) else value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Decimal | Real):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value
