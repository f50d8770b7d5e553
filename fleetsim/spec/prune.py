"""Leaving out what another file wrote beyond this horizon.

A file may extend one with a longer horizon, and `--set horizon.end=...` may shorten it. Tranches,
surges and published facts that were written elsewhere and lie outside are then left out, with one
warning; written beside the horizon itself they are faults.
"""

from dataclasses import replace
from datetime import datetime

from fleetsim.spec.faults import Faults
from fleetsim.spec.node import Node
from fleetsim.units import as_utc


def pruned(root: Node, faults: Faults) -> Node:
    """The tree without them."""
    start, end = _instant(root.find(("horizon", "start"))), _instant(root.find(("horizon", "end")))
    if start is None or end is None or end <= start:
        return root
    out: list[str] = []
    entries = dict(root.entries())
    if "fleets" in entries:
        fleets = {
            name: _fleet(name, node, root, end, out) for name, node in entries["fleets"].entries().items()
        }
        if fleets:
            entries["fleets"] = replace(entries["fleets"], value=fleets)
    for section, noun in (("surges", "surge"), ("published", "published fact")):
        if section not in entries:
            continue
        kept = {}
        for name, node in entries[section].entries().items():
            outside = _outside(node, start, end, whole=section == "published")
            if outside is not None and _elsewhere(outside, root):
                out.append(f"{noun} {name}")
            else:
                kept[name] = node
        if len(kept) < len(entries[section].entries()):
            entries[section] = replace(entries[section], value=kept)
    if out:
        horizon = root.find(("horizon", "end"))
        faults.at(
            horizon.place if horizon else None,
            "left-out",
            "horizon.end",
            f"outside the horizon and left out: {', '.join(out)}",
            severity="warning",
        )
    return replace(root, value=entries)


def _fleet(name: str, fleet: Node, root: Node, end: datetime, out: list[str]) -> Node:
    tranches = fleet.child("tranches")
    kept = []
    for tranche in tranches.items() if tranches else []:
        node = tranche.child("date")
        date = _instant(node)
        if node is None or date is None or date < end or not _elsewhere(node, root):
            kept.append(tranche)
    if tranches is None or not kept or len(kept) == len(tranches.items()):
        return fleet
    dropped = len(tranches.items()) - len(kept)
    out.append(f"{dropped} {'tranche' if dropped == 1 else 'tranches'} of {name}")
    return replace(fleet, value={**fleet.entries(), "tranches": replace(tranches, value=kept)})


def _outside(node: Node, start: datetime, end: datetime, whole: bool) -> Node | None:
    """The date that lies outside; a `whole` window must fit in, others need only overlap."""
    first, last = node.child("start"), node.child("end")
    begins, stops = _instant(first), _instant(last)
    if begins is not None and (begins >= end or (whole and begins < start)):
        return first
    if stops is not None and (stops <= start or (whole and stops > end)):
        return last
    return None


def _elsewhere(node: Node, root: Node) -> bool:
    """Whether a date was written in another file than the horizon's two ends."""
    ends = [root.find(("horizon", "start")), root.find(("horizon", "end"))]
    return all(end is None or end.place.source is not node.place.source for end in ends) or any(
        end is not None and end.place.line == 0 for end in ends
    )


def _instant(node: Node | None) -> datetime | None:
    try:
        return as_utc(node.value) if node else None
    except ValueError:
        return None
