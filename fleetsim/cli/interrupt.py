"""Ctrl-C: one line and exit code 130, whenever it comes."""

import os
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, NoReturn

INTERRUPTED = 130
SAID = "interrupted: what was under way is not kept"
UNSAFE = "llvmlite.binding"
"""Between Python and LLVM an exception is lost or leaves memory freed twice: nothing may be raised there."""


def end_at_once() -> None:
    """From now on Ctrl-C ends the process: while it starts and once it has answered nothing is at stake."""
    if _ours():
        signal.signal(signal.SIGINT, _say_and_end)


def leave(code: int) -> NoReturn:
    """End the process without waiting for what still works in the background, such as a solver."""
    os._exit(code)


class Unwinding:
    """While a verb works, Ctrl-C unwinds it, so that what it has begun is taken away; twice ends at once."""

    def __init__(self) -> None:
        self.seen = False
        """Whether Ctrl-C came: libraries turn it into errors of their own."""
        self._before: Any = None

    def __enter__(self) -> "Unwinding":
        if _ours():
            self._before = signal.signal(signal.SIGINT, self._unwind)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _unwind(self, number: int, frame: FrameType | None) -> None:
        if self.seen:
            _say_and_end(number, frame)
        self.seen = True
        if _unsafe(frame):
            sys.setprofile(_raise_once_safe)
        else:
            raise KeyboardInterrupt


def _raise_once_safe(frame: FrameType, event: str, arg: object) -> None:
    """Called wherever a function begins or ends: raises what was held back while a kernel was compiled."""
    if not _unsafe(frame):
        sys.setprofile(None)
        raise KeyboardInterrupt


def _unsafe(frame: FrameType | None) -> bool:
    """Whether the code that runs was called by, or from within, the binding to LLVM."""
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).startswith(UNSAFE):
            return True
        frame = frame.f_back
    return False


def _say_and_end(number: int, frame: FrameType | None) -> None:
    os.write(2, f"error: {SAID}\n".encode())
    leave(INTERRUPTED)


def _ours() -> bool:
    """Whether the signal is ours to handle: not in a thread, and not where the shell has it ignored."""
    main = threading.current_thread() is threading.main_thread()
    return main and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN
