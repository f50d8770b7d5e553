"""The request kernel: moves every replica and request on to a point in time.

Ties at one nanosecond: step ends, then control, then patience, then arrivals; replicas by number.
"""

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import compiled, compiled_entry
from fleetsim.kernel.min_tree import first_least, least
from fleetsim.kernel.request.arrays import ABANDONED, NONE, REJECTED, SHARED_QUEUE, SHED, SHORTEST_QUEUE
from fleetsim.kernel.request.arrivals import arrive, draw_arrival, draw_tokens, expect, look_ahead, spend
from fleetsim.kernel.request.batch import fits, give_up, outstanding
from fleetsim.kernel.request.kv import exceeds
from fleetsim.kernel.request.queue import forget, head, join, leave, watch
from fleetsim.kernel.request.rank import rank
from fleetsim.kernel.request.routing import first_to_take, route
from fleetsim.kernel.request.step import cut, finish_segment, free, start_segment

THERE, NO_SLOT, DONE_FULL = 0, 1, 2
"""Why `advance` came back: it is there; a request arrives and has no slot; rows of `done` run out."""


@compiled_entry
def begin(state):
    """Draw the first arrivals."""
    for c in range(state.classes.size):
        draw_arrival(state, c, state.clock[0].now_ns)
    look_ahead(state)


@compiled_entry
def learn(state):
    """Rates are known further: those draw their next arrival that could not."""
    for c in range(state.classes.size):
        if state.classes[PLACE(c)].hazard > 0.0:
            spend(state, c, state.rates_from_ns)
    look_ahead(state)


@compiled_entry
def take_over(state, c, count, first_ns, last_ns, done):
    """Let requests of a class in that came evenly between two times and still wait; `done` of them are in.

    How many are in then: fewer than `count` when slots run out.
    """
    clock = state.clock[0]
    now = clock.now_ns
    while done < count and clock.free != NONE:
        slot = occupy(state)
        request = state.requests[PLACE(slot)]
        draw_tokens(state.classes[PLACE(c)], request)
        arrival_ns = first_ns + int((last_ns - first_ns) * ((done + 0.5) / count))
        expect(state, request, c, arrival_ns, now)
        r = place(state, slot, now)
        if r != NONE:
            start_segment(state, r, now)
        done += 1
    clock.called = 1
    return done


@compiled_entry
def advance(state, until_ns):
    """Move on to `until_ns`, steps that end then included, or until there is no room to go on."""
    clock = state.clock[0]
    shared = clock.routing == SHARED_QUEUE
    pool = state.replicas.size
    while True:
        if clock.done_every > 0 and clock.done + state.finish.shape[1] > state.done.size:
            return DONE_FULL
        ended, r, slot = pool, NONE, NONE  # a replica whose step ends, one at a boundary, a request to place
        stray = NONE if shared or clock.up == 0 else head(state, pool)
        boundary, leaving = least(state.times, state.tree), NEVER
        if clock.leaving > 0:
            leaving = state.requests[PLACE(state.leaving[0])].deadline_ns
        if clock.called == 1:
            clock.called = 0
            clock.sought = NONE
        elif stray != NONE:
            leave(state, stray)
            forget(state, stray)
            slot = stray
        elif boundary <= leaving and boundary <= clock.next_ns:
            if boundary > until_ns:
                break
            clock.now_ns = boundary
            ended = r = first_least(state.times, state.tree, boundary)
            finish_segment(state, r, boundary)
            if r == clock.promised:
                clock.sought = NONE
        elif leaving <= clock.next_ns:
            if leaving >= until_ns:
                break
            clock.now_ns = leaving
            lose_patience(state, leaving)
        else:
            if clock.next_ns >= until_ns:
                break
            if clock.free == NONE:
                return NO_SLOT
            clock.now_ns = clock.next_ns
            slot = enter(state)
        if slot != NONE:
            r = place(state, slot, clock.now_ns)
        while True:
            if r != NONE:
                start_segment(state, r, clock.now_ns)
            slot = head(state, pool) if shared else NONE
            if slot == NONE or slot == clock.sought:
                clock.sought = slot
                break
            r = first_to_take(state, slot, clock.now_ns, ended)
            if r == NONE or state.replicas[PLACE(r)].running > 0:
                clock.sought, clock.promised = slot, r
                if r != NONE:
                    cut(state, r, clock.now_ns - (r > ended))
                break
    clock.now_ns = until_ns
    return THERE


@compiled
def enter(state):
    """Make the next arrival a request; its slot."""
    slot = occupy(state)
    arrive(state, slot)
    return slot


@compiled
def occupy(state):
    """A free slot, numbered and empty."""
    clock = state.clock[0]
    slot = clock.free
    request = state.requests[PLACE(slot)]
    clock.free = request.next
    clock.in_flight += 1
    request.number = clock.number
    clock.number += 1
    request.first_ns = request.admitted_ns = request.admission = request.leaving = NONE
    request.made = request.started = 0
    return slot


@compiled
def place(state, slot, now):
    """Put a request into a queue; the replica that starts at once with it, or NONE."""
    clock, request = state.clock[0], state.requests[PLACE(slot)]
    level = state.classes[PLACE(request.class_)].level
    if clock.routing == SHARED_QUEUE or clock.up == 0:
        if clock.routing == SHARED_QUEUE and runs_nowhere(state, request):
            reject(state, slot, now)
        else:
            join(state, state.replicas.size, level, slot, request.started == 1)
            watch(state, slot)
        return NONE
    r = route(state, request.number, now)
    replica = state.replicas[PLACE(r)]
    if exceeds(state.groups[PLACE(replica.group)], request):
        reject(state, slot, now)
        return NONE
    join(state, r, level, slot, request.started == 1)
    replica.load += 1
    replica.tokens += outstanding(state, request)
    if clock.routing == SHORTEST_QUEUE:
        rank(state, r)
    if replica.running == 0:
        return r
    if head(state, r) == slot and fits(state, replica, slot):
        cut(state, r, now)
        if request.deadline_ns <= state.times[PLACE(r)]:
            watch(state, slot)
    else:
        watch(state, slot)
    return NONE


@compiled
def runs_nowhere(state, request):
    """Whether a request is too long for every replica."""
    nowhere = True
    for g in range(state.groups.size):
        nowhere = nowhere and exceeds(state.groups[PLACE(g)], request)
    return nowhere


@compiled
def reject(state, slot, now):
    """A request that can never run is over at its arrival."""
    state.classes[PLACE(state.requests[PLACE(slot)].class_)].rejected += 1
    free(state, slot, now, NONE, REJECTED)


@compiled
def lose_patience(state, now):
    """The request with the earliest deadline leaves its queue; who is next may have room."""
    slot = state.leaving[0]
    request = state.requests[PLACE(slot)]
    class_ = state.classes[PLACE(request.class_)]
    r = request.place
    was_next = head(state, r) == slot
    forget(state, slot)
    leave(state, slot)
    if r < state.replicas.size:
        give_up(state, r, slot)
        following = head(state, r)
        if was_next and following != NONE and fits(state, state.replicas[PLACE(r)], following):
            cut(state, r, now)
    if request.started == 0:
        class_.waited_ns += now - request.arrival_ns
    if request.deadline_ns - request.arrival_ns >= class_.max_wait_ns:
        class_.shed += 1
        free(state, slot, now, NONE, SHED)
    else:
        class_.abandoned += 1
        free(state, slot, now, NONE, ABANDONED)
