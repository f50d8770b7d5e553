"""Files with one section of a scenario: contracts to sign, offers to choose from."""

from fleetsim.errors import did_you_mean
from fleetsim.spec.faults import Faults
from fleetsim.spec.node import Node
from fleetsim.spec.scalar import written

FORMAT = 1
"""The version of the file format: the value of the key `fleetsim`."""
SAID = ("fleetsim", "name", "description")
"""Keys beside the section."""


def check_part(root: Node, section: str, noun: str, faults: Faults) -> Node | None:
    """The section, a map; faults for other keys, a format that is not known, a name that is no text, and a
    section that is missing (then None)."""
    for key, node in root.entries().items():
        if key not in (*SAID, section):
            faults.at(node.head, "unknown-key", key, f"unknown key {key!r} in a file of {section}",
                      did_you_mean(key, [*SAID, section]))
    version = root.child("fleetsim")
    if version is None:
        faults.at(root.place, "missing-key", "", "missing key 'fleetsim'",
                  f"add `fleetsim: {FORMAT}`, the version of the format")
    elif version.value != FORMAT:
        faults.at(version.place, "unknown-format", "fleetsim",
                  f"format {written(version.value)} is not known", f"write {FORMAT}")
    for key in ("name", "description"):
        text = root.child(key)
        if text is not None and not isinstance(text.value, str):
            faults.at(text.place, "wrong-type", key, f"expected text, got {written(text.value)}")
    entries = root.child(section)
    if entries is None:
        faults.at(root.place, "missing-key", "", f"missing key {section!r}",
                  f"add `{section}:` with one `name: {{kind: ..., ...}}` per {noun}")
    elif not isinstance(entries.value, dict):
        faults.at(entries.place, "wrong-type", section,
                  f"expected a map by name, got {written(entries.value)}",
                  f"write `{section}:` with one `name: {{...}}` per {noun}")
    elif not entries.entries():
        faults.at(entries.place, "empty-map", section, f"has no {noun}",
                  "add one `name: {kind: ..., ...}` per " + noun)
    else:
        return entries
    return None
