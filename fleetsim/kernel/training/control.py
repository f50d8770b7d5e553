"""What control does to a fleet between two calls of `advance`: GPUs come, go, are maintained, lent or lost.

Control acts at the time that the fleet has reached.
"""

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import called, compiled, compiled_entry
from fleetsim.kernel.training.account import pass_time, saved_by, settle
from fleetsim.kernel.training.arrays import HAZARDS, MAINTENANCE, NONE, PREEMPTED, YIELDING
from fleetsim.kernel.training.counts import drawn_lemons, give, nodes_of, pay
from fleetsim.kernel.training.failures import take_out, who
from fleetsim.kernel.training.gang import close, preempt, queue_again
from fleetsim.kernel.training.hazard import await_next
from fleetsim.kernel.uniforms import uniform


@compiled_entry
def begin(state):
    """Draw the first failures."""
    for h in range(HAZARDS):
        await_next(state.hazards[PLACE(h)], 0)


@compiled_entry
def bring(state, gpus, lemons):
    """GPUs join the fleet, some of their nodes lemons."""
    give(state, gpus, lemons)


@compiled_entry
def withdraw(state, gpus, into):
    """GPUs are to go for maintenance or as a loan, one of these two states.

    Idle ones and spares go at once; for the rest jobs write a checkpoint and are preempted, the least
    important first and of these the one that started last.
    """
    cluster = state.cluster[0]
    now = cluster.now_ns
    if into == MAINTENANCE:
        cluster.owed_maintenance += gpus
    else:
        cluster.owed_lent += gpus
    pay(state)
    from_spare = min(cluster.spare, owed(cluster))
    if from_spare > 0:
        lemons = drawn_lemons(state, cluster.spare_lemons, nodes_of(state, cluster.spare),
                              nodes_of(state, from_spare))
        cluster.spare -= from_spare
        cluster.spare_lemons -= lemons
        cluster.idle += from_spare
        cluster.idle_lemons += lemons
        pay(state)
    while cluster.yielding < owed(cluster) and cluster.yielding < cluster.running_gpus:
        preempt(state, least_important_of_all(state), now, 1)


@compiled_entry
def force(state, but):
    """What is owed goes now, but for so many GPUs: jobs that write a checkpoint for it stop writing."""
    cluster = state.cluster[0]
    while owed(cluster) > but and cluster.running_gpus > 0:
        j = least_important_of_all(state) if cluster.yielding == 0 else one_that_yields(state)
        now = cluster.now_ns
        close(state, j, now, saved_by(state.jobs[PLACE(j)], now))
        queue_again(state, j, now, PREEMPTED)


@compiled
def owed(cluster):
    """GPUs that are still to go."""
    return cluster.owed_lent + cluster.owed_maintenance


@called
def least_important_of_all(state):
    """The job that goes first, preemptible or not; NONE when all that hold GPUs are going."""
    found = NONE
    for k in range(state.cluster[0].active):
        j = state.active[PLACE(k)]
        job = state.jobs[PLACE(j)]
        if job.phase != YIELDING and job.held > 0:
            if found == NONE:
                found = j
            else:
                worst = state.jobs[PLACE(found)]
                if ((job.preemptible, job.priority, job.last_start_ns, j)
                        > (worst.preemptible, worst.priority, worst.last_start_ns, found)):
                    found = j
    return found


@called
def one_that_yields(state):
    """The job on its way out whose checkpoint would be done last."""
    found, last = NONE, -NEVER
    for k in range(state.cluster[0].active):
        j = state.active[PLACE(k)]
        if state.jobs[PLACE(j)].phase == YIELDING and state.times[PLACE(j)] > last:
            found, last = j, state.times[PLACE(j)]
    return found


@compiled_entry
def put_back(state, gpus, out_of):
    """GPUs come back from maintenance or from a loan; what had not gone yet need not go."""
    cluster = state.cluster[0]
    if out_of == MAINTENANCE:
        spared = min(gpus, cluster.owed_maintenance)
        cluster.owed_maintenance -= spared
        gpus = min(gpus - spared, cluster.maintenance)
        lemons = drawn_lemons(state, cluster.maintenance_lemons, nodes_of(state, cluster.maintenance),
                              nodes_of(state, gpus))
        cluster.maintenance -= gpus
        cluster.maintenance_lemons -= lemons
    else:
        spared = min(gpus, cluster.owed_lent)
        cluster.owed_lent -= spared
        gpus = min(gpus - spared, cluster.lent)
        lemons = drawn_lemons(state, cluster.lent_lemons, nodes_of(state, cluster.lent),
                              nodes_of(state, gpus))
        cluster.lent -= gpus
        cluster.lent_lemons -= lemons
    give(state, gpus, lemons)


@compiled_entry
def retire(state, gpus):
    """GPUs leave the fleet: those in maintenance, then those that are down."""
    cluster = state.cluster[0]
    cluster.owed_maintenance = 0
    maintained = min(gpus, cluster.maintenance)
    lemons = drawn_lemons(state, cluster.maintenance_lemons, nodes_of(state, cluster.maintenance),
                          nodes_of(state, maintained))
    cluster.maintenance -= maintained
    cluster.maintenance_lemons -= lemons
    gpus -= maintained
    lemons = drawn_lemons(state, cluster.down_lemons, nodes_of(state, cluster.down), nodes_of(state, gpus))
    cluster.down -= gpus
    cluster.down_lemons -= lemons
    cluster.domain_gpus_down = min(cluster.domain_gpus_down, cluster.down)
    cluster.outage = min(cluster.outage, cluster.down - cluster.domain_gpus_down)


@compiled_entry
def break_down(state, gpus):
    """An outage takes GPUs at once, whoever has them; how many there were to take."""
    cluster = state.cluster[0]
    left = min(gpus, cluster.idle + cluster.spare + cluster.running_gpus)
    taken = left
    while left > 0:
        u = uniform(cluster.seed, cluster.drawn)
        cluster.drawn += PLACE(1)
        left -= take_out(state, who(state, u, 0.0), left, -1.0, cluster.now_ns)
    cluster.outage += taken
    return taken


@compiled_entry
def end_outage(state, gpus):
    """They come back, as far as they have not left the fleet meanwhile."""
    cluster = state.cluster[0]
    gpus = min(gpus, cluster.outage)
    lemons = drawn_lemons(state, cluster.down_lemons, nodes_of(state, cluster.down), nodes_of(state, gpus))
    cluster.outage -= gpus
    cluster.down -= gpus
    cluster.down_lemons -= lemons
    give(state, gpus, lemons)


@compiled_entry
def settle_all(state):
    """At the end: book what runs up to now, its work as work that counts."""
    pass_time(state, state.cluster[0].now_ns)
    for k in range(state.cluster[0].active):
        settle(state, state.active[PLACE(k)], state.cluster[0].now_ns, NEVER)
