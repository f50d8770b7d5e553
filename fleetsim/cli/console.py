"""Where text goes: data on stdout, remarks on stderr."""

import json
import sys
from contextvars import ContextVar
from typing import Any

ANSWERED: ContextVar[bool] = ContextVar("answered", default=False)
"""Whether this command has printed its JSON: a second document on stdout could not be read."""


def say(text: str) -> None:
    """Data, on stdout."""
    sys.stdout.write(text if text.endswith("\n") else text + "\n")


def say_json(data: Any) -> None:
    """Data as JSON, on stdout; numbers that JSON does not know are errors."""
    say(json.dumps(data, indent=2, allow_nan=False, default=str))
    ANSWERED.set(True)


def warn(text: str) -> None:
    """A remark, on stderr."""
    print(text, file=sys.stderr)


def text_width() -> tuple[int, bool]:
    """Columns to write in, and whether a terminal reads along: 100 columns when none does."""
    import os
    import shutil

    terminal = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
    return (max(80, min(140, shutil.get_terminal_size().columns)) if terminal else 100), terminal
