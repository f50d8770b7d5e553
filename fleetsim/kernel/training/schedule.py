"""Who gets GPUs that are free: incomplete gangs, then the queue in its order, then whoever fits in between.

EASY backfill (Lifka, The ANL/IBM SP scheduling system, 1995): a job may pass the first of the queue if it
does not delay it, as far as the ends of the running jobs are known without failures.
"""

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import called, compiled
from fleetsim.kernel.training.arrays import DETECTING, NONE, RUNNING, SHORT, YIELDING
from fleetsim.kernel.training.gang import complete, preempt, start
from fleetsim.kernel.training.progress import run_ns
from fleetsim.kernel.training.queue import head


@called
def schedule(state, now):
    """Give out what is free."""
    cluster = state.cluster[0]
    while cluster.look == 1:
        cluster.look = 0
        complete_gangs(state, now)
        while cluster.waiting > 0:
            first = head(state, now)
            job = state.jobs[PLACE(first)]
            if just_left(cluster, job, now):
                break
            if job.gpus <= cluster.idle:
                start(state, first, now)
                continue
            if cluster.preempt == 1:
                make_room(state, job.gpus, 0, job.priority, now)
                if job.gpus <= cluster.idle:
                    start(state, first, now)
                    continue
            if cluster.backfill == 1 and cluster.idle > 0 and cluster.waiting > 1:
                backfill(state, first, now)
            break


@compiled
def just_left(cluster, job, now):
    """Whether it made room for another that waits for more: it would have to leave again at once."""
    return job.left_ns == now and cluster.yielding > 0


@called
def complete_gangs(state, now):
    """Jobs that wait for a member get it: the most important first, and of these the first submitted."""
    cluster = state.cluster[0]
    while cluster.short > 0:
        j = most_important_short(state)
        job = state.jobs[PLACE(j)]
        if complete(state, j, now):
            continue
        if cluster.preempt == 1:
            make_room(state, job.gpus - job.held, 1, job.priority, now)
            if complete(state, j, now):
                continue
        break


@compiled
def most_important_short(state):
    """The incomplete gang that is served first."""
    found = NONE
    for k in range(state.cluster[0].active):
        j = state.active[PLACE(k)]
        job = state.jobs[PLACE(j)]
        if job.phase == SHORT:
            best = job.priority if found == NONE else state.jobs[PLACE(found)].priority
            if found == NONE or job.priority < best or (job.priority == best and j < found):
                found = j
    return found


@called
def make_room(state, gpus, to_gang, priority, now):
    """Preempt jobs of lower priority until so many GPUs are free or on their way; none if that is not enough.

    The least important goes first, and of these the one that started last.
    """
    cluster = state.cluster[0]
    below = 0
    for k in range(cluster.active):
        job = state.jobs[PLACE(state.active[PLACE(k)])]
        if may_go(job, priority):
            below += job.held
    if missing_for(cluster, gpus, to_gang) > below:
        return
    while missing_for(cluster, gpus, to_gang) > 0:
        preempt(state, least_important(state, priority), now, cluster.yields)


@compiled
def missing_for(cluster, gpus, to_gang):
    """What is not free or on its way. What is owed comes before, and the spares, which a gang may have."""
    missing = gpus + cluster.owed_lent + cluster.owed_maintenance
    missing -= cluster.idle + cluster.yielding
    if to_gang == 1:
        return missing - cluster.spare
    return missing + max(0, cluster.spare_gpus - cluster.spare)


@compiled
def may_go(job, priority):
    """Whether a job may be preempted for one of this priority."""
    return job.preemptible == 1 and job.priority > priority and job.phase != YIELDING and job.held > 0


@compiled
def least_important(state, priority):
    """The job that is preempted first for one of this priority."""
    found = NONE
    for k in range(state.cluster[0].active):
        j = state.active[PLACE(k)]
        job = state.jobs[PLACE(j)]
        if may_go(job, priority):
            if found == NONE:
                found = j
            else:
                worst = state.jobs[PLACE(found)]
                if (job.priority, job.last_start_ns, j) > (worst.priority, worst.last_start_ns, found):
                    found = j
    return found


@compiled
def expected_end_ns(state, j, now):
    """When a job gives its GPUs back if nothing fails."""
    job = state.jobs[PLACE(j)]
    if job.phase == RUNNING or job.phase == YIELDING:
        return state.times[PLACE(j)]
    if job.phase == SHORT:
        return NEVER
    restart_ns = job.restart_ns if job.phase == DETECTING else 0
    return state.times[PLACE(j)] + restart_ns + run_ns(job)


@called
def sort_ends(state, now):
    """The running jobs' expected ends in order, with their GPUs; how many. By insertion into gaps (Shell)."""
    count, ends = state.cluster[0].active, state.ends
    for k in range(count):
        j = state.active[PLACE(k)]
        ends[PLACE(k), 0], ends[PLACE(k), 1] = expected_end_ns(state, j, now), state.jobs[PLACE(j)].held
    gap = 1
    while gap < count // 3:
        gap = 3 * gap + 1
    while gap > 0:
        for k in range(gap, count):
            end, gpus = ends[PLACE(k), 0], ends[PLACE(k), 1]
            at = k
            while at >= gap and ends[PLACE(at - gap), 0] > end:
                ends[PLACE(at), 0], ends[PLACE(at), 1] = ends[PLACE(at - gap), 0], ends[PLACE(at - gap), 1]
                at -= gap
            ends[PLACE(at), 0], ends[PLACE(at), 1] = end, gpus
        gap //= 3
    return count


@called
def backfill(state, first, now):
    """Start those behind the first that end before it can start, or use only what it leaves then."""
    cluster = state.cluster[0]
    wanted = state.jobs[PLACE(first)].gpus
    count = sort_ends(state, now)
    free, start_ns, k = cluster.idle, NEVER, 0
    while k < count and free < wanted:
        start_ns = state.ends[PLACE(k), 0]
        free += state.ends[PLACE(k), 1]
        k += 1
    if free < wanted:
        start_ns = NEVER
    while k < count and state.ends[PLACE(k), 0] == start_ns:
        free += state.ends[PLACE(k), 1]
        k += 1
    extra = free - wanted
    for t in range(state.teams.size):
        j = state.teams[PLACE(t)].head
        while j != NONE and cluster.idle > 0:
            job = state.jobs[PLACE(j)]
            following = job.next
            if j != first and job.gpus <= cluster.idle and not just_left(cluster, job, now):
                starting_ns = job.restart_ns if job.started_ns != NONE else job.first_start_ns
                in_time = start_ns == NEVER or now + starting_ns + run_ns(job) <= start_ns
                if in_time or job.gpus <= extra:
                    if not in_time:
                        extra -= job.gpus
                    start(state, j, now)
            j = following
