"""How the program ends: every expected error as a message and an exit code, none as a traceback.

With `--json` stdout holds one JSON document, whatever happens: the answer, or `{"ok": false, "error": ...}`.
"""

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from errno import EBADF
from typing import Any, NamedTuple, TextIO

import typer
from typer.core import TyperGroup

from fleetsim.cli.console import ANSWERED, say_json
from fleetsim.cli.interrupt import INTERRUPTED, SAID, Unwinding
from fleetsim.errors import Diagnostic, FleetsimError, ScenarioError

FAILED = 3
BAD_INPUT = 2
WANTED = "fleetsim.words"
"""Where the context keeps the words of the command."""


class Failure(NamedTuple):
    """What went wrong, and the exit code of it."""

    kind: str
    message: str
    exit_code: int
    hint: str = ""
    diagnostics: Sequence[Diagnostic] = ()

    def as_data(self) -> dict[str, Any]:
        """What `--json` prints in place of an answer; faults of a file with their places."""
        from dataclasses import asdict

        error = {"kind": self.kind, "message": self.message, "exit_code": self.exit_code}
        found = {"diagnostics": [asdict(each) for each in self.diagnostics]} if self.diagnostics else {}
        return {"ok": False, "error": error, **found}


class Program(TyperGroup):
    """The group of all verbs: 0 ok, 1 objectives missed, 2 bad input, 3 run failed, 130 interrupted."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.meta[WANTED] = tuple(args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        ANSWERED.set(False)
        as_json = wants_json(ctx.meta.get(WANTED, ()))
        with Unwinding() as ctrl_c:
            try:
                if sys.stdout is None:
                    raise OSError(EBADF, "standard output is closed")
                result = super().invoke(ctx)
                sys.stdout.flush()
                return result
            except (Exception, KeyboardInterrupt) as error:
                if isinstance(error, BrokenPipeError) and not ctrl_c.seen:
                    # The reader (head, less) has seen enough; what is left in the buffer has none either.
                    silence(sys.stdout)
                    silence(sys.stderr)
                    raise typer.Exit(0) from None
                failure = failure_of(error, interrupted=ctrl_c.seen)
                if failure is None:
                    raise
                if as_json and not ANSWERED.get():
                    with suppress(OSError, AttributeError):
                        say_json(failure.as_data())
                if is_control_flow(error) and not ctrl_c.seen:
                    raise  # the command-line library says it on stderr, with the usage
                complain(failure.message, failure.hint)
                raise typer.Exit(failure.exit_code) from None


def wants_json(words: Sequence[str]) -> bool:
    """Whether a command asks for JSON: `--json` or `--format json`."""
    pairs = zip(words, [*words[1:], ""], strict=True)
    return "--json" in words or "--format=json" in words or ("--format", "json") in pairs


def failure_of(error: BaseException, *, interrupted: bool) -> Failure | None:
    """The failure behind an exception; None for what is to be raised on: exits, and faults to be debugged."""
    kind = type(error).__name__
    if interrupted or isinstance(error, KeyboardInterrupt):
        return Failure("Interrupted", SAID, INTERRUPTED)
    if isinstance(error, FleetsimError):
        faults = error.diagnostics if isinstance(error, ScenarioError) else ()
        return Failure(kind, str(error), error.exit_code, diagnostics=faults)
    if isinstance(error, typer.Exit | typer.Abort):
        return None
    if is_control_flow(error):
        said = getattr(error, "format_message", None)
        return Failure("UsageError", said() if said else str(error), BAD_INPUT)
    if os.environ.get("FLEETSIM_DEBUG"):
        return None
    if isinstance(error, OSError):
        return Failure(kind, ": ".join(str(part) for part in (error.filename, error.strerror) if part)
                       or str(error), FAILED)
    return Failure(kind, f"{kind}: {error}", FAILED, "unexpected; set FLEETSIM_DEBUG=1 to see where")


def is_control_flow(error: BaseException) -> bool:
    """Whether `error` is the command-line library's own: a usage error, an exit, an abort."""
    own = isinstance(error, typer.Exit | typer.Abort) or hasattr(error, "exit_code")
    return own and not isinstance(error, FleetsimError)


def complain(message: str, hint: str = "") -> None:
    """Says on stderr what went wrong. Diagnostics already name file and severity."""
    try:
        sys.stdout.flush()
    except (OSError, AttributeError):
        silence(sys.stdout)  # full, closed or without a reader: nothing more can be said there
    try:
        _complain(message, hint)
    except OSError:
        silence(sys.stderr)


def silence(stream: TextIO | None) -> None:
    """What is left in the stream's buffer, and all that follows, goes nowhere."""
    if stream is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _complain(message: str, hint: str) -> None:
    prefixed = ": error: " in message or ": warning: " in message
    print(message if prefixed else f"error: {message}", file=sys.stderr)
    if hint:
        print(f"  help: {hint}", file=sys.stderr)
