"""What control does to replicas between two calls of `advance`: they fail, drain and come back."""

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import compiled, compiled_entry
from fleetsim.kernel.min_tree import put
from fleetsim.kernel.request.arrays import DOWN, DRAINING, NONE, SHARED_QUEUE, UP
from fleetsim.kernel.request.batch import evict, give_up, youngest
from fleetsim.kernel.request.queue import join, leave, watch
from fleetsim.kernel.request.rank import rank
from fleetsim.kernel.request.segment import first_after
from fleetsim.kernel.request.step import complete


@compiled_entry
def fail(state, r):
    """A replica is lost with its KV and the step at hand; its requests are routed again.

    Tokens that were made stay made, and first tokens that were out stay out.
    """
    replica, now = state.replicas[PLACE(r)], state.clock[0].now_ns
    if replica.running > 0:
        complete(state, r, first_after(replica, now) - 1, now)
        while replica.running > 0:
            slot = youngest(state, r)
            if state.requests[PLACE(slot)].first_ns > now:
                state.requests[PLACE(slot)].first_ns = NONE
            evict(state, r, slot, state.replicas.size)
    put(state.times, state.tree, r, NEVER)
    withdraw(state, r, DOWN)
    # The step at hand had begun to change these.
    replica.kv = replica.used = replica.batch = replica.tokens = 0
    for k in range(state.residues.shape[1]):
        state.residues[PLACE(r), PLACE(k)] = 0


@compiled_entry
def drain(state, r):
    """A replica takes no more requests and goes when those in its batch are done."""
    withdraw(state, r, DRAINING if state.replicas[PLACE(r)].running > 0 else DOWN)


@compiled_entry
def restore(state, r):
    """A replica takes requests again."""
    replica = state.replicas[PLACE(r)]
    replica.up = UP
    rank(state, r)
    list_serving(state)


@compiled
def withdraw(state, r, up):
    """Who waits at the replica is to be routed again."""
    state.replicas[PLACE(r)].up = up
    for level in range(state.clock[0].levels):
        while state.queues[PLACE(r), PLACE(level)].head != NONE:
            slot = state.queues[PLACE(r), PLACE(level)].head
            leave(state, slot)
            give_up(state, r, slot)
            join(state, state.replicas.size, level, slot, False)
            watch(state, slot)
    rank(state, r)
    list_serving(state)


@compiled
def list_serving(state):
    """Bring the list of replicas that are up up to date; the shared queue may find room."""
    clock = state.clock[0]
    clock.up = 0
    for r in range(state.replicas.size):
        if state.replicas[PLACE(r)].up == UP:
            state.serving[PLACE(clock.up)] = r
            clock.up += 1
    clock.called = clock.routing == SHARED_QUEUE
