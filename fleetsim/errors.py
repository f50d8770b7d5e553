"""What can go wrong, and the exit code of each.

    FleetsimError                     1  something of ours
    ├── ScenarioError                 2  the input is wrong: a list of diagnostics
    ├── UsageError                    2  the call is wrong: no such run, table, figure
    ├── SimulationError               3  the run failed although its input was accepted
    └── ObjectivesMissed              1  under --strict-objectives
"""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal


class FleetsimError(Exception):
    """Base of every error that fleetsim raises on purpose."""

    exit_code = 1


@dataclass(frozen=True)
class Diagnostic:
    """One fault of a file, with the place it stands at.

    `line` and `column` count from 1; 0 means that the fault has no place in a file (a `--set`).
    """

    severity: Literal["error", "warning"]
    code: str
    path: str
    message: str
    file: str = ""
    line: int = 0
    column: int = 0
    source_line: str = ""
    width: int = 1
    help: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}: " if self.line else f"{self.file}: "
        path = f"{self.path}: " if self.path else ""
        text = f"{place}{self.severity}: {path}{self.message} [{self.code}]"
        if self.source_line:
            number = f"{self.line}" if self.line else " "
            margin = " " * len(number)
            mark = " " * (self.column - 1) + "^" * max(1, self.width)
            text += f"\n {number} | {self.source_line}\n {margin} | {mark}"
        return text + (f"\n  help: {self.help}" if self.help else "")


class ScenarioError(FleetsimError):
    """A scenario that cannot be simulated; `diagnostics` holds every fault found, in file order."""

    exit_code = 2

    def __init__(self, diagnostics: list[Diagnostic]) -> None:
        self.diagnostics = diagnostics
        super().__init__("\n".join(str(diagnostic) for diagnostic in diagnostics))


class UsageError(FleetsimError):
    """A call that names something that is not there, or asks for something impossible."""

    exit_code = 2


class SimulationError(FleetsimError):
    """A run that failed although its scenario was accepted; the message names the simulated time."""

    exit_code = 3


class ObjectivesMissed(FleetsimError):
    """At least one objective was missed and the caller asked to be told by the exit code."""

    exit_code = 1


def did_you_mean(word: str, known: list[str]) -> str:
    """`did you mean 'plus'?` for the nearest known word, or the known words when none is near."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    shown = ", ".join(sorted(known)[:12])
    return f"known: {shown}" if known else ""
