"""What the prompt tokens of a step add to it: so much a token, or a table."""

from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.compiler import compiled


@compiled
def prefill_time_ns(state, g, tokens):
    """ns of so many prompt tokens on a replica of a group: straight between the points of a table, and on
    with the last slope beyond them."""
    group = state.groups[PLACE(g)]
    if group.prefill_points == 0 or tokens == 0:
        return group.prefill_ns * tokens
    points = state.prefill
    if tokens <= points[PLACE(g), 0, 0]:
        return points[PLACE(g), 0, 1]
    k = 1
    while k < group.prefill_points - 1 and tokens > points[PLACE(g), PLACE(k), 0]:
        k += 1
    left, right = PLACE(k - 1), PLACE(k)
    run = points[PLACE(g), right, 0] - points[PLACE(g), left, 0]
    rise = points[PLACE(g), right, 1] - points[PLACE(g), left, 1]
    return points[PLACE(g), left, 1] + rise * (tokens - points[PLACE(g), left, 0]) // run
