"""Names: what things may be called, since names are parts of dotted paths, streams, folders and columns."""

import re

from fleetsim.spec.draft import Draft
from fleetsim.spec.node import Node, NodePath
from fleetsim.spec.sections import parts_of_finance, sections

MOST_CHARACTERS = 100
NAME = re.compile(rf"[A-Za-z0-9_-]{{1,{MOST_CHARACTERS}}}")
NAMED_PARTS = ("maintenance", "outages", "labels")
"""Maps inside an entry whose keys are names, too; labels become columns."""


def check_names(draft: Draft) -> None:
    """The name of the scenario, of every entry of its sections and of the named parts of those."""
    name = draft.root.child("name")
    if name and isinstance(name.value, str) and not NAME.fullmatch(name.value):
        draft.error("bad-name", ("name",), *_words(name.value))
    for section in sections():
        node = draft.root.child(section)
        if node is None:
            continue
        _check_keys(draft, node, (section,))
        for entry, child in node.entries().items():
            for part in NAMED_PARTS:
                inner = child.child(part) if child.entries() else None
                if inner is not None:
                    _check_keys(draft, inner, (section, entry, part))


    for part in parts_of_finance():
        node = draft.root.find(("finance", part))
        if node is not None:
            _check_keys(draft, node, ("finance", part))


def _words(name: str) -> tuple[str, str]:
    """Message and hint for a text that is no name."""
    if len(name) > MOST_CHARACTERS:
        return f"a name has at most {MOST_CHARACTERS} characters, this one has {len(name)}", ""
    return f"{name!r} is no name", "use letters, digits, '-' and '_'"


def _check_keys(draft: Draft, node: Node, path: NodePath) -> None:
    for key in node.entries():
        if not NAME.fullmatch(key):
            draft.error("bad-name", (*path, key), *_words(key), key=True)
