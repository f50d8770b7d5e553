"""What the fluid kernel reads and writes: one record per fleet, share, pool and traffic class.

Letters in shapes: F fleets, K shares (a pool's part of one fleet, or the part that no pool has),
P pools, C traffic classes, M service slots of a class (its mix, then the service it degrades to),
A attempts of a message, B wait buckets, L loans, U units (a class's slot on a share, where latency is known
by load), G loads of a latency table; N steps and H hours of the block at hand and R mixes of services in it.
Records hold what is declared, what the control plane sets, what one step hands to the next, and room for
the step at hand, in this order.
"""

from typing import Any, NamedTuple

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
WHOLE, REAL = np.int64, np.float64
PLACE = np.uint64
"""An index. Without a sign, or every access to an array would look out for one from its end; adding a
signed number would make it a float."""
ONE = PLACE(1)
NEVER = 2**62
"""A time that does not come; the sum of two is still an int64."""

FIRST_EDGE_S = 0.125
BUCKETS_PER_OCTAVE = 8
WAIT_BUCKETS = 1 + 26 * BUCKETS_PER_OCTAVE
"""Bucket 0 is no wait; bucket b >= 1 ends at 0.125 x 2^(b/8) s, so the last one at 97 days."""
COHORTS = 4_096
"""Cohorts of a class's queue, at first one per step; when there are more, each takes in the next."""

GPU_SECONDS = ("rented", "healthy", "allocated", "prefill", "decode", "required", "offered", "lent",
               "borrowed", "load_offered", "load_capacity", "load_required", "load_rented", "failed",
               "draining", "out", "elastic", "elastic_allocated", "active")
"""GPU-seconds that a share adds up over an hour: fields `..._gpu_s` and rows of Hourly.gpu_s."""
MESSAGES = ("arrived", "shed", "abandoned", "retried", "degraded", "slo_met", "waiting", "in_retry")
"""Whole messages of a class in an hour: rows of Hourly.messages; the last two at the hour's end."""

FLEET = np.dtype([
    ("first_share", PLACE), ("last_share", PLACE), ("node_gpus", WHOLE),
    ("fail_prob", REAL),  # that a working node is down one step later
    ("repair_prob", REAL),  # that a node under repair is back one step later
    ("log_unrepaired", REAL),  # logarithm of the probability that it is not
    ("draining_frac", REAL),
    ("keep_frac", REAL),  # share of the ready GPUs that outages and maintenance leave
    ("out_gpus", WHOLE),  # GPUs that they take on top
    ("nodes", WHOLE),  # rented
    ("failed_nodes", WHOLE),
    ("failures", WHOLE), ("repairs", WHOLE),  # nodes in the hour so far
    ("rented", WHOLE),  # GPUs
    ("unhealthy", WHOLE),  # of them, as last split over the shares; negative: not since they changed
])  # fmt: skip
SHARE = np.dtype([
    ("availability_frac", REAL),  # expected, of its fleet
    ("rented", WHOLE),
    ("elastic", WHOLE),  # of them rented at will
    ("allocated_limit", WHOLE),  # negative: all that is healthy
    ("routing_weight", REAL),  # negative: spill-over order
    ("seen_offered_gpu_s", REAL),  # work routed here since the last control tick
    ("worth", REAL),  # GPUs of the pool's first fleet that one GPU here is worth, at the last mix
    *((f"{name}_gpu_s", REAL) for name in GPU_SECONDS),  # in the hour so far
    ("portion_s", REAL),  # its part of what its fleet rents, x the step
    ("healthy", WHOLE), ("lent", WHOLE), ("borrowed", WHOLE),
    ("capacity", WHOLE),  # healthy - lent + borrowed
    ("allocated", WHOLE),
    ("room", REAL),  # GPU-seconds left in this step
    ("work", REAL),  # GPU-seconds of some demand if all of it ran here
    ("cap", REAL),  # GPU-seconds of it that may run here
    ("fits", REAL),  # part of it for which there is room
    ("part", REAL),  # part of it that runs here
])  # fmt: skip
POOL = np.dtype([
    ("first_share", PLACE), ("last_share", PLACE),  # into pool_share
    ("first_class", PLACE), ("last_class", PLACE),  # into pool_class
    ("target_load_frac", REAL),
    ("shed_above_load_frac", REAL),  # infinity: never
    ("degrade_above_load_frac", REAL),  # infinity: never
    ("seen_gpu_s", REAL),  # work offered since the last control tick, in GPUs of the first fleet
    ("backlog_gpu_s", REAL),  # work waiting now, likewise
])  # fmt: skip
CLASS = np.dtype([
    ("priority", WHOLE),
    ("patience_s", REAL),  # infinity: nobody leaves
    ("attempts", WHOLE),  # most attempts of a message
    ("retry_frac", REAL),  # share of lost attempts tried again
    ("return_prob", REAL),  # that a message in retry is back one step later
    ("slo_wait_s", REAL),  # infinity: none
    ("degrade_slot", WHOLE),  # service slot of degraded messages, -1: none
    ("max_messages_per_s", REAL),  # infinity: no rate limit
    ("max_wait_s", REAL),  # infinity: no limit
    ("wait_s", REAL),  # age of the oldest waiting message
    ("cohort_head", WHOLE), ("cohort_count", WHOLE),  # the oldest cohort, and how many
    ("open_messages", WHOLE),  # counted as arrived, not yet as served, shed or abandoned
    ("served", REAL),  # messages not yet counted, whole ones at the hour's end:
    ("arrived", REAL), ("shed", REAL), ("abandoned", REAL), ("retried", REAL), ("degraded", REAL),
    ("slo_met", REAL),
    ("expected", REAL), ("waiting_message_s", REAL),  # in the hour so far
    ("offered", REAL),  # messages of this step, retries included
    ("admitted", REAL),  # the same less what is shed on arrival
    ("degraded_frac", REAL),  # share of them and of the backlog that is degraded
    ("queued", REAL),  # messages that wait, of all attempts
    ("served_now", REAL),  # messages served in this step
])  # fmt: skip
COHORT = np.dtype([
    ("per_s", REAL),  # arrivals per second during the cohort's steps
    ("left", REAL),  # of them waiting, counted at the end of its last step
    ("step", WHOLE),  # that step
    ("steps", WHOLE),  # how many they are
])  # fmt: skip
LOAN = np.dtype([("lender", WHOLE), ("borrower", WHOLE), ("gpus", WHOLE)])

# Columns of Steps.
STEP_GPUS = ("rented_gpus", "healthy_gpus", "allocated_gpus", "busy_gpus", "required_gpus",
             "offered_gpus", "lent_gpus", "borrowed_gpus")
STEP_MESSAGES = ("messages_arrived", "messages_served", "messages_degraded", "messages_shed",
                 "messages_abandoned", "messages_retried", "messages_waiting", "messages_in_retry",
                 "waiting_message_s", "wait_s")


class Things(NamedTuple):
    """Everything that exists during a run: layout, controls and state."""

    step_s: float
    steps_per_hour: int
    fleets: Array  # (F) FLEET
    shares: Array  # (K) SHARE, fleet by fleet
    pools: Array  # (P) POOL
    classes: Array  # (C) CLASS
    loans: Array  # (L) LOAN, between shares of one fleet
    pool_share: Array  # shares of each pool in spill-over order
    pool_class: Array  # classes of each pool by priority, first served first
    unit_prefill_gpu_s: Array  # (C, M, K) GPU-seconds per message
    unit_decode_gpu_s: Array  # (C, M, K)
    waiting: Array  # (C, A) messages in the queue by attempt
    in_retry: Array  # (C, A) messages between attempts, by the attempt to come
    cohorts: Array  # (C, COHORTS) COHORT, a ring
    served: Array  # (C, M) messages not yet counted
    work_gpu_s: Array  # (C, M) in the hour so far
    arrivals: Array  # (C, A) messages of this step by attempt, less what is shed on arrival
    cost_gpu_s: Array  # (C, K) GPU-seconds per message under the mix of services that holds
    degraded_cost_gpu_s: Array  # (C, K) GPU-seconds per degraded message
    wait_edges_s: Array  # (B) upper edge of each wait bucket
    load_unit: Array  # (C, M, K) place in U, negative: latency is not known
    load_points: Array  # (U) loads of the latency table, those up to 1
    load_grid: Array  # (U, G) those loads, rising
    load_served: Array  # (U) messages served in this step
    shares_before: Array  # (K) SHARE at the start of the step, when steps are kept
    classes_before: Array  # (C) CLASS


class Inputs(NamedTuple):
    """What is known of a block beforehand; step n of the run is row n - first_step."""

    first_step: int
    expected_per_s: Array  # (N, C) messages a second: anchors, shapes, surges
    noise: Array  # (N, C) factor of mean 1
    mix: Array  # (R, C, M) share of each service slot, sums to 1: one row for each mix that holds
    mix_row: Array  # (N) which of these rows holds
    fail_u: Array  # (N, F) uniforms
    repair_u: Array  # (N, F)


class Hourly(NamedTuple):
    """What a block of hours adds up to; hour h of the run is row h - first_hour."""

    first_hour: int
    gpu_s: Array  # (len(GPU_SECONDS), H, K)
    nodes: Array  # (2, H, F) failures; nodes back from repair or handed back under repair
    messages: Array  # (len(MESSAGES), H, C) whole messages
    served: Array  # (H, C, M) whole messages
    work_gpu_s: Array  # (H, C, M)
    expected: Array  # (H, C) messages
    waiting_message_s: Array  # (H, C) integral of the queue
    waits: Array  # (H, C, B) served messages by wait, bucket 0 left empty
    waited: Array  # (H, C) bool: whether any message waited
    load_served: Array  # (H, U, G + 1) messages served at each load, those between two loads divided; after
    # its last load, those of classes without a queue while others of the pool had one


class Steps(NamedTuple):
    """Every step of a block, float32; zero rows when not asked for."""

    gpus: Array  # (len(STEP_GPUS), N, K)
    messages: Array  # (len(STEP_MESSAGES), N, C)
