"""Ctrl-C while a kernel is compiled: it unwinds, but not between Python and LLVM."""

import os
import signal
from typing import Any

import pytest

from fleetsim.cli.interrupt import UNSAFE, Unwinding

STEPS = """
def outer():
    inner()
    steps.append("outer")

def inner():
    os.kill(os.getpid(), signal.SIGINT)
    helper()
    steps.append("inner")

def helper():
    steps.append("helper")
"""


@pytest.mark.parametrize(("module", "done"), [
    (f"{UNSAFE}.executionengine", ["helper", "inner", "outer"]), ("numba.core.lowering", []),
])
def test_ctrl_c_waits_for_the_binding_to_llvm_alone(module: str, done: list[str]) -> None:
    """Code of a module of that name, interrupted in the middle."""
    steps: list[str] = []
    made: dict[str, Any] = {"__name__": module, "os": os, "signal": signal, "steps": steps}
    exec(compile(STEPS, module, "exec"), made)

    def after() -> None:
        steps.append("after")

    with Unwinding() as ctrl_c:
        with pytest.raises(KeyboardInterrupt):
            _call_both(made["outer"], after)
        assert ctrl_c.seen
    assert steps == done


def _call_both(first: Any, second: Any) -> None:
    first()
    second()
