"""Events that come at a rate which changes: an exponential with mean 1 is spent at the rate of the moment.

So the times of a stream's events do not depend on what else happens, as long as its rate is the same.
"""

import math

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import called, compiled
from fleetsim.kernel.uniforms import uniform

DRAWS = PLACE(4)
"""Uniforms of an event: the gap before it, and up to three for what happens then."""
GAP = PLACE(0)


@compiled
def draw(hazard, what):
    """A uniform of the event that the hazard waits for."""
    return uniform(hazard.seed, hazard.drawn * DRAWS + PLACE(what))


@compiled
def await_next(hazard, now):
    """Draw the gap to the first event, or to the next."""
    hazard.left = -math.log(draw(hazard, GAP))
    hazard.since_ns = now
    aim(hazard)


@compiled
def aim(hazard):
    """When the event comes if the rate stays: the first ns after the hazard is spent."""
    hazard.next_ns = NEVER
    if hazard.left < hazard.rate * float(NEVER / 2):
        hazard.next_ns = hazard.since_ns + int(hazard.left / hazard.rate) + 1


@called
def tune(hazard, rate, now):
    """The rate is another from now on."""
    if rate != hazard.rate:
        hazard.left = max(0.0, hazard.left - hazard.rate * float(now - hazard.since_ns))
        hazard.since_ns = now
        hazard.rate = rate
        aim(hazard)
