"""The order in which replicas are taken: a min tree of loads, or of boundaries where all share one queue."""

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import compiled
from fleetsim.kernel.min_tree import put
from fleetsim.kernel.request.arrays import IDLE, SHARED_QUEUE, SHORTEST_QUEUE, UP

REPLICA_BITS = 32
REPLICA_MASK = (1 << REPLICA_BITS) - 1


@compiled
def rank(state, r):
    """Bring a replica's rank up to date: its load, and its number as a tie-break; or its next boundary, or an
    earlier one, while its batch has room. A replica that is not up has none, and only these two kinds of
    routing read it."""
    kind, replica = state.clock[0].routing, state.replicas[PLACE(r)]
    value = NEVER
    if replica.up == UP and kind == SHORTEST_QUEUE:
        value = replica.load << REPLICA_BITS | r
    elif replica.up == UP and kind == SHARED_QUEUE:
        if replica.running == 0:
            value = IDLE
        elif replica.running < state.groups[PLACE(replica.group)].max_batch:
            value = replica.boundary_ns
    put(state.ranks, state.tree, r, value)
