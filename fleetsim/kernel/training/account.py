"""Where GPU time goes: to a state of an hour, and of the job that held the GPUs."""

from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.compiler import called, compiled
from fleetsim.kernel.training.arrays import (
    BLOCKED,
    CHECKPOINTING,
    DOWN,
    IDLE,
    LENT,
    LOST,
    MAINTENANCE,
    PRODUCTIVE,
    RESTARTING,
    RUNNING,
    SHORT,
    SPARE,
    YIELDING,
)
from fleetsim.kernel.training.progress import work_by, written_by

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS


@compiled
def add_to_job(state, j, kind, ns, gpus):
    """GPU time of a job as seconds and the ns beyond them: GPU-ns of a large run do not fit 64 bits."""
    seconds, rest = ns // SECOND_NS, ns % SECOND_NS
    rest = state.job_ns[PLACE(j), PLACE(kind)] + gpus * rest
    state.job_s[PLACE(j), PLACE(kind)] += gpus * seconds + rest // SECOND_NS
    state.job_ns[PLACE(j), PLACE(kind)] = rest % SECOND_NS


@called
def book(state, kind, from_ns, to_ns, gpus):
    """GPUs were in one state from one time to another."""
    while gpus > 0 and from_ns < to_ns:
        hour = from_ns // HOUR_NS
        end_ns = min(to_ns, (hour + 1) * HOUR_NS)
        state.hours[PLACE(hour), PLACE(kind)] += gpus * (end_ns - from_ns)
        from_ns = end_ns


@called
def pass_time(state, now):
    """Count the GPUs that no job holds up to now."""
    cluster = state.cluster[0]
    since = cluster.counted_ns
    if since < now:
        book(state, IDLE, since, now, cluster.idle)
        book(state, SPARE, since, now, cluster.spare)
        book(state, DOWN, since, now, cluster.down)
        book(state, MAINTENANCE, since, now, cluster.maintenance)
        book(state, LENT, since, now, cluster.lent)
        cluster.counted_ns = now


@called
def settle(state, j, now, saved_ns):
    """Book the GPU time of a job's phase up to now, of a run with `saved_ns` of work that counts."""
    job = state.jobs[PLACE(j)]
    kind, since = RESTARTING, job.since_ns
    if job.held > 0 and since < now:
        cluster = state.cluster[0]
        row = state.spans[PLACE(cluster.spanned)]
        cluster.spanned += 1
        row.job, row.from_ns, row.to_ns, row.gpus = j, since, now, job.held
    if job.phase == RUNNING:
        settle_run(state, j, now, saved_ns)
        since = now
    elif job.phase == YIELDING:
        settle_run(state, j, job.yield_ns, saved_ns)
        kind, since = CHECKPOINTING, job.yield_ns
    elif job.phase == SHORT:
        kind = BLOCKED
    book(state, kind, since, now, job.held)
    add_to_job(state, j, kind, now - since, job.held)
    job.since_ns = now


@called
def settle_run(state, j, end_ns, saved_ns):
    """The same for a run up to `end_ns`: hour by hour work that counts, work that is lost, checkpoints."""
    job = state.jobs[PLACE(j)]
    since, held = job.since_ns, job.held
    before, at = 0, since
    while at < end_ns:
        hour = PLACE(at // HOUR_NS)
        until = min(end_ns, (at // HOUR_NS + 1) * HOUR_NS)
        work = work_by(job, until - since)
        good = min(work, saved_ns) - min(before, saved_ns)
        state.hours[hour, PLACE(PRODUCTIVE)] += held * good
        state.hours[hour, PLACE(LOST)] += held * (work - before - good)
        state.hours[hour, PLACE(CHECKPOINTING)] += held * (until - at - (work - before))
        before, at = work, until
    good = min(before, saved_ns)
    add_to_job(state, j, PRODUCTIVE, good, held)
    add_to_job(state, j, LOST, before - good, held)
    add_to_job(state, j, CHECKPOINTING, end_ns - since - before, held)


@compiled
def saved_by(job, now):
    """Work of a run that is in a durable checkpoint, whatever happens next."""
    if job.phase == RUNNING:
        return written_by(job, now - job.drain_ns - job.since_ns)
    if job.phase == YIELDING:
        return written_by(job, min(now - job.drain_ns, job.yield_ns) - job.since_ns)
    return 0
