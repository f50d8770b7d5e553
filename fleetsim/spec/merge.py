"""Merging: maps entry by entry, lists and scalars replaced, null removes. Places follow the values."""

from dataclasses import replace

from fleetsim.spec.node import Node


def merged(base: Node, own: Node) -> Node:
    """`own` on top of `base`; keys keep the base's order, new ones follow."""
    if not (isinstance(base.value, dict) and isinstance(own.value, dict)):
        return own
    entries = dict(base.value)
    for key, node in own.value.items():
        if node.value is None:
            entries.pop(key, None)
        elif key in entries:
            entries[key] = merged(entries[key], node)
        else:
            entries[key] = without_nulls(node)
    return replace(own, value=entries)


def without_nulls(node: Node) -> Node:
    """A map without the entries that are null: what they would have removed is not there."""
    if not isinstance(node.value, dict):
        return node
    kept = {key: without_nulls(child) for key, child in node.value.items() if child.value is not None}
    return replace(node, value=kept)


def with_value(root: Node, path: tuple[str, ...], value: Node) -> Node:
    """A copy of the tree with `value` merged in at `path`; null removes, missing maps are made."""
    segment, rest = path[0], path[1:]
    if isinstance(root.value, list):
        items = list(root.value)
        index = int(segment)
        if rest:
            items[index] = with_value(items[index], rest, value)
        elif value.value is None:
            del items[index]
        else:
            items[index] = merged(items[index], value)
        return replace(root, value=items)
    entries = dict(root.entries())
    if rest:
        below = entries.get(segment) or Node({}, value.place, value.key)
        entries[segment] = with_value(below, rest, value)
    elif value.value is None:
        entries.pop(segment, None)
    elif segment in entries:
        entries[segment] = merged(entries[segment], value)
    else:
        entries[segment] = value
    return replace(root, value=entries)
