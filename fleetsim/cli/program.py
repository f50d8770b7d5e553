"""How the program ends: every expected error as a message and an exit code, none as a traceback."""

import os
import sys
from errno import EBADF
from typing import Any, TextIO

import typer
from typer.core import TyperGroup

from fleetsim.errors import FleetsimError

INTERRUPTED = 130
FAILED = 3


class Program(TyperGroup):
    """The group of all verbs: 0 ok, 1 objectives missed, 2 bad input, 3 run failed, 130 interrupted."""

    def invoke(self, ctx: Any) -> Any:
        try:
            if sys.stdout is None:
                raise OSError(EBADF, "standard output is closed")
            result = super().invoke(ctx)
            sys.stdout.flush()
            return result
        except FleetsimError as error:
            complain(str(error))
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            complain("interrupted: the run that was under way is not kept")
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # The reader (head, less) has seen enough; what is left in the buffer has no reader either.
            silence(sys.stdout)
            silence(sys.stderr)
            raise typer.Exit(0) from None
        except OSError as error:
            if os.environ.get("FLEETSIM_DEBUG"):
                raise
            complain(": ".join(str(part) for part in (error.filename, error.strerror) if part) or str(error))
            raise typer.Exit(FAILED) from None
        except Exception as error:
            if os.environ.get("FLEETSIM_DEBUG") or is_control_flow(error):
                raise
            complain(f"{type(error).__name__}: {error}", hint="unexpected; set FLEETSIM_DEBUG=1 to see where")
            raise typer.Exit(FAILED) from None


def is_control_flow(error: Exception) -> bool:
    """Whether `error` is the command-line library's own: a usage error, an exit, an abort."""
    return isinstance(error, typer.Exit | typer.Abort) or hasattr(error, "exit_code")


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
