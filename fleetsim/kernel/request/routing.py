"""Where a request goes: each policy reads the replicas that are up as they are at this nanosecond."""

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import compiled
from fleetsim.kernel.min_tree import first_least, least, put
from fleetsim.kernel.request.arrays import (
    HASH,
    IDLE,
    LEAST_TOKENS,
    NONE,
    ROUND_ROBIN,
    SHORTEST_QUEUE,
    TWO_CHOICES,
)
from fleetsim.kernel.request.batch import fits
from fleetsim.kernel.request.rank import REPLICA_MASK
from fleetsim.kernel.request.segment import look
from fleetsim.kernel.uniforms import uniform


@compiled
def route(state, number, now):
    """The replica for a request; there is at least one that is up."""
    clock = state.clock[0]
    kind = clock.routing
    if kind == SHORTEST_QUEUE:
        return least(state.ranks, state.tree) & REPLICA_MASK
    if kind == ROUND_ROBIN:
        clock.turn += 1
        return state.serving[PLACE((clock.turn - 1) % clock.up)]
    if kind == HASH:
        return state.serving[PLACE(uniform(clock.seed, PLACE(number)) * clock.up)]
    if kind == TWO_CHOICES:
        return two_choices(state)
    return least_tokens(state, now)


@compiled
def two_choices(state):
    """The less loaded of two different replicas drawn at random, the first of them when equal."""
    clock = state.clock[0]
    if clock.up == 1:
        return state.serving[0]
    draw = PLACE(2 * clock.turn)
    clock.turn += 1
    one = int(uniform(clock.seed, draw) * clock.up)
    other = int(uniform(clock.seed, draw + PLACE(1)) * (clock.up - 1))
    other += other >= one
    low, high = state.serving[PLACE(min(one, other))], state.serving[PLACE(max(one, other))]
    return high if state.replicas[PLACE(high)].load < state.replicas[PLACE(low)].load else low


@compiled
def least_tokens(state, now):
    """The replica with the fewest tokens still to prefill and to make, as far as the router knows them."""
    clock = state.clock[0]
    best, fewest = 0, NEVER
    for k in range(clock.up):
        r = state.serving[PLACE(k)]
        replica = state.replicas[PLACE(r)]
        tokens = replica.tokens
        if replica.running > 0:
            look(replica, now)
            if replica.steps_done > 0:
                tokens -= replica.prefill_tokens
                if clock.routing == LEAST_TOKENS:
                    tokens -= replica.steps_done * replica.batch
        if tokens < fewest:
            best, fewest = r, tokens
    return best


@compiled
def first_to_take(state, slot, now, ended):
    """The replica with room for the head of the shared queue that is first at a boundary; NONE: no room.

    A replica without work is at a boundary now. Steps that end now come before everything else and in the
    order of replicas: those after `ended`, whose step has just ended, may still take it. A rank that has
    passed is brought up to date only when it is the least.
    """
    while True:
        boundary = least(state.ranks, state.tree)
        if boundary == NEVER:
            return NONE
        r = first_least(state.ranks, state.tree, boundary)
        replica, last = state.replicas[PLACE(r)], now - (r > ended)
        if boundary != IDLE and boundary <= last:
            look(replica, last)
            put(state.ranks, state.tree, r, replica.boundary_ns)
        elif fits(state, replica, slot):
            return r
        else:
            return first_of_those_with_kv(state, slot, now, ended)


@compiled
def first_of_those_with_kv(state, slot, now, ended):
    """The same where the replica of the least rank has no room in its KV cache: a scan of all."""
    best, soonest = NONE, NEVER
    for k in range(state.clock[0].up):
        r = state.serving[PLACE(k)]
        replica = state.replicas[PLACE(r)]
        if fits(state, replica, slot):
            if replica.running == 0:
                return r
            look(replica, now - (r > ended))
            if replica.boundary_ns < soonest:
                best, soonest = r, replica.boundary_ns
    return best
