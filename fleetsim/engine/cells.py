"""Cells on local processes: the same results whatever their number, for each cell depends on itself alone."""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import reduce
from operator import add
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from fleetsim.engine.cell_group import Act, Cell, CellGroup, Tally, joined
from fleetsim.errors import SimulationError
from fleetsim.kernel.arrays import Array

T = TypeVar("T")
WORKER = "from fleetsim.engine.cells import work; work()"


class Worker:
    """A process of its own that runs cells; it ends when its input does."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        home = str(Path(__file__).parents[2])
        path = os.pathsep.join(filter(None, (home, os.environ.get("PYTHONPATH"))))
        # Modules of the working directory are not its own; and Ctrl-C is the parent's.
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path}, start_new_session=True)
        self._send(list(cells))

    def ask(self, method: str, *values: Any) -> None:
        """Let it call a method of its `CellGroup`."""
        self._send((method, values))

    def answer(self) -> Any:
        """What the method returned; SimulationError when it failed or the process is gone."""
        assert self.process.stdout is not None, "opened as a pipe"
        try:
            failed, value = pickle.load(self.process.stdout)
        except (EOFError, pickle.UnpicklingError):
            code = self.process.wait()
            how = f"was killed by signal {-code} (out of memory?)" if code < 0 else f"ended with {code}"
            raise SimulationError(f"a worker process {how}; nothing is kept; try fewer --workers") from None
        if failed:
            raise SimulationError(f"in a worker process: {value}")
        return value

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None, "opened as a pipe"
        self.process.kill()
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        if self.process.stdout is not None:
            self.process.stdout.close()
        self.process.wait()

    def _send(self, value: Any) -> None:
        assert self.process.stdin is not None, "opened as a pipe"
        with suppress(BrokenPipeError):  # the answer that does not come tells
            pickle.dump(value, self.process.stdin)
            self.process.stdin.flush()


class Here:
    """Cells that run in this process."""

    def __init__(self, cells: Sequence[Cell]) -> None:
        self.group = CellGroup(cells)

    def ask(self, method: str, *values: Any) -> None:
        """Call a method of the `CellGroup`."""
        self._answer = getattr(self.group, method)(*values)

    def answer(self) -> Any:
        """What it returned."""
        return self._answer

    def close(self) -> None:
        """Nothing is to be ended."""


class Cells:
    """All cells of a pool, on `workers` processes."""

    def __init__(self, cells: Sequence[Cell], workers: int = 1) -> None:
        count = max(1, min(workers, len(cells)))
        self._places = [range(k, len(cells), count) for k in range(count)]
        kind = Worker if count > 1 else Here
        self._parts = [kind([cells[k] for k in places]) for places in self._places]

    def __enter__(self) -> "Cells":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the processes."""
        for part in self._parts:
            part.close()

    def advance(self, acts: Sequence[Sequence[Act]], until_ns: int) -> dict[int, Tally]:
        """Let each cell act now, then move on; the tally of each service."""
        for part, places in zip(self._parts, self._places, strict=True):
            part.ask("advance", [acts[k] for k in places], until_ns)
        return self._together(add)

    def latency(self) -> dict[int, Array]:
        """By service: histograms since the start, (C, HISTOGRAMS, buckets)."""
        for part in self._parts:
            part.ask("latency")
        return self._together(add)

    def waiting(self) -> dict[int, tuple[Array, Array]]:
        """By service: class and arrival of the requests that wait now, in no order."""
        for part in self._parts:
            part.ask("waiting")
        return self._together(lambda one, other: joined([one, other]))

    def _together(self, put: Callable[[T, T], T]) -> dict[int, T]:
        found: dict[int, list[T]] = {}
        for part in self._parts:
            for service, value in part.answer().items():
                found.setdefault(service, []).append(value)
        return {service: reduce(put, values) for service, values in found.items()}


def work() -> None:
    """What a worker process does: read the cells, then do as it is asked until its input ends."""
    source, target = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing else may write between the answers
    with suppress(EOFError, BrokenPipeError):  # the parent is gone
        group = CellGroup(pickle.load(source))
        while True:
            method, values = pickle.load(source)
            try:
                answer = (False, getattr(group, method)(*values))
            except Exception as error:
                answer = (True, f"{type(error).__name__}: {error}")
            pickle.dump(answer, target)
            target.flush()
