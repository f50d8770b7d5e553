"""Steps in closed form: how long k of them take, and how many are over after a time.

While the batch does not change, k steps take first + k step + growth k (k - 1) / 2 ns: `first_ns` is the
prefill of the first step, `step_ns` a step at the KV held at the start, and `growth_ns` what each step's
new tokens add to the next. Integers throughout, so k steps at once are k steps one by one.
"""

import math

from fleetsim.kernel.compiler import compiled


@compiled
def span_ns(replica, steps):
    """Time of the first `steps` steps of a replica's segment."""
    return replica.first_ns + steps * replica.step_ns + replica.growth_ns * (steps * (steps - 1) // 2)


@compiled
def first_after(replica, time_ns):
    """The first step of the segment that ends after `time_ns`, counted from 1."""
    left = time_ns - replica.start_ns - replica.first_ns
    if left < replica.step_ns:
        return 1
    half = 0.5 * replica.growth_ns
    slope = replica.step_ns - half
    steps = int(2.0 * left / (slope + math.sqrt(slope * slope + 4.0 * half * left))) + 1
    while span_ns(replica, steps) <= time_ns - replica.start_ns:
        steps += 1
    while steps > 1 and span_ns(replica, steps - 1) > time_ns - replica.start_ns:
        steps -= 1
    return steps


@compiled
def look(replica, time_ns):
    """Bring the replica's next boundary after `time_ns`, and the steps before it, up to date."""
    if replica.boundary_ns <= time_ns:
        steps = replica.steps_done + 2  # most often it is the step after the one looked at last
        if replica.start_ns + span_ns(replica, steps) <= time_ns:
            steps = first_after(replica, time_ns)
        replica.steps_done = steps - 1
        replica.boundary_ns = replica.start_ns + span_ns(replica, steps)
