"""GPUs that change hands: idle, spare, held by a gang. Lemons are drawn from where they are."""

from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.compiler import called, compiled
from fleetsim.kernel.training.queue import use
from fleetsim.kernel.uniforms import uniform


@called
def drawn_lemons(state, lemons, nodes, taken):
    """Lemons among `taken` nodes of `nodes`, of which `lemons` are: without replacement, one by one."""
    cluster = state.cluster[0]
    found = 0
    for k in range(lemons):
        # Each lemon is one of those taken with the chance that the lemons before it have left.
        u = uniform(cluster.seed, cluster.drawn)
        cluster.drawn += PLACE(1)
        found += u * (nodes - k) < taken - found
    return found


@compiled
def nodes_of(state, gpus):
    """Nodes that so many GPUs are on."""
    node_gpus = state.cluster[0].node_gpus
    return (gpus + node_gpus - 1) // node_gpus


@called
def hold(state, j, gpus, lemons, now):
    """A job has so many GPUs more, or fewer."""
    cluster, job = state.cluster[0], state.jobs[PLACE(j)]
    job.held += gpus
    job.lemons += lemons
    cluster.running_gpus += gpus
    cluster.job_lemons += lemons
    use(state, job.team, gpus, now)


@called
def take_idle(state, j, gpus, now):
    """A job gets idle GPUs."""
    hold(state, j, gpus, idle_lemons_in(state, gpus), now)


@called
def take_spare(state, j, gpus, now):
    """A job gets spares."""
    cluster = state.cluster[0]
    lemons = drawn_lemons(state, cluster.spare_lemons, nodes_of(state, cluster.spare), nodes_of(state, gpus))
    cluster.spare -= gpus
    cluster.spare_lemons -= lemons
    hold(state, j, gpus, lemons, now)


@called
def give(state, gpus, lemons):
    """GPUs that nobody holds: what is owed leaves, the spares are filled up, and the rest is idle."""
    cluster = state.cluster[0]
    cluster.idle += gpus
    cluster.idle_lemons += lemons
    pay(state)
    kept = min(cluster.idle, max(0, cluster.spare_gpus - cluster.spare))
    if kept > 0:
        with_them = idle_lemons_in(state, kept)
        cluster.spare += kept
        cluster.spare_lemons += with_them
    cluster.look = 1


@called
def pay(state):
    """Idle GPUs that are owed go: first those to lend, then those for maintenance."""
    cluster = state.cluster[0]
    lent = min(cluster.idle, cluster.owed_lent)
    if lent > 0:
        cluster.owed_lent -= lent
        lemons = idle_lemons_in(state, lent)
        cluster.lent += lent
        cluster.lent_lemons += lemons
    maintained = min(cluster.idle, cluster.owed_maintenance)
    if maintained > 0:
        cluster.owed_maintenance -= maintained
        lemons = idle_lemons_in(state, maintained)
        cluster.maintenance += maintained
        cluster.maintenance_lemons += lemons


@called
def idle_lemons_in(state, gpus):
    """Take so many GPUs from the idle ones; the lemons among them."""
    cluster = state.cluster[0]
    lemons = drawn_lemons(state, cluster.idle_lemons, nodes_of(state, cluster.idle), nodes_of(state, gpus))
    cluster.idle -= gpus
    cluster.idle_lemons -= lemons
    return lemons
