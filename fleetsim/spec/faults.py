"""Faults: what is wrong with a scenario, collected in one pass and shown in file order."""

from typing import Literal

from fleetsim.errors import Diagnostic, ScenarioError
from fleetsim.spec.node import Node, NodePath, Place

On = Literal["value", "key"]


class Faults:
    """Collects diagnostics. `root` is the tree in which paths are looked up; it may change."""

    def __init__(self) -> None:
        self.root: Node | None = None
        self._found: list[tuple[tuple[int, int, int], Diagnostic]] = []
        self._seen: set[tuple[str, str, int, int]] = set()

    def copy(self) -> "Faults":
        """Another collection that begins with what is found so far."""
        other = Faults()
        other.root, other._found, other._seen = self.root, list(self._found), set(self._seen)
        return other

    def error(self, code: str, path: NodePath, message: str, hint: str = "", on: On = "value") -> None:
        """A fault of the value (or key) at `path`, or of its nearest parent that exists."""
        place, text = self._locate(path, on)
        self.at(place, code, text, message, hint)

    def warning(self, code: str, path: NodePath, message: str, hint: str = "", on: On = "value") -> None:
        """The same for something that is allowed and looks wrong."""
        place, text = self._locate(path, on)
        self.at(place, code, text, message, hint, "warning")

    def at(
        self,
        place: Place | None,
        code: str,
        path: str,
        message: str,
        hint: str = "",
        severity: Literal["error", "warning"] = "error",
    ) -> None:
        """A fault at a known place; the same fault at the same place counts once."""
        if place is None:
            place = self.root.place if self.root else None
        if place is None:
            self._found.append(((0, 0, 0), Diagnostic(severity, code, path, message, help=hint)))
            return
        source = place.source
        mark = (code, f"{source.order}:{path}:{message}", place.line, place.column)
        if mark in self._seen:
            return
        self._seen.add(mark)
        row = max(place.line, 1) - 1
        line = source.lines[row] if row < len(source.lines) else ""
        width = max(1, min(place.width, len(line) - place.column + 1)) if line else 1
        diagnostic = Diagnostic(
            severity, code, path, message, source.name, place.line, place.column, line, width, hint
        )
        self._found.append(((source.order, place.line, place.column), diagnostic))

    def _locate(self, path: NodePath, on: On) -> tuple[Place | None, str]:
        """The place for a path, and its text without the maps that stand for short forms."""
        node, found = self.root, True
        words: list[str] = []
        for segment in path:
            child = node.child(segment) if node and found else None
            if child is None:
                found = False
            else:
                node = child
            if child is None or not child.inserted:
                words.append(str(segment))
        if node is None:
            return None, ".".join(words)
        return (node.head if on == "key" or not found else node.place), ".".join(words)

    @property
    def errors(self) -> list[Diagnostic]:
        """Errors in file order."""
        return [fault for _, fault in self._sorted() if fault.severity == "error"]

    @property
    def warnings(self) -> list[Diagnostic]:
        """Warnings in file order."""
        return [fault for _, fault in self._sorted() if fault.severity == "warning"]

    def _sorted(self) -> list[tuple[tuple[int, int, int], Diagnostic]]:
        return sorted(self._found, key=lambda found: found[0])

    def stop(self) -> None:
        """Raise ScenarioError with errors and warnings when there is an error."""
        if self.errors:
            raise ScenarioError([fault for _, fault in self._sorted()])
