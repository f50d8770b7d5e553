"""A job with its gang: it starts, runs, loses a member, is made complete, and leaves."""

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import called
from fleetsim.kernel.min_tree import put
from fleetsim.kernel.training.account import saved_by, settle
from fleetsim.kernel.training.arrays import (
    DETECTING,
    DONE,
    FINISHED,
    NONE,
    PREEMPTED,
    REQUEUED,
    RESTARTED,
    RUNNING,
    SHORT,
    STARTED,
    STARTING,
    YIELDING,
)
from fleetsim.kernel.training.counts import give, hold, take_idle, take_spare
from fleetsim.kernel.training.log import note
from fleetsim.kernel.training.progress import run_ns, work_by
from fleetsim.kernel.training.queue import join, leave


@called
def enter(state, j, phase, now, next_ns):
    """A job is in a phase from now on, at least until `next_ns`."""
    cluster, job = state.cluster[0], state.jobs[PLACE(j)]
    cluster.short += (phase == SHORT) - (job.phase == SHORT)
    cluster.yielding += job.held * ((phase == YIELDING) - (job.phase == YIELDING))
    job.phase = phase
    job.since_ns = now
    put(state.times, state.tree, j, next_ns)


@called
def close(state, j, now, saved_ns):
    """Book the phase that ends; of the work of a run `saved_ns` counts."""
    settle(state, j, now, saved_ns)
    state.jobs[PLACE(j)].saved_ns += saved_ns


@called
def start(state, j, now):
    """A job that waited gets its gang, idle GPUs, and starts."""
    cluster, job = state.cluster[0], state.jobs[PLACE(j)]
    leave(state, j, now)
    take_idle(state, j, job.gpus, now)
    job.place = cluster.active
    state.active[PLACE(cluster.active)] = j
    cluster.active += 1
    cluster.software_rate += job.software_per_gpu_ns * job.gpus
    job.last_start_ns = now
    if job.started_ns == NONE:
        job.started_ns = now
        note(state, STARTED, j, job.gpus, NONE, now)
        set_out(state, j, now, job.first_start_ns)
    else:
        job.restarts += 1
        note(state, RESTARTED, j, job.gpus, NONE, now)
        set_out(state, j, now, job.restart_ns)


@called
def set_out(state, j, now, starting_ns):
    """The gang is complete: it loads its checkpoint, if that takes time, and runs."""
    if starting_ns > 0:
        enter(state, j, STARTING, now, now + starting_ns)
    else:
        enter(state, j, RUNNING, now, now + run_ns(state.jobs[PLACE(j)]))


@called
def started(state, j, now):
    """Its checkpoint is loaded, and it runs."""
    close(state, j, now, 0)
    enter(state, j, RUNNING, now, now + run_ns(state.jobs[PLACE(j)]))


@called
def release(state, j, now):
    """A job gives all its GPUs back and is no longer active."""
    cluster, job = state.cluster[0], state.jobs[PLACE(j)]
    gpus, lemons = job.held, job.lemons
    hold(state, j, -gpus, -lemons, now)
    give(state, gpus, lemons)
    cluster.active -= 1
    last = state.active[PLACE(cluster.active)]
    state.active[PLACE(job.place)] = last
    state.jobs[PLACE(last)].place = job.place
    cluster.software_rate -= job.software_per_gpu_ns * job.gpus
    if cluster.active == 0:
        cluster.software_rate = 0.0  # no rounding is left


@called
def finish(state, j, now):
    """All its work is done and saved."""
    job = state.jobs[PLACE(j)]
    close(state, j, now, job.work_ns - job.saved_ns)
    note(state, FINISHED, j, job.gpus, NONE, now)
    enter(state, j, DONE, now, NEVER)
    release(state, j, now)
    job.ended_ns = now


@called
def queue_again(state, j, now, kind):
    """A job whose phase is booked gives its GPUs back and waits for others."""
    note(state, kind, j, state.jobs[PLACE(j)].held, NONE, now)
    enter(state, j, DONE, now, NEVER)
    release(state, j, now)
    state.jobs[PLACE(j)].left_ns = now
    join(state, j, now)


@called
def preempt(state, j, now, yields):
    """A job leaves for another: as soon as it has written a checkpoint, or at once with what is saved."""
    job = state.jobs[PLACE(j)]
    job.preemptions += 1
    save_ns = job.write_ns + job.drain_ns
    if yields == 0 or job.phase != RUNNING:
        close(state, j, now, saved_by(job, now))
        queue_again(state, j, now, PREEMPTED)
    elif save_ns == 0:
        close(state, j, now, work_by(job, now - job.since_ns))
        queue_again(state, j, now, PREEMPTED)
    else:
        since = job.since_ns
        enter(state, j, YIELDING, since, now + save_ns)
        job.yield_ns = now


@called
def yielded(state, j, now):
    """Its checkpoint is durable, and it leaves."""
    job = state.jobs[PLACE(j)]
    close(state, j, now, work_by(job, job.yield_ns - job.since_ns))
    queue_again(state, j, now, PREEMPTED)


@called
def lose(state, j, gpus, lemons, now):
    """A failure stops a job, and takes so many of its GPUs out.

    A gang that waits for a member goes on waiting; one that was to leave leaves with what is saved.
    """
    job = state.jobs[PLACE(j)]
    job.failures += 1
    phase = job.phase
    close(state, j, now, saved_by(job, now))
    if phase == YIELDING:
        state.cluster[0].yielding -= gpus
    hold(state, j, -gpus, -lemons, now)
    if phase == YIELDING:
        queue_again(state, j, now, PREEMPTED)
    elif phase != SHORT:
        enter(state, j, DETECTING, now, now + job.detect_ns)


@called
def complete(state, j, now):
    """Spares first, then idle GPUs, take the place of what a gang lost; whether it starts again."""
    cluster, job = state.cluster[0], state.jobs[PLACE(j)]
    missing = job.gpus - job.held
    if cluster.spare + cluster.idle < missing:
        return False
    close(state, j, now, 0)
    from_spare = min(missing, cluster.spare)
    if from_spare > 0:
        take_spare(state, j, from_spare, now)
    if missing > from_spare:
        take_idle(state, j, missing - from_spare, now)
    job.restarts += 1
    note(state, RESTARTED, j, job.gpus, NONE, now)
    starting_ns = job.restart_ns
    if missing > 0:
        starting_ns += cluster.replace_ns
    set_out(state, j, now, starting_ns)
    return True


@called
def detected(state, j, now):
    """The failure is known: the gang is made complete, or waits for a member, or queues again."""
    job = state.jobs[PLACE(j)]
    if complete(state, j, now):
        return
    close(state, j, now, 0)
    if job.waits == 1:
        enter(state, j, SHORT, now, NEVER)
        state.cluster[0].look = 1
    else:
        queue_again(state, j, now, REQUEUED)
