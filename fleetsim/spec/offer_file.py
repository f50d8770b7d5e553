"""Offer files: what providers would sell, for `optimize` to choose from.

An offer file has a section `offers` and, if it wants, a name and a description. An offer is written as in
a scenario.
"""

import os
import re
from collections.abc import Collection
from typing import Any

from fleetsim.errors import did_you_mean
from fleetsim.model.contract import Offer
from fleetsim.spec import catalog
from fleetsim.spec.contract_file import SCENARIO
from fleetsim.spec.entry import build
from fleetsim.spec.faults import Faults
from fleetsim.spec.file import Files
from fleetsim.spec.node import Node
from fleetsim.spec.scalar import written

KEYS = ("fleetsim", "name", "description", "offers")
FORMAT = 1
NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")
"""Names of offers become names of contracts, with a date behind them."""


def is_offer_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file holds offers and nothing of a scenario."""
    if not os.path.isfile(path):
        return False
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    return re.search(r"^offers\s*:", text, re.MULTILINE) is not None and SCENARIO.search(text) is None


def load_offers(path: str | os.PathLike[str], *, gpus: Collection[str] = ()) -> dict[str, Offer]:
    """The offers of a file by name; `gpus` are types beside the catalogue's.

    ScenarioError with every fault of the file, UsageError when there is none.
    """
    faults = Faults()
    root = Files(faults).scenario(path)
    offers: dict[str, Offer] = {}
    if root is not None:
        faults.root = root
        _check_keys(root, faults)
        section = root.child("offers")
        if section is not None:
            offers = _offers(section, {*gpus, *catalog.gpus()}, faults)
    faults.stop()
    return offers


def _check_keys(root: Node, faults: Faults) -> None:
    for key in root.entries():
        if key not in KEYS:
            faults.error("unknown-key", (key,), f"unknown key {key!r} in an offer file",
                         did_you_mean(key, list(KEYS)), on="key")
    version = root.child("fleetsim")
    if version is None:
        faults.error("missing-key", (), "missing key 'fleetsim'",
                     f"add `fleetsim: {FORMAT}`, the version of the format")
    elif version.value != FORMAT:
        faults.error("unknown-format", ("fleetsim",), f"format {written(version.value)} is not known",
                     f"write {FORMAT}")
    if root.child("offers") is None:
        faults.error("missing-key", (), "missing key 'offers'",
                     "add `offers:` with one `name: {kind: ..., ...}` per offer")


def _offers(section: Node, gpus: set[str], faults: Faults) -> dict[str, Offer]:
    if not isinstance(section.value, dict):
        faults.error("wrong-type", ("offers",), f"expected a map by name, got {written(section.value)}",
                     "write `offers:` with one `name: {...}` per offer")
        return {}
    if not section.entries():
        faults.error("empty-map", ("offers",), "has no offer", "add one `name: {kind: ..., ...}` per offer")
    found: dict[str, Any] = {}
    for name, node in section.entries().items():
        if not NAME.fullmatch(name):
            faults.error("bad-name", ("offers", name), f"{name!r} is no name",
                         "up to 80 letters, digits, '-' and '_'", on="key")
        offer = build(Offer, node, ("offers", name), faults)
        gpu = node.child("gpu")
        if gpu is not None and isinstance(gpu.value, str) and gpu.value not in gpus:
            faults.error("unknown-gpu-type", ("offers", name, "gpu"), f"no gpu type {gpu.value!r}",
                         did_you_mean(gpu.value, sorted(gpus)))
        if offer is not None:
            found[name] = offer
    return found
