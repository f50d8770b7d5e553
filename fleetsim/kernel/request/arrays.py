"""What the request kernel reads and writes: a record per group, replica, traffic class and request in flight.

Letters in shapes: G groups of equal replicas, R replicas, C traffic classes, L priority levels, S slots
for requests in flight, B the largest batch, K rows of rate. Times are int64 ns from the start of the run.
"""

from typing import NamedTuple

import numpy as np

from fleetsim.kernel.arrays import NEVER, REAL, WHOLE, Array

SHORT = np.int32
NONE = -1
IDLE = -NEVER
"""Rank of a replica without work where all share one queue: before every time."""

DOWN, DRAINING, UP = 0, 1, 2
SHARED_QUEUE, ROUND_ROBIN, HASH, SHORTEST_QUEUE, LEAST_TOKENS, LEAST_MEAN_TOKENS, TWO_CHOICES = range(7)

GROUP = np.dtype([
    ("first_replica", WHOLE), ("last_replica", WHOLE),
    ("gpus", WHOLE),  # of one replica
    ("max_batch", WHOLE),
    ("kv_room", WHOLE),  # KV cache of a replica: tokens, or blocks where it grows
    ("block_tokens", WHOLE),
    ("grow", WHOLE),  # 0: prompt and output are reserved at admission; 1: blocks as tokens come
    ("chunk_tokens", WHOLE),  # budget of a step in tokens; 0: whole prompts
    ("prefill_limit_tokens", WHOLE),  # most prompt tokens of a step with whole prompts
    ("kv_ns", WHOLE),  # per KV token and step
    ("prefill_ns", WHOLE),  # per prompt token
    ("prefill_points", WHOLE),  # of its table of prefill; 0: so much per prompt token
])
REPLICA = np.dtype([
    ("group", SHORT),
    ("up", SHORT),
    ("load", SHORT),  # requests waiting and running
    ("running", SHORT),  # sequences admitted
    ("batch", SHORT),  # of them, those that make a token in the steps at hand
    ("finishing", SHORT),  # entries of the finish heap
    ("step", SHORT),  # steps completed before the segment
    ("steps", SHORT),  # in the segment as planned
    ("start_ns", WHOLE), ("first_ns", WHOLE), ("step_ns", WHOLE), ("growth_ns", WHOLE),  # of the segment
    ("boundary_ns", WHOLE), ("steps_done", WHOLE),  # a boundary and the steps before it, as last looked at
    ("kv", WHOLE),  # tokens held at the start of the segment
    ("used", WHOLE),  # tokens reserved, or blocks given out
    ("prefill_tokens", WHOLE),  # in its first step
    ("tokens", WHOLE),  # outstanding at the start of the segment
    ("active_ns", WHOLE), ("counted_ns", WHOLE),  # time with a batch; counted up to
    ("batch_ns", WHOLE),  # integral of the batch
    ("prefill_ns", WHOLE),  # time of prefills
    ("prompt_tokens", WHOLE), ("output_tokens", WHOLE),  # done
])
CLASS = np.dtype([
    ("level", WHOLE),
    ("patience_ns", REAL),  # mean; infinity: nobody leaves
    ("cached_frac", REAL),  # of prompt tokens
    ("max_wait_ns", WHOLE),
    ("ttft_slo_ns", WHOLE), ("tpot_slo_ns", WHOLE),
    ("seed", np.uint64),  # of its own draws
    ("drawn", np.uint64),  # requests drawn
    ("prompt_mu", REAL), ("prompt_sigma", REAL), ("prompt_max", REAL),
    ("output_mu", REAL), ("output_sigma", REAL), ("output_max", REAL),
    ("next_ns", WHOLE),  # arrival of its next request
    ("hazard", REAL),  # of the gap to it, still to spend when more rates are known; 0: none
    ("mean_output_tokens", WHOLE),
    ("arrived", WHOLE), ("rejected", WHOLE), ("served", WHOLE), ("abandoned", WHOLE), ("shed", WHOLE),
    ("slo_met", WHOLE),
    ("prompt_tokens", WHOLE), ("output_tokens", WHOLE),  # of the served
    ("admitted", WHOLE), ("admitted_prompt_tokens", WHOLE), ("admitted_output_tokens", WHOLE),
    ("waited_ns", WHOLE),  # by those who wait no longer
])
REQUEST = np.dtype([
    ("arrival_ns", WHOLE),
    ("first_ns", WHOLE),  # its first token
    ("finish_step", SHORT),  # of its replica; NONE while its prompt is prefilled
    ("prompt", SHORT), ("output", SHORT), ("cached", SHORT),
    ("made", SHORT),  # output tokens when it was last admitted
    ("left", SHORT),  # tokens still to prefill
    ("class_", SHORT),
    ("started", SHORT),  # 1: it was admitted once, or the slot is free
    ("prev", SHORT), ("next", SHORT),  # neighbours in the queue, or among those being prefilled
    ("place", SHORT),  # its replica, or R: the shared queue
    ("leaving", SHORT),  # place in the heap of deadlines, NONE: not in it
    ("number", WHOLE),
    ("deadline_ns", WHOLE),
    ("admitted_ns", WHOLE),  # first
    ("admission", WHOLE),  # number of its last admission, NONE while it waits
])
QUEUE = np.dtype([("head", WHOLE), ("tail", WHOLE), ("fresh", WHOLE)])
DONE = np.dtype([
    ("number", WHOLE), ("class_", WHOLE),
    ("arrival_ns", WHOLE), ("admitted_ns", WHOLE), ("first_ns", WHOLE), ("finish_ns", WHOLE),
    ("prompt", WHOLE), ("output", WHOLE), ("replica", WHOLE), ("outcome", WHOLE),
])
SERVED, ABANDONED, SHED, REJECTED = range(4)
CLOCK = np.dtype([
    ("now_ns", WHOLE), ("routing", WHOLE), ("levels", WHOLE),
    ("called", WHOLE),  # 1: control has changed the replicas of a shared queue
    ("next_ns", WHOLE),  # next arrival
    ("next_source", WHOLE),  # its class, or C: the trace
    ("trace_row", WHOLE),
    ("number", WHOLE),  # requests so far
    ("admissions", WHOLE),
    ("free", WHOLE),  # first free slot
    ("in_flight", WHOLE),
    ("leaving", WHOLE),  # entries of the heap of deadlines
    ("starting", WHOLE),  # entries of starting
    ("up", WHOLE),  # replicas that take requests
    ("sought", WHOLE),  # head of the shared queue for which a replica was looked for, NONE: look anew
    ("promised", WHOLE),  # the replica found, whose segment ends for it; NONE: none has room
    ("turn", WHOLE),  # of round-robin, and draws of two choices
    ("seed", np.uint64),
    ("done", WHOLE), ("done_every", WHOLE),  # rows of done; one request in so many is kept, 0: none
])


class State(NamedTuple):
    """Everything that exists in a run at request level."""

    clock: Array  # (1) CLOCK
    groups: Array  # (G) GROUP
    decode_ns: Array  # (G, B + 1) time of a step by its batch, without KV and prefill
    prefill: Array  # (G, P, 2) prompt tokens, and the time that they add to a step
    replicas: Array  # (R) REPLICA
    finish: Array  # (R, B) heap of finish step << 32 | slot
    residues: Array  # (R, T) decoding sequences by where their next block falls
    queues: Array  # (R + 1, L) QUEUE; the last is the shared one
    prefilling: Array  # (R) QUEUE: prompts that are prefilled in chunks
    requests: Array  # (S) REQUEST
    leaving: Array  # (S) heap of slots by deadline
    starting: Array  # (B) slots whose prompt is done with the step at hand
    classes: Array  # (C) CLASS
    rates: Array  # (K, C) arrivals per second, as far as they are known
    rates_from_ns: int  # where the first row begins
    rate_ns: int  # length of a row of rates
    trace_ns: Array  # (N) arrivals
    trace: Array  # (N, 3) prompt, output, class
    times: Array  # min tree of the next event of each replica
    ranks: Array  # min tree of the rank of each replica
    tree: Array  # where the levels of these two begin
    serving: Array  # replicas that are up, in order
    latency: Array  # (C, 4, buckets) served requests by TTFT, TPOT, E2E; admitted ones by wait
    done: Array  # (D) DONE
