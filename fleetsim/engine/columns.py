"""Columns of rows for a sink: text columns by code, rows chosen, parts put together."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fleetsim.units import Coded

Columns = Mapping[str, Any]
"""By column name: an array, masked where values are null, or a `Coded` text column."""


def tiled(codes: Any, names: tuple[str, ...], times: int) -> Coded:
    """A text column whose codes come again for every hour."""
    return Coded(np.tile(np.asarray(codes, dtype=np.int32), times), names)


def coded(texts: Sequence[str]) -> Coded:
    """A text column from its texts."""
    names = tuple(dict.fromkeys(texts))
    places = {name: code for code, name in enumerate(names)}
    return Coded(np.array([places[text] for text in texts], dtype=np.int32), names)


def taken(column: Any, chosen: np.ndarray) -> Any:
    """The rows of a column at the chosen places."""
    if isinstance(column, Coded):
        return Coded(column.codes[chosen], column.names)
    return column[chosen]


def joined(parts: Sequence[Columns]) -> dict[str, Any]:
    """The rows of all parts, one after the other."""
    if len(parts) == 1:
        return dict(parts[0])
    found: dict[str, Any] = {}
    for name in parts[0]:
        columns = [part[name] for part in parts]
        if isinstance(columns[0], Coded):
            places = {text: code for code, text in enumerate(
                dict.fromkeys(text for column in columns for text in column.names))}
            codes = [np.array([places[text] for text in column.names], dtype=np.int32)[column.codes]
                     for column in columns if len(column.codes)]
            found[name] = Coded(np.concatenate([np.zeros(0, np.int32), *codes]), tuple(places))
        else:
            found[name] = np.ma.concatenate(columns)
    return found
