"""The command line in this process (fast) or in one of its own (real)."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from typer.testing import CliRunner

from fleetsim.cli.main import app


@dataclass(frozen=True)
class Outcome:
    """How a command ended."""

    code: int
    out: str
    err: str


Command = Callable[..., Outcome]


def run_here(*words: object) -> Outcome:
    """The command in this process."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    return Outcome(result.exit_code, result.stdout, result.stderr)


def command(*words: object) -> list[str]:
    """What starts the command in a process of its own."""
    return [sys.executable, "-m", "fleetsim", *map(str, words)]


def run_apart(*words: object, cwd: Path | None = None, **environment: str) -> Outcome:
    """The command in a process of its own."""
    found = subprocess.run(command(*words), capture_output=True, text=True, check=False, cwd=cwd,
                           env={**os.environ, **environment})
    return Outcome(found.returncode, found.stdout, found.stderr)


@dataclass(frozen=True)
class Finished:
    """A finished run and where it came from."""

    scenario: Path
    results: Path
    path: Path
    run_id: str


WEEK = ("--set", "horizon.start=2024-01-29", "--set", "horizon.end=2024-02-05")
"""The week of the launch in the scenario that `new` writes."""
