"""What the training kernel reads and writes: a record per job, and one per fleet with its counts.

Letters in shapes: J jobs, H hours of the horizon, S states, T teams, K causes, D domains. Times are int64 ns
from the start of the run, GPU time int64 GPU-ns.
"""

from typing import NamedTuple

import numpy as np

from fleetsim.kernel.arrays import REAL, WHOLE, Array

NONE = -1

STATES = ("productive", "checkpointing", "lost", "restarting", "blocked", "idle", "spare", "down",
          "maintenance", "lent")
"""Every GPU-second of a training fleet is in exactly one of these."""
PRODUCTIVE, CHECKPOINTING, LOST, RESTARTING, BLOCKED, IDLE, SPARE, DOWN, MAINTENANCE, LENT = range(10)
HELD_STATES = 5
"""The first of them are those of GPUs that a job holds."""

TO_COME, QUEUED, RUNNING, DETECTING, SHORT, STARTING, YIELDING, DONE = range(8)
"""Phases of a job. SHORT: its gang is not complete; YIELDING: it writes a checkpoint and then leaves."""

FIFO, PRIORITY, FAIR_SHARE = range(3)

JOB = np.dtype([
    # given
    ("submit_ns", WHOLE),
    ("work_ns", WHOLE),  # useful time of the whole gang
    ("gpus", WHOLE),
    ("priority", WHOLE),  # 0 is the most important
    ("team", WHOLE),
    ("interval_ns", WHOLE),  # useful work between two checkpoints
    ("write_ns", WHOLE),  # of a checkpoint, while the gang stands still
    ("drain_ns", WHOLE),  # from then until it is durable
    ("detect_ns", WHOLE), ("restart_ns", WHOLE),
    ("first_start_ns", WHOLE),  # what the very first start takes
    ("waits", WHOLE),  # 1: a gang that lost a node keeps the others until it is complete; 0: it queues again
    ("preemptible", WHOLE),
    ("software_per_gpu_ns", REAL),  # failures that take no node out
    # as it goes
    ("phase", WHOLE),
    ("since_ns", WHOLE),  # start of the phase
    ("saved_ns", WHOLE),  # work in the last durable checkpoint
    ("yield_ns", WHOLE),  # when it stopped to write its last checkpoint
    ("held", WHOLE),  # GPUs
    ("lemons", WHOLE),  # nodes among them that fail more often
    ("place", WHOLE),  # among the active
    ("prev", WHOLE), ("next", WHOLE),  # neighbours in the queue
    ("queued_ns", WHOLE),  # time in the queue, up to the last start
    ("started_ns", WHOLE), ("ended_ns", WHOLE),  # NONE: not yet
    ("last_start_ns", WHOLE),
    ("left_ns", WHOLE),  # when it last gave its GPUs back to wait for others, NONE: not yet
    ("restarts", WHOLE), ("failures", WHOLE), ("preemptions", WHOLE),
])
HAZARD = np.dtype([
    ("left", REAL),  # of the exponential with mean 1 up to the next event
    ("rate", REAL),  # per ns, now
    ("since_ns", WHOLE), ("next_ns", WHOLE),
    ("seed", np.uint64), ("drawn", np.uint64),
])
NODE_FAILURE, SOFTWARE_FAILURE, DOMAIN_FAILURE, REPAIR, DOMAIN_REPAIR = range(5)
HAZARDS = 5
CLUSTER = np.dtype([
    ("now_ns", WHOLE),
    ("node_gpus", WHOLE), ("domain_gpus", WHOLE),
    ("failure_per_gpu_ns", REAL),  # of an ordinary node
    ("lemon_factor", REAL),  # of a lemon / of an ordinary node
    ("lemon_found_prob", REAL),  # of being found out at a failure
    ("domain_failure_per_gpu_ns", REAL),
    ("node_causes", WHOLE),  # causes that take a node out; they come first
    ("repair_ns", REAL), ("domain_repair_ns", REAL),  # means
    ("crews", WHOLE),  # repairs at the same time
    ("replace_ns", WHOLE),  # to put a spare in the place of a node
    ("spare_gpus", WHOLE),  # to be kept as spares
    ("order", WHOLE), ("backfill", WHOLE), ("preempt", WHOLE), ("yields", WHOLE),
    ("half_life_ns", REAL),  # of what teams have used
    # as it goes
    ("idle", WHOLE), ("spare", WHOLE), ("down", WHOLE), ("maintenance", WHOLE), ("lent", WHOLE),
    ("idle_lemons", WHOLE), ("spare_lemons", WHOLE), ("down_lemons", WHOLE),
    ("maintenance_lemons", WHOLE), ("lent_lemons", WHOLE),
    ("domains_down", WHOLE), ("domain_gpus_down", WHOLE),  # part of down
    ("running_gpus", WHOLE),  # held by jobs
    ("job_lemons", WHOLE),
    ("software_rate", REAL),  # of all jobs, per ns
    ("yielding", WHOLE),  # GPUs of jobs that are on their way out
    ("owed_lent", WHOLE), ("owed_maintenance", WHOLE),  # GPUs that go there when jobs give them back
    ("outage", WHOLE),  # part of down, until control ends it
    ("counted_ns", WHOLE),  # idle, spare, down, maintenance and lent are counted up to
    ("active", WHOLE),  # jobs that hold GPUs or wait for a member
    ("short", WHOLE),  # of them, those with an incomplete gang
    ("waiting", WHOLE),  # jobs in the queue
    ("next_job", WHOLE),  # the next to be submitted
    ("look", WHOLE),  # 1: the queue may find GPUs
    ("logged", WHOLE), ("spanned", WHOLE),  # rows of log and of spans
    ("seed", np.uint64), ("drawn", np.uint64),  # of who is hit
])
TEAM = np.dtype([
    ("share", REAL), ("used", REAL), ("counted_ns", WHOLE), ("gpus", WHOLE),
    ("head", WHOLE), ("tail", WHOLE),  # of its queue
])
SPAN = np.dtype([("job", WHOLE), ("from_ns", WHOLE), ("to_ns", WHOLE), ("gpus", WHOLE)])
LOG = np.dtype([("time_ns", WHOLE), ("kind", WHOLE), ("job", WHOLE), ("gpus", WHOLE), ("cause", WHOLE)])
KINDS = ("job_submitted", "job_started", "job_finished", "job_preempted", "job_requeued", "node_failed",
         "software_failed", "domain_failed", "node_repaired", "domain_repaired", "job_restarted")
(SUBMITTED, STARTED, FINISHED, PREEMPTED, REQUEUED, NODE_FAILED, SOFTWARE_FAILED, DOMAIN_FAILED, REPAIRED,
 DOMAIN_REPAIRED, RESTARTED) = range(len(KINDS))


class State(NamedTuple):
    """Everything that exists on one fleet."""

    cluster: Array  # (1) CLUSTER
    jobs: Array  # (J) JOB, by submit time
    hazards: Array  # (5) HAZARD
    teams: Array  # (T) TEAM
    causes: Array  # (K) shares of the failures of nodes, that add up to 1
    active: Array  # (J) the active jobs
    times: Array  # min tree of the jobs' next events
    tree: Array  # where its levels begin
    hours: Array  # (H, S) GPU-ns by state
    job_s: Array  # (J, 5) GPU-s by state of held GPUs
    job_ns: Array  # (J, 5) and the GPU-ns beyond them
    ends: Array  # (J, 2) room to put expected ends in order
    log: Array  # (N) LOG
    spans: Array  # (N) SPAN: who held GPUs, and when
