"""A replica's batch: who joins it, who decodes, and who must leave it before the end."""

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import compiled
from fleetsim.kernel.request.arrays import LEAST_MEAN_TOKENS, NONE, SHARED_QUEUE
from fleetsim.kernel.request.finishes import push, remove, slot_at
from fleetsim.kernel.request.histogram import bucket
from fleetsim.kernel.request.kv import count_decoding, need, release
from fleetsim.kernel.request.queue import join, unlink
from fleetsim.kernel.request.rank import rank


@compiled
def fits(state, replica, slot):
    """Whether a waiting request has room in the batch and in the KV cache."""
    group = state.groups[PLACE(replica.group)]
    return (replica.running < group.max_batch
            and replica.used + need(group, state.requests[PLACE(slot)]) <= group.kv_room)


@compiled
def admit(state, r, slot, now):
    """Move a request, which has left its queue, into the batch."""
    clock, replica, request = state.clock[0], state.replicas[PLACE(r)], state.requests[PLACE(slot)]
    request.place = r
    request.deadline_ns = NEVER
    if request.started == 0:
        request.started = 1
        request.admitted_ns = now
        count_admitted(state, request, now)
    request.admission = clock.admissions
    clock.admissions += 1
    request.finish_step = NONE
    replica.running += 1
    replica.used += need(state.groups[PLACE(replica.group)], request)
    replica.kv += request.cached


@compiled
def count_admitted(state, request, now):
    """Somebody waits no longer."""
    class_ = state.classes[PLACE(request.class_)]
    wait_ns = now - request.arrival_ns
    class_.admitted += 1
    class_.admitted_prompt_tokens += request.prompt
    class_.admitted_output_tokens += request.output
    class_.waited_ns += wait_ns
    state.latency[PLACE(request.class_), 3, PLACE(bucket(wait_ns))] += 1


@compiled
def youngest(state, r):
    """The sequence of the batch that was admitted last.

    A scan: few must leave, and to keep them in order would cost every admission.
    """
    found, last = state.prefilling[PLACE(r)].tail, NONE
    if found != NONE:
        last = state.requests[PLACE(found)].admission
    for k in range(state.replicas[PLACE(r)].finishing):
        slot = slot_at(state, r, k)
        if state.requests[PLACE(slot)].admission > last:
            found, last = slot, state.requests[PLACE(slot)].admission
    return found


@compiled
def start_decoding(state, r, slot):
    """Its prompt is done with the step at hand, which also makes its next token."""
    replica, request = state.replicas[PLACE(r)], state.requests[PLACE(slot)]
    request.finish_step = replica.step + request.output - request.made
    replica.batch += 1
    count_decoding(state, r, request, replica.step, 1)
    push(state, r, request.finish_step, slot)


@compiled
def stop_decoding(state, r, slot, tokens):
    """A sequence of so many tokens leaves the batch with its KV."""
    replica, request = state.replicas[PLACE(r)], state.requests[PLACE(slot)]
    count_decoding(state, r, request, request.finish_step - (request.output - request.made), -1)
    release(state.groups[PLACE(replica.group)], replica, request, tokens)
    replica.kv -= tokens
    replica.batch -= 1
    replica.running -= 1


@compiled
def evict(state, r, slot, place):
    """Take a sequence out of the batch, with the tokens that it made and without its KV, to a queue.

    It goes to the front of its replica's or the shared queue, and to the end of those to be routed again.
    """
    replica, request = state.replicas[PLACE(r)], state.requests[PLACE(slot)]
    if request.finish_step == NONE:  # its prompt is not done
        unlink(state.requests, state.prefilling[PLACE(r)], slot)
        replica.kv -= request.prompt + request.made - request.left
        replica.used -= need(state.groups[PLACE(replica.group)], request)
        replica.running -= 1
    else:
        made = request.output - (request.finish_step - replica.step)
        remove(state, r, request.finish_step, slot)
        stop_decoding(state, r, slot, request.prompt + made)
        request.made = made
    again = request.prompt + request.made - request.cached
    replica.tokens += again - request.left
    request.left = again
    request.admission = NONE
    if place != r:
        give_up(state, r, slot)
    front = place == r or state.clock[0].routing == SHARED_QUEUE
    join(state, place, state.classes[PLACE(request.class_)].level, slot, front)


@compiled
def give_up(state, r, slot):
    """A waiting request is no longer the replica's."""
    replica, request = state.replicas[PLACE(r)], state.requests[PLACE(slot)]
    replica.load -= 1
    replica.tokens -= outstanding(state, request)
    rank(state, r)


@compiled
def outstanding(state, request):
    """Tokens of a waiting request that are to be prefilled and made, as the router knows them."""
    if state.clock[0].routing == LEAST_MEAN_TOKENS:
        return request.left + state.classes[PLACE(request.class_)].mean_output_tokens
    return request.left + request.output - request.made
