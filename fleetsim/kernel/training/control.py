"""What control does to a fleet between two calls of `advance`: GPUs come, go, are maintained or lent."""

from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.compiler import compiled_entry
from fleetsim.kernel.training.arrays import HAZARDS
from fleetsim.kernel.training.counts import give
from fleetsim.kernel.training.hazard import await_next

EVERYBODY = -1
"""A priority above all."""


@compiled_entry
def begin(state):
    """Draw the first failures."""
    for h in range(HAZARDS):
        await_next(state.hazards[PLACE(h)], 0)


@compiled_entry
def bring(state, gpus, lemons):
    """GPUs join the fleet, some of their nodes lemons."""
    give(state, gpus, lemons)
