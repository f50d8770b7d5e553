"""The heap of a replica's finishes: when each decoding sequence has its last token."""

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import compiled

SLOT_BITS = 32
SLOT_MASK = (1 << SLOT_BITS) - 1
ZERO, ONE = PLACE(0), PLACE(1)


@compiled
def next_finish(state, r):
    """The step at which the first of them is finished."""
    return state.finish[PLACE(r), 0] >> SLOT_BITS


@compiled
def slot_at(state, r, place):
    """The sequence at a place of the heap."""
    return state.finish[PLACE(r), PLACE(place)] & SLOT_MASK


@compiled
def push(state, r, step, slot):
    """Add a sequence that is finished at `step`."""
    replica = state.replicas[PLACE(r)]
    hole = PLACE(replica.finishing)
    replica.finishing += 1
    rise(state.finish[PLACE(r)], hole, step << SLOT_BITS | slot)


@compiled
def pop(state, r):
    """Remove the first; its slot."""
    slot = state.finish[PLACE(r), 0] & SLOT_MASK
    take(state, r, 0)
    return slot


@compiled
def remove(state, r, step, slot):
    """Remove a sequence that is not finished."""
    key, hole = step << SLOT_BITS | slot, 0
    while state.finish[PLACE(r), PLACE(hole)] != key:
        hole += 1
    take(state, r, hole)


@compiled
def rise(heap, hole, key):
    """Put a key at `hole` or above it."""
    while hole > ZERO:
        above = (hole - ONE) >> ONE
        if heap[above] <= key:
            break
        heap[hole] = heap[above]
        hole = above
    heap[hole] = key


@compiled
def take(state, r, at):
    """Remove the entry at `at`: the hole goes down to a leaf, and the last key up from there."""
    replica, heap = state.replicas[PLACE(r)], state.finish[PLACE(r)]
    replica.finishing -= 1
    count, hole = PLACE(replica.finishing), PLACE(at)
    key = heap[count]
    heap[count] = NEVER  # so that a child that is not there is never the lesser
    below = (hole << ONE) + ONE
    while below < count:
        below += PLACE(heap[below + ONE] < heap[below])  # without a branch: either is as likely
        heap[hole] = heap[below]
        hole = below
        below = (hole << ONE) + ONE
    if hole < count:
        rise(heap, hole, key)
