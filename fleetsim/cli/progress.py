"""How far a simulation or a calibration has come, on stderr; silent unless somebody watches."""

import sys
import time
from datetime import datetime
from types import TracebackType

from fleetsim.timebase import EPOCH, instant_at

FIRST_AFTER_S = 0.5
"""Runs that are over sooner show nothing."""
EVERY_S = 0.1


class Progress:
    """One line that is rewritten: what is done, its share, the time left."""

    def __init__(self, start: datetime = EPOCH) -> None:
        self._start = start
        self._shown = sys.stderr.isatty()
        self._began = time.monotonic()
        self._next = self._began + FIRST_AFTER_S
        self._width = 0

    def advance(self, simulated_ns: int, total_ns: int) -> None:
        """Called by a simulation as it goes."""
        if self._due():
            date = instant_at(self._start, simulated_ns)
            self._say(f"simulated to {date:%Y-%m-%d}", simulated_ns, total_ns)

    def points(self, done: int, total: int) -> None:
        """Called by a calibration as it goes."""
        if self._due():
            self._say(f"measured {done} of {total} points", done, total)

    def doing(self, what: str) -> None:
        """Called by an experiment before each of its steps."""
        if self._due():
            self._print(what)

    def _due(self) -> bool:
        return self._shown and time.monotonic() >= self._next

    def _say(self, what: str, done: int, total: int) -> None:
        """The line, once something is done."""
        if done <= 0:
            return
        now = time.monotonic()
        self._next = now + EVERY_S
        left_s = (now - self._began) * (total - done) / done
        self._print(f"{what}, {done / total:4.0%}, {left_s:.0f} s left")

    def _print(self, line: str) -> None:
        """Replaces the line that stands there."""
        sys.stderr.write("\r" + line.ljust(self._width))
        sys.stderr.flush()
        self._width = len(line)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._width:
            self._print("")
            sys.stderr.write("\r")
            sys.stderr.flush()
