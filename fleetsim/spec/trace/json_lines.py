"""Lines of a JSON lines file: one object per line, numbers kept as they are written."""

import json
from typing import Any

from fleetsim.spec.trace.csv_lines import Cells
from fleetsim.spec.trace.layout import Layout


class JsonLines:
    """Reads one object per line; keys beyond the layout's are ignored."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._decoder = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)

    def cells(self, line: str) -> Cells | str:
        """The values of a line as text, or the reason why it has none."""
        try:
            found = self._decoder.decode(line)
        except (ValueError, RecursionError):
            return "unreadable_row"
        if not isinstance(found, dict):
            return "unreadable_row"
        if any(column not in found for column in self._layout.columns()):
            return "missing_columns"
        texts = [_text(found[column]) for column in self._layout.columns()]
        return Cells(texts[0], texts[1], texts[2], texts[3] if len(texts) > 3 else None)


def _text(value: Any) -> str:
    """A value as it stands in the line; nothing for null, such as a class that was not recorded."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)
