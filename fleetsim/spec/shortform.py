"""Short forms of a file, written out: the classes know only the long form.

`messages_per_day: {2024-01-01: 5e6}` stands for `{anchors: {...}}`, and `{file: a.csv, time: t, value: v}`
for `{series: {...}}`.
"""

from dataclasses import replace

from fleetsim.spec.node import Node

_SERIES_KEYS = frozenset({"file", "time", "value"})


def written_out(root: Node) -> Node:
    """The tree with every short form in its long form; places stay those of what was written."""
    traffic = root.child("traffic")
    if traffic is None or not traffic.entries():
        return root
    classes = {name: _traffic_class(node) for name, node in traffic.entries().items()}
    return replace(root, value={**root.entries(), "traffic": replace(traffic, value=classes)})


def _traffic_class(node: Node) -> Node:
    volume = node.child("messages_per_day") if node.entries() else None
    if volume is None or not volume.entries():
        return node
    keys = volume.entries()
    if all(key[:1].isdecimal() for key in keys):
        name = "anchors"
    elif keys.keys() & _SERIES_KEYS and "series" not in keys:
        series = {key: child for key, child in keys.items() if key not in ("curve", "share_frac", "anchors")}
        others = {key: child for key, child in keys.items() if key not in series}
        inner = replace(volume, value=series, inserted=True)
        return _with_volume(node, replace(volume, value={**others, "series": inner}))
    else:
        return node
    return _with_volume(node, replace(volume, value={name: replace(volume, inserted=True)}))


def _with_volume(node: Node, volume: Node) -> Node:
    return replace(node, value={**node.entries(), "messages_per_day": volume})
