"""Scenario files on disk: one file, or files that extend each other."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.spec.faults import Faults
from fleetsim.spec.merge import merged
from fleetsim.spec.node import Node, Place, Source
from fleetsim.spec.scalar import written
from fleetsim.spec.yaml import read

NAMED = ("overrides", "scenarios")
"""Layers whose entries are applied later, by name."""


@dataclass
class Files:
    """The files that one scenario is read from, in the order in which they were opened."""

    faults: Faults
    opened: list[Source] = field(default_factory=list)

    def scenario(self, path: str | os.PathLike[str]) -> Node | None:
        """The tree of a file and of every file that it extends; None when one cannot be read."""
        name = os.fspath(path)
        if not Path(name).is_file():
            message, hint = no_file(Path(name))
            raise UsageError(message + (f"; {hint}" if hint else ""))
        return self._chain(name, ())

    def _chain(self, name: str, above: tuple[str, ...]) -> Node | None:
        root = self._read(name)
        if root is None:
            return None
        if not isinstance(root.value, dict):
            self.faults.at(root.place, "wrong-type", "", f"a scenario is a map, got {written(root.value)}")
            return None
        extends = root.child("extends")
        if extends is None:
            return root
        own = replace(root, value={key: node for key, node in root.entries().items() if key != "extends"})
        names = extends.items() if isinstance(extends.value, list) else [extends]
        bases = [self._base(each, name, above) for each in names]
        if not names or any(base is None for base in bases):
            if not names:
                self._no_path(extends)
            return None
        found: Node | None = None
        for base in (*bases, own):
            found = base if found is None or base is None else _extended(found, base)
        return found

    def _base(self, extends: Node, name: str, above: tuple[str, ...]) -> Node | None:
        """The tree of a file that `name` extends."""
        if not isinstance(extends.value, str) or not extends.value:
            self._no_path(extends)
            return None
        base_name = os.path.normpath(os.path.join(os.path.dirname(name), extends.value))
        chain = (*above, os.path.realpath(name))
        if os.path.realpath(base_name) in chain:
            self.faults.at(
                extends.place, "extends-cycle", "extends", f"{extends.value} extends this file again"
            )
            return None
        if not Path(base_name).is_file():
            self.faults.at(extends.place, "missing-file", "extends", *no_file(Path(base_name)))
            return None
        return self._chain(base_name, chain)

    def _no_path(self, extends: Node) -> None:
        self.faults.at(
            extends.place,
            "wrong-type",
            "extends",
            f"expected the path of a file, or a list of paths, got {written(extends.value)}",
            "write extends: base.yaml, or extends: [base.yaml, more.yaml], of which the last wins",
        )

    def _read(self, name: str) -> Node | None:
        data = Path(name).read_bytes()
        source = Source(name, len(self.opened), Path(name).parent)
        self.opened.append(source)
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data[: error.start].count(b"\n") + 1
            self.faults.at(Place(source, line, 1), "not-utf8", "", "the line is not UTF-8 text")
            return None
        source.lines.extend(text.splitlines())
        return read(text, source, self.faults)


def no_file(path: Path, pattern: str = "*.yaml") -> tuple[str, str]:
    """Message and hint for a path that is no regular file; the hint names files beside it."""
    if path.is_dir():
        return f"{path} is a folder, not a file", ""
    if path.exists():
        return f"{path} is no regular file", ""
    if path.is_symlink():
        return f"{path} is a link to {os.readlink(path)}, which is not there", ""
    near = [file.name for file in path.parent.glob(pattern) if file.is_file()] if path.parent.is_dir() else []
    return f"no such file: {path}", did_you_mean(path.name, near)


def _extended(base: Node, own: Node) -> Node:
    """`own` on top of `base`. A named override or scenario is kept whole: a null in it is for later."""
    plain = replace(own, value={key: node for key, node in own.entries().items() if key not in NAMED})
    result = merged(base, plain)
    entries = result.entries()
    for key in NAMED:
        node = own.child(key)
        if node is not None:
            entries = {
                **entries,
                key: replace(node, value=_together(_names(base, key), node.entries()))
                if isinstance(node.value, dict)
                else node,
            }
    return replace(result, value=entries)


def _together(base: dict[str, Node], own: dict[str, Node]) -> dict[str, Node]:
    """The base's entries and the file's own; a null takes one of the base away."""
    gone = {name for name, node in own.items() if node.value is None and name in base}
    return {name: node for name, node in {**base, **own}.items() if name not in gone}


def _names(base: Node, key: str) -> dict[str, Node]:
    section = base.child(key)
    return dict(section.entries()) if section is not None else {}
