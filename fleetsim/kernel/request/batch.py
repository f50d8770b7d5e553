"""A replica's batch: who joins it, who decodes, and who must leave it before the end."""

from fleetsim.kernel.compiler import compiled
from fleetsim.kernel.request.arrays import (
    LEAST_MEAN_TOKENS,
    NEVER,
    NONE,
    PLACE,
    SHARED_QUEUE,
    SHORTEST_QUEUE,
    UP,
)
from fleetsim.kernel.request.finishes import push, remove
from fleetsim.kernel.request.histogram import bucket
from fleetsim.kernel.request.kv import count_decoding, need, release
from fleetsim.kernel.request.min_tree import put
from fleetsim.kernel.request.queue import join


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
    request.finish_step = NEVER
    replica.running += 1
    replica.used += need(state.groups[PLACE(replica.group)], request)
    replica.kv += request.cached
    stack = state.stack[PLACE(r)]
    if replica.stacked == stack.shape[0]:
        forget_the_gone(state, replica, stack)
    top = PLACE(replica.stacked)
    stack[top, 0], stack[top, 1] = request.admission, slot
    replica.stacked += 1


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
def forget_the_gone(state, replica, stack):
    """Keep of the admissions those of sequences that are still in the batch."""
    kept = 0
    for k in range(replica.stacked):
        admission, slot = stack[PLACE(k), 0], stack[PLACE(k), 1]
        if state.requests[PLACE(slot)].admission == admission:
            stack[PLACE(kept), 0], stack[PLACE(kept), 1] = admission, slot
            kept += 1
    replica.stacked = kept


@compiled
def youngest(state, r):
    """The sequence of the batch that was admitted last; its admission is taken off the stack."""
    replica, stack = state.replicas[PLACE(r)], state.stack[PLACE(r)]
    while True:
        replica.stacked -= 1
        admission, slot = stack[PLACE(replica.stacked), 0], stack[PLACE(replica.stacked), 1]
        if state.requests[PLACE(slot)].admission == admission:
            return slot


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
    if request.finish_step == NEVER:  # its prompt is not done
        leave_prefilling(state, replica, slot)
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
    clock, replica, request = state.clock[0], state.replicas[PLACE(r)], state.requests[PLACE(slot)]
    replica.load -= 1
    replica.tokens -= outstanding(state, request)
    if clock.routing == SHORTEST_QUEUE and replica.up == UP:
        put(state.loads, state.tree, r, replica.load)


@compiled
def outstanding(state, request):
    """Tokens of a waiting request that are to be prefilled and made, as the router knows them."""
    if state.clock[0].routing == LEAST_MEAN_TOKENS:
        return request.left + state.classes[PLACE(request.class_)].mean_output_tokens
    return request.left + request.output - request.made


@compiled
def join_prefilling(state, replica, slot):
    """To the end of those whose prompt is being prefilled."""
    request = state.requests[PLACE(slot)]
    request.prev, request.next = replica.prefilling_tail, NONE
    if replica.prefilling_tail == NONE:
        replica.prefilling_head = slot
    else:
        state.requests[PLACE(replica.prefilling_tail)].next = slot
    replica.prefilling_tail = slot


@compiled
def leave_prefilling(state, replica, slot):
    """Out of the list of those whose prompt is being prefilled."""
    request = state.requests[PLACE(slot)]
    if request.prev == NONE:
        replica.prefilling_head = request.next
    else:
        state.requests[PLACE(request.prev)].next = request.next
    if request.next == NONE:
        replica.prefilling_tail = request.prev
    else:
        state.requests[PLACE(request.next)].prev = request.prev
