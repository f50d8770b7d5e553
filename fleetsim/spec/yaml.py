"""Strict YAML 1.2: a text to nodes with places.

Stricter than YAML: keys are text and unique, and there are no tags, anchors, aliases, merge keys,
directives, second documents or tabs, so that every value stands where it is written and is what it
looks like. ruamel.yaml scans and parses, composing from its events is done here: its own composers
either drop the places or take ten times as long. libyaml reads ten times faster than the parser in
Python, whose words about a syntax error are the better ones; so each does what it is good at.
"""

import re
from collections.abc import Iterator
from typing import Any

from fleetsim.spec.faults import Faults
from fleetsim.spec.node import Node, NodePath, Place, Source
from fleetsim.spec.scalar import resolve, written

_SYNTAX = (
    (r"could not find expected ':'", "a key without ':'", "write `key: value`"),
    (
        r"mapping values are not allowed",
        "a ':' where no key can stand",
        "put text that holds ': ' in quotes; check the indentation",
    ),
    (
        r"expected ',' or '\}', but got '(.*)'",
        "a '{' is not closed, or a ',' is missing",
        "write `{key: value, key: value}`",
    ),
    (
        r"expected ',' or '\]', but got '(.*)'",
        "a '[' is not closed, or a ',' is missing",
        "write `[value, value]`",
    ),
    (
        r"expected <block end>, but found",
        "the indentation does not fit the lines above",
        "entries of one map start in one column",
    ),
    (
        r"expected '<document start>'",
        "the indentation does not fit the lines above",
        "entries of one map start in one column",
    ),
    (r"alphabetic or numeric", "text cannot start with '&' or '*'", "put the text in quotes"),
    (r"expected chomping", "text cannot start with '|' or '>'", "put the text in quotes"),
    (r"found unexpected end of stream", "a quote is not closed", ""),
    (r"cannot start any token", "this character cannot start a value", "put the text in quotes"),
    (r"(expected the node content|did not find expected node content)", "a value is missing", ""),
)


MOST_LEVELS = 100
"""Maps and lists inside each other; a scenario has about seven."""
_NO_ALIAS = "write the value, or use `extends` and `overrides`"


def read(text: str, source: Source, faults: Faults) -> Node | None:
    """The text's one document as nodes; None when it is no YAML, which `faults` then says."""
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    tabs = [
        (row, match.end()) for row, line in enumerate(source.lines, 1) if (match := re.match(r" *\t", line))
    ]
    for row, column in tabs:
        faults.at(Place(source, row, column), "tab", "", "a tab in the indentation", "indent with spaces")
    if tabs:
        return None
    try:
        events = _events(text)
    except MarkedYAMLError as error:
        _syntax(error, source, faults)
        return None
    except YAMLError as error:
        faults.at(Place(source, 1, 1), "syntax", "", str(error).splitlines()[0])
        return None
    return _Composer(iter(events), source, faults).document() if _is_flat(events, source, faults) else None


def _is_flat(events: list[Any], source: Source, faults: Faults) -> bool:
    """Whether the text is not nested so deeply that reading it would exhaust the stack."""
    level = 0
    for event in events:
        kind = type(event).__name__
        level += kind in ("SequenceStartEvent", "MappingStartEvent")
        level -= kind in ("SequenceEndEvent", "MappingEndEvent")
        if level > MOST_LEVELS:
            mark = event.start_mark
            message = f"nested too deeply: more than {MOST_LEVELS} maps and lists inside each other"
            faults.at(Place(source, mark.line + 1, mark.column + 1), "too-deep", "", message)
            return False
    return True


def _events(text: str) -> list[Any]:
    """The events of a text; the error is that of the parser in Python."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return list(YAML(typ="safe").parse(text))
    except YAMLError:
        return list(YAML(typ="safe", pure=True).parse(text))


def _syntax(error: Any, source: Source, faults: Faults) -> None:
    """One syntax error, in our words where we have some."""
    mark = error.problem_mark or error.context_mark
    problem = str(error.problem or error.context)
    known = (words for pattern, *words in _SYNTAX if re.search(pattern, problem))
    message, hint = next(known, [problem, ""])
    opened = error.context_mark
    if "not closed" in message and opened is not None:
        mark = opened  # the end of the file says nothing about where the quote began
    faults.at(Place(source, mark.line + 1, mark.column + 1), "syntax", "", message, hint)


class _Composer:
    """Events to nodes. Forbidden constructs are faults, and reading goes on."""

    def __init__(self, events: Iterator[Any], source: Source, faults: Faults) -> None:
        self.events = events
        self.source = source
        self.faults = faults
        self.anchors: dict[str, Node] = {}

    def document(self) -> Node:
        """The one document of the stream; an empty map when there is none."""
        from ruamel.yaml import events as kinds

        root: Node | None = None
        around = (kinds.StreamStartEvent, kinds.DocumentEndEvent, kinds.StreamEndEvent)
        for event in self.events:
            if isinstance(event, kinds.DocumentStartEvent):
                if event.version or event.tags:
                    self.fault(event, "directive", (), "a %YAML or %TAG line is not allowed")
                if root is not None:
                    self.fault(event, "second-document", (), "a file holds one document", "remove '---'")
            elif not isinstance(event, around):
                node = self.node(event, (), None)
                root = root or node
        return root or Node({}, Place(self.source, 1, 1))

    def node(self, event: Any, path: NodePath, key: Place | None) -> Node:
        """The value that starts with `event`."""
        kind = type(event).__name__
        place = self.place(event)
        if kind == "AliasEvent":
            self.fault(event, "alias", path, f"alias *{event.anchor} is not allowed", _NO_ALIAS)
            named = self.anchors.get(event.anchor)
            return Node(named.value if named else None, place, key)
        if event.anchor:
            self.fault(event, "alias", path, f"anchor &{event.anchor} is not allowed", _NO_ALIAS)
        if event.tag not in (None, "!"):
            tag = str(event.tag).replace("tag:yaml.org,2002:", "!!")
            self.fault(event, "tag", path, f"tag {tag} is not allowed", "write the plain value")
        node = self.content(event, kind, path, place, key)
        if event.anchor:
            self.anchors[event.anchor] = node
        return node

    def content(self, event: Any, kind: str, path: NodePath, place: Place, key: Place | None) -> Node:
        """A scalar, a list or a map."""
        if kind == "ScalarEvent":
            return Node(event.value if event.style else resolve(event.value), place, key)
        if kind == "SequenceStartEvent":
            entries: list[Node] = []
            while type(item := next(self.events)).__name__ != "SequenceEndEvent":
                entries.append(self.node(item, (*path, len(entries)), None))
            return Node(entries, self.closed(place, item), key)
        children, end = self.entries(path)
        return Node(children, self.closed(place, end), key)

    def entries(self, path: NodePath) -> tuple[dict[str, Node], Any]:
        """The entries of a map whose start was just read, and the event that ends it."""
        children: dict[str, Node] = {}
        while type(item := next(self.events)).__name__ != "MappingEndEvent":
            place = self.place(item)
            word = self.word(item, path)
            child = self.node(next(self.events), (*path, word or "?"), place)
            if word is None:
                continue
            if word in children:
                first = children[word].head.line
                self.fault(
                    item,
                    "duplicate-key",
                    (*path, word),
                    f"{word!r} is already set in line {first}",
                    "keep one of the two",
                )
                continue
            children[word] = child
        return children, item

    def word(self, event: Any, path: NodePath) -> str | None:
        """The text of a key; None, and a fault, when it is no text."""
        if type(event).__name__ != "ScalarEvent":
            self.node(event, path, None)
            self.fault(event, "key-not-text", path, "a key must be text", "")
            return None
        text: str = event.value
        if event.anchor or event.tag not in (None, "!"):
            self.node(event, (*path, text), None)
        if text == "<<" and not event.style:
            self.fault(
                event,
                "merge-key",
                (*path, text),
                "merge key << is not allowed",
                "use `extends` and `overrides`",
            )
            return None
        value = text if event.style else resolve(text)
        if not isinstance(value, str):
            self.fault(
                event,
                "key-not-text",
                (*path, text),
                f"a key must be text, got {written(value)}",
                f'write "{text}":' if text else "write a key before ':'",
            )
            return None
        return text

    def fault(self, event: Any, code: str, path: NodePath, message: str, hint: str = "") -> None:
        place = self.place(event)
        self.faults.at(place, code, ".".join(str(word) for word in path), message, hint)

    def place(self, event: Any) -> Place:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if end.line == start.line else 1_000
        return Place(self.source, start.line + 1, start.column + 1, width)

    def closed(self, place: Place, end: Any) -> Place:
        """A map or list on one line is marked from its start to its end."""
        same_line = end.end_mark.line + 1 == place.line
        width = end.end_mark.column + 1 - place.column if same_line else 1
        return Place(self.source, place.line, place.column, max(1, width))
