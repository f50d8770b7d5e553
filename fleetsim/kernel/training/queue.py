"""Jobs that wait for GPUs: a list per team, by priority and time of submission."""

import math

from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.compiler import called, compiled
from fleetsim.kernel.training.arrays import FAIR_SHARE, FIFO, NONE, QUEUED


@compiled
def list_of(state, job):
    """The list that a job waits in: one for all, or its team's."""
    return job.team if state.cluster[0].order == FAIR_SHARE else 0


@compiled
def goes_before(state, j, other):
    """Whether a job goes before another of the same list. Jobs are numbered by time of submission."""
    if state.cluster[0].order != FIFO:
        mine, theirs = state.jobs[PLACE(j)].priority, state.jobs[PLACE(other)].priority
        if mine != theirs:
            return mine < theirs
    return j < other


@called
def join(state, j, now):
    """A job waits from now on. Most come last; those that come back are near the front."""
    cluster, job = state.cluster[0], state.jobs[PLACE(j)]
    queue = state.teams[PLACE(list_of(state, job))]
    job.phase = QUEUED
    job.since_ns = now
    if queue.tail == NONE or goes_before(state, queue.tail, j):
        before, after = queue.tail, NONE
    else:
        after = queue.head
        while goes_before(state, after, j):
            after = state.jobs[PLACE(after)].next
        before = state.jobs[PLACE(after)].prev
    job.prev, job.next = before, after
    if before == NONE:
        queue.head = j
    else:
        state.jobs[PLACE(before)].next = j
    if after == NONE:
        queue.tail = j
    else:
        state.jobs[PLACE(after)].prev = j
    cluster.waiting += 1
    cluster.look = 1


@called
def leave(state, j, now):
    """A job waits no longer."""
    job = state.jobs[PLACE(j)]
    queue = state.teams[PLACE(list_of(state, job))]
    if job.prev == NONE:
        queue.head = job.next
    else:
        state.jobs[PLACE(job.prev)].next = job.next
    if job.next == NONE:
        queue.tail = job.prev
    else:
        state.jobs[PLACE(job.next)].prev = job.prev
    job.queued_ns += now - job.since_ns
    state.cluster[0].waiting -= 1


@called
def use(state, t, change, now):
    """A team has so many GPUs more from now on. What it used is forgotten by half each half-life."""
    team, half_life_ns = state.teams[PLACE(t)], state.cluster[0].half_life_ns
    passed = float(now - team.counted_ns)
    if half_life_ns < math.inf:
        kept = math.exp(-math.log(2.0) * passed / half_life_ns)
        team.used = team.used * kept + team.gpus * (1.0 - kept) * half_life_ns / math.log(2.0)
    else:
        team.used += team.gpus * passed
    team.gpus += change
    team.counted_ns = now


@called
def head(state, now):
    """The job that is next, or NONE: with fair shares that of the team that used least for its share."""
    best, least = NONE, math.inf
    for t in range(state.teams.size):
        queue = state.teams[PLACE(t)]
        if queue.head != NONE:
            use(state, t, 0, now)
            if queue.used / queue.share < least:
                best, least = queue.head, queue.used / queue.share
    return best
