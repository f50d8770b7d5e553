"""Nodes: the values of a scenario file, each with the place where it was written."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from fleetsim.spec.scalar import Scalar

NodePath = tuple[str | int, ...]
"""Where a value stands in the tree: keys of maps and numbers of list entries."""


@dataclass(frozen=True, eq=False)
class Source:
    """A text that values come from: a file, or a `--set`."""

    name: str
    """As messages show it."""
    order: int = 0
    """Faults are listed by the order in which sources were read."""
    directory: Path = Path()
    """Where relative paths written in it start."""
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False, slots=True)
class Place:
    """A stretch of one line; line and column count from 1, line 0 is outside any file."""

    source: Source
    line: int
    column: int
    width: int = 1


@dataclass(frozen=True, eq=False, slots=True)
class Node:
    """A value, where it stands, and where its key stands (None in a list).

    `inserted` marks a map that no file has: it stands for a short form and is left out of paths.
    """

    value: "Value"
    place: Place
    key: Place | None = None
    inserted: bool = False

    @property
    def head(self) -> Place:
        """The key where there is one, the value where there is none."""
        return self.key or self.place

    def entries(self) -> dict[str, "Node"]:
        """The entries of a map; none for any other value."""
        return self.value if isinstance(self.value, dict) else {}

    def items(self) -> list["Node"]:
        """The entries of a list; none for any other value."""
        return self.value if isinstance(self.value, list) else []

    def child(self, segment: str | int) -> "Node | None":
        """The entry of that key or number."""
        if isinstance(self.value, list):
            index = int(segment) if isinstance(segment, int) or segment.isdecimal() else -1
            return self.value[index] if 0 <= index < len(self.value) else None
        return self.entries().get(str(segment))

    def find(self, path: NodePath) -> "Node | None":
        """The value at `path`."""
        node: Node | None = self
        for segment in path:
            node = node.child(segment) if node else None
        return node

    def walk(self, path: NodePath = ()) -> Iterator[tuple[NodePath, "Node"]]:
        """Every value below, depth first."""
        yield path, self
        pairs = enumerate(self.items()) if isinstance(self.value, list) else self.entries().items()
        for segment, child in pairs:
            yield from child.walk((*path, segment))


Value: TypeAlias = Scalar | list[Node] | dict[str, Node]


def plain(node: Node) -> object:
    """The value as plain data: dict, list, str, int, float, bool, None."""
    value = node.value
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [plain(child) for child in value]
    return value


def tree(data: object, place: Place) -> Node:
    """Plain data as nodes that all stand at one place."""
    if isinstance(data, dict):
        return Node({str(key): tree(child, place) for key, child in data.items()}, place, place)
    if isinstance(data, list | tuple):
        return Node([tree(child, place) for child in data], place, place)
    if data is None or isinstance(data, str | int | float):
        return Node(data, place, place)
    return Node(str(data), place, place)
