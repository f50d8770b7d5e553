"""A resolved source as YAML text that `load` reads back to the same data."""

from collections.abc import Mapping

from fleetsim.spec.scalar import resolve

_WIDTH = 100
_PLAIN_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_/")
_PLAIN = _PLAIN_FIRST | frozenset("-.+ ()<=>*%$;'&!@|~^")


def dump(source: Mapping[str, object]) -> str:
    """YAML text of plain data, the same bytes for the same data; keys keep their order."""
    return "".join(f"{line}\n" for line in _block(source, ""))


def _block(value: Mapping[str, object], indent: str) -> list[str]:
    lines: list[str] = []
    for key, child in value.items():
        head = f"{indent}{_scalar(str(key))}:"
        flow = f"{head} {_flow(child)}"
        if isinstance(child, Mapping) and child and (len(flow) > _WIDTH or not indent):
            lines.append(head)
            lines += _block(child, indent + "  ")
        elif isinstance(child, list | tuple) and child and len(flow) > _WIDTH:
            lines.append(head)
            lines += _items(child, indent + "  ")
        else:
            lines.append(flow)
    return lines


def _items(values: "list[object] | tuple[object, ...]", indent: str) -> list[str]:
    return [f"{indent}- {_flow(value)}" for value in values]


def _flow(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(str(key))}: {_flow(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_flow(child) for child in value) + "]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = repr(value)
        return {"inf": ".inf", "-inf": "-.inf", "nan": ".nan"}.get(text, text)
    if isinstance(value, int):
        return str(value)
    return _text(str(value))


def _text(text: str) -> str:
    """Text unquoted where it reads back as the same text inside flow maps too, else in double quotes."""
    plain = (
        text
        and text[0] in _PLAIN_FIRST
        and all(char in _PLAIN for char in text)
        and not text.endswith(" ")
        and resolve(text) == text
    )
    if plain:
        return text
    import json

    return json.dumps(text, ensure_ascii=False)
