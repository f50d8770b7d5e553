"""What hits whom: nodes, software and domains fail, and repairs bring GPUs back."""

from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.compiler import called, compiled
from fleetsim.kernel.training.arrays import (
    DOMAIN_FAILED,
    DOMAIN_FAILURE,
    DOMAIN_REPAIR,
    DOMAIN_REPAIRED,
    NODE_FAILED,
    NODE_FAILURE,
    NONE,
    REPAIR,
    REPAIRED,
    SOFTWARE_FAILED,
    SOFTWARE_FAILURE,
)
from fleetsim.kernel.training.counts import drawn_lemons, give, nodes_of
from fleetsim.kernel.training.gang import lose
from fleetsim.kernel.training.hazard import draw, tune
from fleetsim.kernel.training.log import note
from fleetsim.kernel.uniforms import uniform

ON_IDLE, ON_SPARE = -1, -2
"""Who is hit, where it is no job."""
VICTIM, CAUSE, LEMON = 1, 2, 3
"""Draws of a failure."""


@compiled
def tune_all(state, now):
    """Rates of failures and repairs as the fleet is now."""
    cluster, hazards = state.cluster[0], state.hazards
    there = float(cluster.idle + cluster.spare + cluster.running_gpus)
    lemons = cluster.idle_lemons + cluster.spare_lemons + cluster.job_lemons
    weight = there + lemons * (cluster.lemon_factor - 1.0) * cluster.node_gpus
    tune(hazards[NODE_FAILURE], weight * cluster.failure_per_gpu_ns, now)
    tune(hazards[SOFTWARE_FAILURE], max(0.0, cluster.software_rate), now)
    tune(hazards[DOMAIN_FAILURE], there * cluster.domain_failure_per_gpu_ns, now)
    in_repair = min(nodes_of(state, cluster.down - cluster.domain_gpus_down - cluster.outage), cluster.crews)
    if cluster.repair_ns > 0.0:
        tune(hazards[REPAIR], in_repair / cluster.repair_ns, now)
    if cluster.domain_repair_ns > 0.0:
        tune(hazards[DOMAIN_REPAIR], cluster.domains_down / cluster.domain_repair_ns, now)


@called
def who(state, place, by_lemons):
    """Whose GPU is at `place` in [0, 1) of all that are in service: a job, or idle, or a spare.

    Lemons weigh more where `by_lemons` is set.
    """
    cluster = state.cluster[0]
    extra = (cluster.lemon_factor - 1.0) * cluster.node_gpus * by_lemons
    lemons = cluster.idle_lemons + cluster.spare_lemons + cluster.job_lemons
    at = place * (float(cluster.idle + cluster.spare + cluster.running_gpus) + extra * lemons)
    at -= cluster.idle + extra * cluster.idle_lemons
    if at < 0.0:
        return ON_IDLE
    at -= cluster.spare + extra * cluster.spare_lemons
    if at < 0.0:
        return ON_SPARE
    last = NONE
    for k in range(cluster.active):
        job = state.jobs[PLACE(state.active[PLACE(k)])]
        if job.held > 0:
            last = state.active[PLACE(k)]
            at -= job.held + extra * job.lemons
            if at < 0.0:
                return last
    if last >= 0:
        return last  # rounding
    return ON_SPARE if cluster.spare > 0 else ON_IDLE


@compiled
def share_of_lemons(cluster, gpus, lemons):
    """The chance that what failed among these GPUs is a lemon."""
    weight = lemons * cluster.lemon_factor * cluster.node_gpus
    ordinary = max(0.0, float(gpus - lemons * cluster.node_gpus))
    return weight / (weight + ordinary) if lemons > 0 else 0.0


@called
def take_out(state, victim, gpus, lemon_u, now):
    """Up to so many GPUs of one victim are down; how many."""
    cluster = state.cluster[0]
    if victim == ON_IDLE:
        gpus = min(gpus, cluster.idle)
        lemons = lemons_hit(state, cluster.idle, cluster.idle_lemons, gpus, lemon_u)
        cluster.idle -= gpus
        cluster.idle_lemons -= lemons
    elif victim == ON_SPARE:
        gpus = min(gpus, cluster.spare)
        lemons = lemons_hit(state, cluster.spare, cluster.spare_lemons, gpus, lemon_u)
        cluster.spare -= gpus
        cluster.spare_lemons -= lemons
    else:
        job = state.jobs[PLACE(victim)]
        gpus = min(gpus, job.held)
        lemons = lemons_hit(state, job.held, job.lemons, gpus, lemon_u)
        lose(state, victim, gpus, lemons, now)
    cluster.down += gpus
    cluster.down_lemons += lemons
    return gpus


@compiled
def lemons_hit(state, there, lemons, gpus, lemon_u):
    """Lemons among the GPUs that go down: one node by its rate, several nodes by chance."""
    cluster = state.cluster[0]
    if gpus <= cluster.node_gpus and lemon_u >= 0.0:
        return int(lemon_u < share_of_lemons(cluster, there, lemons))
    return drawn_lemons(state, lemons, nodes_of(state, there), nodes_of(state, gpus))


@called
def node_fails(state, now):
    """A node goes out, with every job on it; or only a job goes down, if that is the cause."""
    cluster, hazard = state.cluster[0], state.hazards[NODE_FAILURE]
    cause, u = 0, draw(hazard, CAUSE)
    while cause < state.causes.size - 1 and u >= state.causes[PLACE(cause)]:
        u -= state.causes[PLACE(cause)]
        cause += 1
    victim = who(state, draw(hazard, VICTIM), 1.0)
    if cause >= cluster.node_causes:
        note(state, SOFTWARE_FAILED, max(victim, NONE), 0, cause, now)
        if victim >= 0:
            lose(state, victim, 0, 0, now)
        return
    note(state, NODE_FAILED, max(victim, NONE), cluster.node_gpus, cause, now)
    out = take_out(state, victim, cluster.node_gpus, draw(hazard, LEMON), now)
    share_node(state, hazard, cluster.node_gpus - out, now)
    if cluster.repair_ns == 0.0:
        node_is_repaired(state, now)
        state.hazards[REPAIR].drawn += PLACE(1)


@called
def share_node(state, hazard, gpus, now):
    """A victim smaller than what fails shares it with others, who are hit, too."""
    cluster = state.cluster[0]
    extra = PLACE(0)
    while gpus > 0 and cluster.idle + cluster.spare + cluster.running_gpus > 0:
        extra += PLACE(1)
        u = uniform(hazard.seed ^ cluster.seed, hazard.drawn * PLACE(4_096) + extra)
        gpus -= take_out(state, who(state, u, 0.0), gpus, -1.0, now)


@called
def domain_fails(state, now):
    """A switch or a power feed goes out, with all nodes behind it."""
    cluster, hazard = state.cluster[0], state.hazards[DOMAIN_FAILURE]
    there = cluster.idle + cluster.spare + cluster.running_gpus
    gpus = min(cluster.domain_gpus, there)
    victim = who(state, draw(hazard, VICTIM), 0.0)
    note(state, DOMAIN_FAILED, max(victim, NONE), gpus, NONE, now)
    out = take_out(state, victim, gpus, -1.0, now)
    share_node(state, hazard, gpus - out, now)
    cluster.domains_down += 1
    cluster.domain_gpus_down += gpus
    if cluster.domain_repair_ns == 0.0:
        domain_is_repaired(state, now)


@called
def software_fails(state, now):
    """A job crashes; its nodes stay."""
    hazard = state.hazards[SOFTWARE_FAILURE]
    at = draw(hazard, VICTIM) * state.cluster[0].software_rate
    hit = NONE
    for k in range(state.cluster[0].active):
        j = state.active[PLACE(k)]
        rate = state.jobs[PLACE(j)].software_per_gpu_ns * state.jobs[PLACE(j)].gpus
        if rate > 0.0 and at >= 0.0:
            hit = j
            at -= rate
    if hit != NONE:
        note(state, SOFTWARE_FAILED, hit, 0, NONE, now)
        lose(state, hit, 0, 0, now)


@called
def node_is_repaired(state, now):
    """A node comes back; a lemon that was found out comes back as another node."""
    cluster, hazard = state.cluster[0], state.hazards[REPAIR]
    down = cluster.down - cluster.domain_gpus_down - cluster.outage
    gpus = min(cluster.node_gpus, down)
    lemons = int(draw(hazard, VICTIM) * nodes_of(state, cluster.down) < cluster.down_lemons)
    cluster.down -= gpus
    cluster.down_lemons -= lemons
    note(state, REPAIRED, NONE, gpus, NONE, now)
    if lemons > 0 and draw(hazard, LEMON) < cluster.lemon_found_prob:
        lemons = 0
    give(state, gpus, lemons)


@called
def domain_is_repaired(state, now):
    """All behind a switch or a power feed come back."""
    cluster = state.cluster[0]
    gpus = cluster.domain_gpus_down // cluster.domains_down
    lemons = drawn_lemons(state, cluster.down_lemons, nodes_of(state, cluster.down), nodes_of(state, gpus))
    cluster.domains_down -= 1
    cluster.domain_gpus_down -= gpus
    cluster.down -= gpus
    cluster.down_lemons -= lemons
    note(state, DOMAIN_REPAIRED, NONE, gpus, NONE, now)
    give(state, gpus, lemons)
