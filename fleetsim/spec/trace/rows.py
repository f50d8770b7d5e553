"""Kept rows while a file is read: columns that grow in place, so that memory is that of the rows."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetsim.errors import UsageError

STEP = 1 << 20
"""Rows by which the columns grow."""
MOST_CLASSES = 1_000
"""More different values are identifiers of something, not classes of traffic."""


class ClassNames:
    """Numbers for the names of traffic classes, in order of appearance."""

    def __init__(self, place: str) -> None:
        self._place = place
        self.numbers: dict[str, int] = {}

    def number(self, name: str) -> int:
        """The number of a name; UsageError when there are too many names."""
        found = self.numbers.get(name)
        if found is None:
            found = self.numbers[name] = len(self.numbers)
            if found >= MOST_CLASSES:
                raise UsageError(f"{self._place} has more than {MOST_CLASSES:,} different values: it is no "
                                 "traffic class")
        return found


class Rows:
    """Times in nanoseconds as the file counts them, tokens and class numbers, in file order."""

    def __init__(self) -> None:
        self.count = 0
        self.out_of_order = 0
        self._latest = np.iinfo(np.int64).min
        self._time = np.empty(0, np.int64)
        self._prompt = np.empty(0, np.int32)
        self._output = np.empty(0, np.int32)
        self._class = np.empty(0, np.int16)

    @property
    def time_ns(self) -> NDArray[np.int64]:
        return self._time[:self.count]

    @property
    def prompt(self) -> NDArray[np.int32]:
        return self._prompt[:self.count]

    @property
    def output(self) -> NDArray[np.int32]:
        return self._output[:self.count]

    @property
    def class_index(self) -> NDArray[np.int16]:
        return self._class[:self.count]

    def append(self, time_ns: NDArray[np.int64], prompt: NDArray[Any], output: NDArray[Any],
               class_index: NDArray[Any]) -> None:
        """Add a block of rows; counts those that come after a later one."""
        if not time_ns.size:
            return
        start, self.count = self.count, self.count + time_ns.size
        if self.count > self._time.size:
            size = -(-self.count // STEP) * STEP
            for column in (self._time, self._prompt, self._output, self._class):
                # In place: a copy of the columns would double the memory at the end of a long file.
                column.resize(size, refcheck=False)
        self._time[start:self.count] = time_ns
        self._prompt[start:self.count] = prompt
        self._output[start:self.count] = output
        self._class[start:self.count] = class_index
        latest = np.maximum(np.maximum.accumulate(time_ns), self._latest)
        self.out_of_order += int(np.count_nonzero(time_ns < latest))
        self._latest = latest[-1]
