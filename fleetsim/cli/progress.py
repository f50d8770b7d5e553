"""How far a simulation has come, in simulated time, on stderr; silent unless somebody watches."""

import sys
import time
from datetime import datetime
from types import TracebackType

from fleetsim.timebase import instant_at

FIRST_AFTER_S = 0.5
"""Runs that are over sooner show nothing."""
EVERY_S = 0.1


class Progress:
    """One line that is rewritten: simulated date, share of the horizon, time left."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._shown = sys.stderr.isatty()
        self._began = time.monotonic()
        self._next = self._began + FIRST_AFTER_S
        self._width = 0

    def advance(self, simulated_ns: int, total_ns: int) -> None:
        """Called by the simulation as it goes."""
        now = time.monotonic()
        if not self._shown or now < self._next or simulated_ns <= 0:
            return
        self._next = now + EVERY_S
        left_s = (now - self._began) * (total_ns - simulated_ns) / simulated_ns
        line = (f"simulated to {instant_at(self._start, simulated_ns):%Y-%m-%d}, "
                f"{simulated_ns / total_ns:4.0%}, {left_s:.0f} s left")
        self._print(line)

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
