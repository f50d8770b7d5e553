"""The training kernel: moves every job of a fleet on to a point in time.

Ties at one nanosecond: what jobs do by themselves, by number; failures and repairs; submissions. Then
what is free is given out.
"""

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import compiled, compiled_entry
from fleetsim.kernel.min_tree import first_least, least
from fleetsim.kernel.training.account import pass_time
from fleetsim.kernel.training.arrays import (
    DETECTING,
    DOMAIN_FAILURE,
    HAZARDS,
    NODE_FAILURE,
    NONE,
    REPAIR,
    RUNNING,
    SOFTWARE_FAILURE,
    STARTING,
    SUBMITTED,
)
from fleetsim.kernel.training.failures import (
    domain_fails,
    domain_is_repaired,
    node_fails,
    node_is_repaired,
    software_fails,
    tune_all,
)
from fleetsim.kernel.training.gang import detected, finish, started, yielded
from fleetsim.kernel.training.hazard import await_next
from fleetsim.kernel.training.log import note
from fleetsim.kernel.training.queue import join
from fleetsim.kernel.training.schedule import schedule

THERE, LOG_FULL = 0, 1
"""Why `advance` came back: it is there, or rows of `log` run out."""


@compiled_entry
def advance(state, until_ns):
    """Move on to `until_ns`, events at that time included, or until there is no room to write them down."""
    cluster = state.cluster[0]
    while True:
        settle_changes(state, cluster.now_ns)
        if max(cluster.logged, cluster.spanned) + rows_of_an_event(cluster) > state.log.size:
            return LOG_FULL
        job_ns, submit_ns, strike_ns, what = least(state.times, state.tree), NEVER, NEVER, 0
        if cluster.next_job < state.jobs.size:
            submit_ns = state.jobs[PLACE(cluster.next_job)].submit_ns
        for h in range(HAZARDS):
            if state.hazards[PLACE(h)].next_ns < strike_ns:
                strike_ns, what = state.hazards[PLACE(h)].next_ns, h
        now = min(job_ns, min(submit_ns, strike_ns))
        if now > until_ns:
            break
        cluster.now_ns = now
        pass_time(state, now)
        if job_ns <= now:
            go_on(state, first_least(state.times, state.tree, job_ns), now)
        elif strike_ns <= now:
            strike(state, what, now)
        else:
            j = cluster.next_job
            cluster.next_job += 1
            note(state, SUBMITTED, j, state.jobs[PLACE(j)].gpus, NONE, now)
            join(state, j, now)
    cluster.now_ns = until_ns
    pass_time(state, until_ns)
    return THERE


@compiled
def rows_of_an_event(cluster):
    """The most rows of log and of spans that one event may write."""
    return 2 * cluster.waiting + 4 * cluster.active + 64


@compiled
def settle_changes(state, now):
    """After a change: what is free is given out, and the rates of failures and repairs follow."""
    if state.cluster[0].look == 1:
        schedule(state, now)
    tune_all(state, now)


@compiled
def go_on(state, j, now):
    """A job comes to the end of its phase."""
    phase = state.jobs[PLACE(j)].phase
    if phase == RUNNING:
        finish(state, j, now)
    elif phase == DETECTING:
        detected(state, j, now)
    elif phase == STARTING:
        started(state, j, now)
    else:
        yielded(state, j, now)


@compiled
def strike(state, what, now):
    """A failure or a repair happens, and the next one of its kind is drawn."""
    if what == NODE_FAILURE:
        node_fails(state, now)
    elif what == SOFTWARE_FAILURE:
        software_fails(state, now)
    elif what == DOMAIN_FAILURE:
        domain_fails(state, now)
    elif what == REPAIR:
        node_is_repaired(state, now)
    else:
        domain_is_repaired(state, now)
    hazard = state.hazards[PLACE(what)]
    hazard.drawn += PLACE(1)
    await_next(hazard, now)
