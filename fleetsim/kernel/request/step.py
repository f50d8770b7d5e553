"""A step boundary of one replica: what is over, who joins, and when the batch changes next."""

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import compiled
from fleetsim.kernel.min_tree import put
from fleetsim.kernel.request.arrays import DOWN, DRAINING, LEAST_MEAN_TOKENS, NONE, SERVED, SHARED_QUEUE, UP
from fleetsim.kernel.request.batch import (
    admit,
    evict,
    fits,
    outstanding,
    start_decoding,
    stop_decoding,
    youngest,
)
from fleetsim.kernel.request.finishes import next_finish, pop
from fleetsim.kernel.request.histogram import bucket
from fleetsim.kernel.request.kv import asked, given_within, steps_until_short
from fleetsim.kernel.request.prefill import prefill_time_ns
from fleetsim.kernel.request.queue import append, forget, head, leave, unlink, watch_fresh
from fleetsim.kernel.request.rank import rank
from fleetsim.kernel.request.segment import first_after, span_ns


@compiled
def finish_segment(state, r, now):
    """The steps of the segment are over: their tokens are made, and who has all of them is served."""
    replica = state.replicas[PLACE(r)]
    complete(state, r, replica.steps, now)
    while replica.finishing > 0 and next_finish(state, r) == replica.step:
        serve(state, r, pop(state, r), now)


@compiled
def complete(state, r, steps, now):
    """Count the first `steps` steps of the segment as done."""
    replica = state.replicas[PLACE(r)]
    count_time(replica, now)
    if steps == 0:
        return
    if state.groups[PLACE(replica.group)].grow == 1:
        replica.used += given_within(state, r, steps)
    made = steps * replica.batch
    replica.step += steps
    replica.kv += made
    replica.prefill_ns += replica.first_ns
    replica.prompt_tokens += replica.prefill_tokens
    replica.output_tokens += made
    replica.tokens -= replica.prefill_tokens
    if state.clock[0].routing != LEAST_MEAN_TOKENS:
        replica.tokens -= made


@compiled
def count_time(replica, now):
    """Count the time that the replica had a batch, and how large it was, up to now."""
    if replica.running > 0:
        passed = now - replica.counted_ns
        replica.active_ns += passed
        replica.batch_ns += passed * replica.running
    replica.counted_ns = now


@compiled
def serve(state, r, slot, now):
    """A request has its last token."""
    replica, request = state.replicas[PLACE(r)], state.requests[PLACE(slot)]
    class_ = state.classes[PLACE(request.class_)]
    stop_decoding(state, r, slot, request.prompt + request.output)
    replica.load -= 1
    if state.clock[0].routing == LEAST_MEAN_TOKENS:
        replica.tokens -= class_.mean_output_tokens
    ttft, e2e = request.first_ns - request.arrival_ns, now - request.arrival_ns
    met = ttft <= class_.ttft_slo_ns
    counts, c = state.latency, PLACE(request.class_)
    counts[c, 0, PLACE(bucket(ttft))] += 1
    counts[c, 2, PLACE(bucket(e2e))] += 1
    if request.output > 1:
        counts[c, 1, PLACE(bucket((e2e - ttft) // (request.output - 1)))] += 1
        met = met and e2e - ttft <= class_.tpot_slo_ns * (request.output - 1)
    class_.served += 1
    class_.slo_met += met
    class_.prompt_tokens += request.prompt
    class_.output_tokens += request.output
    free(state, slot, now, r, SERVED)


@compiled
def free(state, slot, now, r, outcome):
    """A request is over: keep it if it is one of those to keep, and give its slot back."""
    request, clock = state.requests[PLACE(slot)], state.clock[0]
    if clock.done_every > 0 and request.number % clock.done_every == 0:
        row = state.done[PLACE(clock.done)]
        clock.done += 1
        row.number, row.class_, row.arrival_ns = request.number, request.class_, request.arrival_ns
        row.admitted_ns, row.first_ns, row.finish_ns = request.admitted_ns, request.first_ns, now
        row.prompt, row.output, row.replica, row.outcome = request.prompt, request.output, r, outcome
    request.admission = NONE
    request.started = 1
    request.next = clock.free
    clock.free = slot
    clock.in_flight -= 1


@compiled
def start_segment(state, r, now):
    """Room for the next tokens, chunks of prompts, admissions, and the time of the next change."""
    clock, replica = state.clock[0], state.replicas[PLACE(r)]
    group = state.groups[PLACE(replica.group)]
    shared = clock.routing == SHARED_QUEUE
    place = state.replicas.size if shared or replica.up != UP else r
    count_time(replica, now)
    clock.starting = 0
    evicted = group.grow == 1 and make_room(state, r, place)
    budget = group.chunk_tokens - replica.batch
    prefill = 0
    if group.chunk_tokens > 0:
        prefill = go_on_prefilling(state, r, budget)
    short = evicted  # of tokens in the step, not of room: the next step differs, whatever happens
    while not evicted and replica.up == UP:
        slot = head(state, place)
        if slot == NONE or not fits(state, replica, slot):
            break
        left = state.requests[PLACE(slot)].left
        if group.chunk_tokens > 0:
            if prefill >= budget:
                short = True
                break
            left = min(left, budget - prefill)
        elif prefill > 0 and prefill + left > group.prefill_limit_tokens:
            short = True
            break
        leave(state, slot)
        forget(state, slot)
        if shared:
            replica.load += 1
            replica.tokens += outstanding(state, state.requests[PLACE(slot)])
        admit(state, r, slot, now)
        if group.chunk_tokens > 0:
            append(state.requests, state.prefilling[PLACE(r)], slot)
        prefill += left
        prefill_part(state, r, slot, left)
    watch_fresh(state, place)
    if group.chunk_tokens > 0:
        short = short or state.prefilling[PLACE(r)].head != NONE
    plan(state, r, now, prefill, short)


@compiled
def make_room(state, r, place):
    """Give every decoding sequence the block that its next token needs; whether any had to leave for it."""
    replica = state.replicas[PLACE(r)]
    room = state.groups[PLACE(replica.group)].kv_room
    evicted = False
    while replica.used + asked(state, r, 0) > room:
        evict(state, r, youngest(state, r), place)
        evicted = True
    replica.used += asked(state, r, 0)
    return evicted


@compiled
def go_on_prefilling(state, r, budget):
    """Chunks of the prompts already admitted, in the order of admission; the tokens that they take."""
    queue, prefill = state.prefilling[PLACE(r)], 0
    while queue.head != NONE and prefill < budget:
        slot = queue.head
        part = min(state.requests[PLACE(slot)].left, budget - prefill)
        prefill += part
        prefill_part(state, r, slot, part)
    return prefill


@compiled
def prefill_part(state, r, slot, tokens):
    """Prefill so many tokens of a prompt in the step at hand."""
    clock, replica, request = state.clock[0], state.replicas[PLACE(r)], state.requests[PLACE(slot)]
    request.left -= tokens
    replica.kv += tokens
    if request.left == 0:
        if state.groups[PLACE(replica.group)].chunk_tokens > 0:
            unlink(state.requests, state.prefilling[PLACE(r)], slot)
        start_decoding(state, r, slot)
        state.starting[PLACE(clock.starting)] = slot
        clock.starting += 1


@compiled
def plan(state, r, now, prefill, short):
    """The segment that starts now: as many steps as pass before the batch changes by itself."""
    clock, replica = state.clock[0], state.replicas[PLACE(r)]
    if replica.running == 0:
        if replica.up == DRAINING:
            replica.up = DOWN
        put(state.times, state.tree, r, NEVER)
        rank(state, r)
        return
    group = state.groups[PLACE(replica.group)]
    replica.start_ns = now
    replica.prefill_tokens = prefill
    replica.first_ns = prefill_time_ns(state, replica.group, prefill)
    replica.step_ns = state.decode_ns[PLACE(replica.group), PLACE(replica.batch)] + group.kv_ns * replica.kv
    replica.growth_ns = group.kv_ns * replica.batch
    steps = 1
    if not short:
        steps = next_finish(state, r) - replica.step
        if group.grow == 1:
            steps = min(steps, steps_until_short(state, r))
    first_end = now + span_ns(replica, 1)
    replica.steps_done, replica.boundary_ns = 0, first_end
    replica.steps = steps
    put(state.times, state.tree, r, now + span_ns(replica, steps))
    rank(state, r)
    for k in range(clock.starting):
        request = state.requests[PLACE(state.starting[PLACE(k)])]
        if request.first_ns == NONE:
            request.first_ns = first_end


@compiled
def cut(state, r, now):
    """End the segment at its first boundary after now, where somebody may join."""
    replica = state.replicas[PLACE(r)]
    steps = first_after(replica, now)
    if steps < replica.steps:
        replica.steps = steps
        put(state.times, state.tree, r, replica.start_ns + span_ns(replica, steps))
