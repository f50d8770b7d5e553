"""Text of FOCUS files: ASCII only."""

import json
from collections.abc import Mapping
from urllib.parse import quote

PRINTABLE = "".join(chr(code) for code in range(32, 127) if chr(code) != "%")


def ascii_of(text: str) -> str:
    """The text in ASCII: any other character, and `%`, as %XX of its UTF-8, so that names stay distinct."""
    return quote(text, safe=PRINTABLE)


def flat_json(values: Mapping[str, str | int]) -> str:
    """A flat JSON object in ASCII."""
    return json.dumps(dict(values), ensure_ascii=True)
