"""How benchmarks measure: CPU of a call, CPU and memory of a command; and a line of the table."""

import gc
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).parents[1]
WORKLOADS = ROOT / "workloads"


@dataclass(frozen=True)
class Measured:
    """One number, and what it has to be."""

    what: str
    value: float
    unit: str
    at_most: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """`ok`, `MISSED`, or nothing when there is no target."""
        if self.at_most is None:
            return ""
        return "ok" if self.value <= self.at_most else "MISSED"


@dataclass(frozen=True)
class Seconds:
    """CPU seconds of a call that was repeated."""

    least: float
    middle: float

    @property
    def spread(self) -> str:
        """The other end of the spread, for the note."""
        return f"median {self.middle:.3g}"


def cpu_s(call: Callable[[], object], repeats: int = 7) -> Seconds:
    """CPU of a call, repeated after one that does not count.

    The least is the machine at its best; what else runs on it only adds.
    """
    return together_cpu_s([call], repeats)[0]


def together_cpu_s(calls: Sequence[Callable[[], object]], repeats: int = 7) -> list[Seconds]:
    """The same of several calls that take turns, so that what disturbs one disturbs all."""
    for call in calls:
        call()
    taken: list[list[float]] = [[] for _ in calls]
    for _ in range(repeats):
        for call, times in zip(calls, taken, strict=True):
            gc.collect()
            began = time.process_time()
            call()
            times.append(time.process_time() - began)
    return [Seconds(min(times), median(times)) for times in taken]


@dataclass(frozen=True)
class Child:
    """What a command in a process of its own took."""

    cpu_s: float
    peak_mb: float
    out: str


def child(*words: str) -> Child:
    """Run a command to its end; its CPU (user and system) and its peak memory (maximum resident set)."""
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          cwd=ROOT) as process:
        assert process.stdout is not None
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(words)} ended with exit code {process.returncode}")
    per_mb = 1024**2 if sys.platform == "darwin" else 1024
    return Child(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / per_mb, out)


def python(code: str) -> Child:
    """Run Python code in a process of its own."""
    return child(sys.executable, "-c", code)


def fleetsim(*words: str) -> Child:
    """Run a fleetsim command in a process of its own."""
    return child(sys.executable, "-m", "fleetsim", *words)
