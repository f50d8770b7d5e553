"""The resolved scenario as YAML text, and back.

Written by hand: a YAML library takes ten times as long, and plain data needs little of YAML. Scalars
are JSON's, which YAML 1.2 contains; only words that no reader takes for anything else go unquoted.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

PLAIN = re.compile(r"[A-Za-z_][\w./-]*(?: [\w./-]+)*", re.ASCII)
"""Words, names and paths."""
RESERVED = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
"""What some reader would take for a boolean or for nothing."""


def to_yaml(source: Mapping[str, object]) -> str:
    """Plain data as YAML 1.2, keys in their order: the order of a pool's fleets matters."""
    return "\n".join(_lines(source, 0)) + "\n" if source else "{}\n"


def from_yaml(path: Path) -> dict[str, Any]:
    """The plain data of such a file; dates come back as the ISO text they were."""
    from ruamel.yaml import YAML

    return dict(YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")))


def _lines(value: object, depth: int) -> Iterator[str]:
    """The lines of a map or list that is not empty."""
    margin = "  " * depth
    entries = [(f"{_scalar(key)}:", entry) for key, entry in value.items()] if isinstance(value, Mapping) \
        else [("-", entry) for entry in _items(value)]
    for mark, entry in entries:
        if isinstance(entry, (Mapping, list, tuple)) and entry and not _short(entry):
            yield f"{margin}{mark}"
            yield from _lines(entry, depth + 1)
        else:
            yield f"{margin}{mark} {_flow(entry)}"


def _items(value: object) -> list[object]:
    assert isinstance(value, (list, tuple)), "only maps and lists have lines"
    return list(value)


def _short(value: object) -> bool:
    """Whether a map or list of scalars fits on a line of its own."""
    entries = list(value.values()) if isinstance(value, Mapping) else _items(value)
    return not any(isinstance(entry, (Mapping, list, tuple)) for entry in entries) and len(_flow(value)) <= 80


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(key)}: {_flow(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_flow(entry) for entry in value) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    """A scalar; ValueError when it is NaN or infinite, TypeError when it is no plain data."""
    if isinstance(value, str) and PLAIN.fullmatch(value) and value.lower() not in RESERVED:
        return value
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    # YAML allows fewer characters as they are than JSON does.
    return text if text.isprintable() else "".join(
        letter if letter.isprintable() else f"\\U{ord(letter):08x}" for letter in text)
