"""Waiting requests: a list per place and priority level, and the heap of their deadlines."""

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import compiled
from fleetsim.kernel.request.arrays import NONE


@compiled
def append(requests, queue, slot):
    """To the end of a list."""
    request = requests[PLACE(slot)]
    request.prev, request.next = queue.tail, NONE
    if queue.tail == NONE:
        queue.head = slot
    else:
        requests[PLACE(queue.tail)].next = slot
    queue.tail = slot


@compiled
def unlink(requests, queue, slot):
    """Out of a list."""
    request = requests[PLACE(slot)]
    if request.prev == NONE:
        queue.head = request.next
    else:
        requests[PLACE(request.prev)].next = request.next
    if request.next == NONE:
        queue.tail = request.prev
    else:
        requests[PLACE(request.next)].prev = request.prev


@compiled
def join(state, place, level, slot, in_front):
    """Put a request at the end of a queue, or at its front."""
    queue, request = state.queues[PLACE(place), PLACE(level)], state.requests[PLACE(slot)]
    request.place = place
    if in_front:
        request.prev, request.next = NONE, queue.head
        if queue.head == NONE:
            queue.tail = slot
        else:
            state.requests[PLACE(queue.head)].prev = slot
        queue.head = slot
        return
    append(state.requests, queue, slot)
    if queue.fresh == NONE and request.deadline_ns < NEVER:
        queue.fresh = slot


@compiled
def leave(state, slot):
    """Take a request out of its queue."""
    request = state.requests[PLACE(slot)]
    queue = state.queues[PLACE(request.place), PLACE(state.classes[PLACE(request.class_)].level)]
    unlink(state.requests, queue, slot)
    if queue.fresh == slot:
        queue.fresh = request.next


@compiled
def head(state, place):
    """The request that is next, or NONE."""
    for level in range(state.clock[0].levels):
        slot = state.queues[PLACE(place), PLACE(level)].head
        if slot != NONE:
            return slot
    return NONE


@compiled
def watch_fresh(state, place):
    """Whoever came since the last boundary and still waits may lose patience.

    Most are admitted at the boundary after their arrival, so a deadline is looked out for only from then on.
    """
    for level in range(state.clock[0].levels):
        queue = state.queues[PLACE(place), PLACE(level)]
        slot = queue.fresh
        while slot != NONE:
            watch(state, slot)
            slot = state.requests[PLACE(slot)].next
        queue.fresh = NONE


@compiled
def watch(state, slot):
    """Look out for a waiting request's deadline, if it has one."""
    clock, request = state.clock[0], state.requests[PLACE(slot)]
    if request.deadline_ns < NEVER and request.leaving == NONE:
        hole = clock.leaving
        clock.leaving += 1
        sift(state, hole, slot)


@compiled
def forget(state, slot):
    """Look out for it no more."""
    clock, request = state.clock[0], state.requests[PLACE(slot)]
    hole = request.leaving
    if hole != NONE:
        request.leaving = NONE
        clock.leaving -= 1
        if hole < clock.leaving:
            sift(state, hole, state.leaving[PLACE(clock.leaving)])


@compiled
def sift(state, hole, slot):
    """Put a slot into the heap of deadlines, at the free cell `hole`, above it or below it."""
    heap, requests = state.leaving, state.requests
    deadline = requests[PLACE(slot)].deadline_ns
    while hole > 0:
        above = (hole - 1) // 2
        if requests[PLACE(heap[PLACE(above)])].deadline_ns <= deadline:
            break
        move(state, above, hole)
        hole = above
    count = state.clock[0].leaving
    below = 2 * hole + 1
    while below < count:
        if below + 1 < count and (requests[PLACE(heap[PLACE(below + 1)])].deadline_ns
                                  < requests[PLACE(heap[PLACE(below)])].deadline_ns):
            below += 1
        if requests[PLACE(heap[PLACE(below)])].deadline_ns >= deadline:
            break
        move(state, below, hole)
        hole = below
        below = 2 * hole + 1
    heap[PLACE(hole)] = slot
    requests[PLACE(slot)].leaving = hole


@compiled
def move(state, source, target):
    """Move an entry of the heap of deadlines."""
    slot = state.leaving[PLACE(source)]
    state.leaving[PLACE(target)] = slot
    state.requests[PLACE(slot)].leaving = target
