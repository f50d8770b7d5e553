"""Contract files: contracts that take the place of a scenario's, to compare what could be signed.

A contract file has a section `contracts` and, if it wants, a name and a description. Its contracts replace
those of the fleets whose GPU-hours they bill; contracts of other fleets stay, and so do those that bill a
fleet's elastic part. Pots (credits, enterprise commitments) bill no GPU-hours: they come on top.
"""

import os
import re
from dataclasses import replace
from pathlib import Path

from fleetsim.spec.faults import Faults
from fleetsim.spec.file import Files, no_file
from fleetsim.spec.node import Node
from fleetsim.spec.part_file import SAID, check_part
from fleetsim.spec.scalar import written

SCENARIO = re.compile(r"^(extends|horizon|fleets|traffic|scenarios)\s*:", re.MULTILINE)
"""Sections that only a scenario file has."""


def contract_file(path: str | os.PathLike[str], faults: Faults) -> Node | None:
    """The tree of a contract file; faults and None when it is none."""
    root = Files(faults).scenario(path)
    if root is None:
        return None
    return root if check_part(root, "contracts", "contract", faults) else None


def is_contract_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds contracts and no fleets."""
    if not os.path.isfile(path):
        return False
    with open(path, encoding="utf-8", errors="replace") as file:
        if SCENARIO.search(file.read()):
            return False  # without reading all that it extends
    faults = Faults()
    root = Files(faults).scenario(path)
    return root is not None and root.child("contracts") is not None and not (
        set(root.entries()) - {*SAID, "contracts"})


def with_contracts(root: Node, signed: Node) -> Node:
    """A scenario's tree under the contracts of a contract file's."""
    new = signed.child("contracts")
    assert new is not None, "a contract file has contracts"
    billed = {fleet for node in new.entries().values() for fleet in _billed(node)}
    fleets = root.child("fleets")
    elastic = set()
    for fleet in (fleets.entries() if fleets else {}).values():
        named = fleet.find(("elastic", "contract"))
        if named is not None:
            elastic.add(named.value)
    old = root.child("contracts")
    kept = {name: node for name, node in (old.entries() if old else {}).items()
            if name not in new.entries() and (name in elastic or not _billed(node) & billed)}
    section = replace(new, value={**kept, **new.entries()})
    gone = [name for name in (old.entries() if old else {}) if name not in section.entries()]
    entries = {**root.entries(), "contracts": section}
    return replace(root, value={key: _without(node, key, gone) for key, node in entries.items()})


def _without(section: Node, key: str, gone: list[str]) -> Node:
    """Published facts, objectives and budgets without those about contracts that are gone."""
    about = tuple(f"contracts.{name}." for name in gone)
    if key == "published":
        kept = {name: node for name, node in section.entries().items()
                if not _text(node.child("figure")).startswith(about)}
        return replace(section, value=kept)
    if key == "objectives":
        return replace(section, value=[node for node in section.items()
                                       if not _text(node).removeprefix("result:").startswith(about)])
    if key == "budgets":
        left = {name: _still(node, gone) for name, node in section.entries().items()}
        return replace(section, value={name: node for name, node in left.items() if node is not None})
    return section


def _still(budget: Node, gone: list[str]) -> Node | None:
    """A budget with the contracts that are left; None when all of those it was for are gone."""
    named = budget.child("contracts")
    if named is None or not named.items():
        return budget
    left = [node for node in named.items() if _text(node) not in gone]
    entries = {**budget.entries(), "contracts": replace(named, value=left)}
    return replace(budget, value=entries) if left else None


def _text(node: Node | None) -> str:
    return node.value if node is not None and isinstance(node.value, str) else ""


def named_file(node: Node, path: str, faults: Faults) -> Node | None:
    """The tree of the contract file that a value names, relative to the file it is written in."""
    if not isinstance(node.value, str) or not node.value:
        faults.at(node.place, "wrong-type", path, f"expected the path of a contract file, got "
                                                  f"{written(node.value)}")
        return None
    name = os.path.normpath(os.path.join(node.place.source.directory, node.value))
    if not os.path.isfile(name):
        faults.at(node.place, "missing-file", path, *no_file(Path(name)))
        return None
    return contract_file(name, faults)


def _billed(contract: Node) -> set[str]:
    """The fleets whose GPU-hours a contract bills, as written."""
    fleet, rates = contract.child("fleet"), contract.child("rates")
    own = {fleet.value} if fleet is not None and isinstance(fleet.value, str) else set()
    return own | set(rates.entries() if rates is not None else {})
