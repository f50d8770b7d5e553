"""Serving: one step of one pool, from who comes to whose work is done on which GPUs."""

import math

from fleetsim.kernel.admission import arrive, degrade, effective_cost, lose, shed
from fleetsim.kernel.arrays import ONE, PLACE
from fleetsim.kernel.compiler import compiled
from fleetsim.kernel.formulas import drain_queue, total
from fleetsim.kernel.loads import note_loads
from fleetsim.kernel.routing import route
from fleetsim.kernel.waits import note_waits


@compiled
def serve_pool(things, inputs, hourly, p, n, hour):
    """One step of one pool: who comes, who is turned away, who is served."""
    pool = things.pools[p]
    row = PLACE(n - inputs.first_step)
    for i in range(pool.first_class, pool.last_class):
        arrive(things, inputs, things.pool_class[i], row)
    measure_offered(things, pool)
    measure_required(things, inputs, pool, row)
    if pool.degrade_above_load_frac < math.inf:
        degrade(things, pool)
    if pool.shed_above_load_frac < math.inf:
        shed(things, pool)
    for k in range(pool.first_share, pool.last_share):
        share = things.shares[things.pool_share[k]]
        share.room = share.allocated * things.step_s
    begin = pool.first_class
    while begin < pool.last_class:  # one group of equal priority after the other
        priority = things.classes[things.pool_class[begin]].priority
        end = begin + ONE
        while end < pool.last_class and things.classes[things.pool_class[end]].priority == priority:
            end += ONE
        serve_group(things, inputs, hourly, pool, begin, end, n, hour)
        begin = end
    if things.load_points.size > 0:
        note_loads(things, hourly, pool, hour)
    lead = things.pool_share[pool.first_share]
    backlog = 0.0
    for i in range(pool.first_class, pool.last_class):
        c = things.pool_class[i]
        backlog += things.classes[c].queued * effective_cost(things, c, lead)
    pool.backlog_gpu_s = backlog


@compiled
def measure_offered(things, pool):
    """Record the offered work by the fleet it is routed to, and the pool's load."""
    lead = things.shares[things.pool_share[pool.first_share]]
    capacity = 0.0
    for k in range(pool.first_share, pool.last_share):
        s = things.pool_share[k]
        share = things.shares[s]
        work = 0.0
        for i in range(pool.first_class, pool.last_class):
            c = things.pool_class[i]
            work += things.classes[c].offered * things.cost_gpu_s[c, s]
        share.work = work
        share.cap = share.capacity * things.step_s
        if work > 0:
            share.worth = lead.work / work
        capacity += share.cap * share.worth
    lead.load_offered_gpu_s += lead.work
    lead.load_capacity_gpu_s += capacity
    pool.seen_gpu_s += lead.work
    route(things, pool, True)
    for k in range(pool.first_share, pool.last_share):
        share = things.shares[things.pool_share[k]]
        offered = share.part * share.work
        share.offered_gpu_s += offered
        share.seen_offered_gpu_s += offered


@compiled
def measure_required(things, inputs, pool, row):
    """Record the GPUs required for the expected first attempts, routed by expected capacity."""
    lead = things.shares[things.pool_share[pool.first_share]]
    capacity = 0.0
    for k in range(pool.first_share, pool.last_share):
        s = things.pool_share[k]
        share = things.shares[s]
        work = 0.0
        for i in range(pool.first_class, pool.last_class):
            c = things.pool_class[i]
            work += inputs.expected_per_s[row, c] * things.step_s * things.cost_gpu_s[c, s]
        share.work = work
        share.cap = share.rented * share.availability_frac * things.step_s
        capacity += share.cap * (lead.work / work if work > 0 else share.worth)
    lead.load_required_gpu_s += lead.work / (pool.target_load_frac * lead.availability_frac)
    lead.load_rented_gpu_s += capacity / lead.availability_frac
    route(things, pool, True)
    for k in range(pool.first_share, pool.last_share):
        share = things.shares[things.pool_share[k]]
        share.required_gpu_s += (share.part * share.work
                                 / (pool.target_load_frac * share.availability_frac))


@compiled
def serve_group(things, inputs, hourly, pool, begin, end, n, hour):
    """Serve classes of equal priority with what is left, in proportion to their demand."""
    times = 0.0  # how often the group's demand could be served
    for k in range(pool.first_share, pool.last_share):
        s = things.pool_share[k]
        share = things.shares[s]
        work = 0.0
        for i in range(begin, end):
            c = things.pool_class[i]
            demand = things.classes[c].queued + things.classes[c].admitted
            work += demand * effective_cost(things, c, s)
        share.work = work
        share.cap = share.room
        if work > 0:
            times += share.room / work
    all_served = True  # then the work done is the work demanded: nearly always
    for i in range(begin, end):
        all_served = serve_class(things, hourly, things.pool_class[i], times, n, hour) and all_served
    if not all_served:
        for k in range(pool.first_share, pool.last_share):
            s = things.pool_share[k]
            work = 0.0
            for i in range(begin, end):
                c = things.pool_class[i]
                work += things.classes[c].served_now * effective_cost(things, c, s)
            things.shares[s].work = work
    route(things, pool, False)
    mix_row = inputs.mix_row[PLACE(n - inputs.first_step)]
    for i in range(begin, end):
        book_work(things, inputs, pool, things.pool_class[i], mix_row)
    for k in range(pool.first_share, pool.last_share):
        share = things.shares[things.pool_share[k]]
        share.room = max(0.0, share.room - share.part * share.work)


@compiled
def serve_class(things, hourly, c, times, n, hour):
    """One step of a class's queue, given how often the demand of its group could be served.

    Returns whether all of the demand was served, and at once.
    """
    klass = things.classes[c]
    waiting = klass.queued
    demand = waiting + klass.admitted
    klass.served_now = 0.0
    if demand <= 0:
        return True
    capacity = times * demand
    if waiting <= 0 and klass.admitted <= capacity:  # nobody waits: nearly always
        klass.served_now = klass.admitted
        klass.served += klass.admitted
        klass.slo_met += klass.admitted
        return True
    most = math.inf  # messages that would not wait too long
    if klass.max_wait_s < math.inf:
        most = klass.max_wait_s * capacity / things.step_s
    dropped = max(0.0, waiting - most)
    served, abandoned, turned, left, integral, busy_s = drain_queue(
        waiting - dropped, klass.admitted, capacity, klass.patience_s, things.step_s, most)
    klass.served_now = served
    klass.served += served
    klass.waiting_message_s += integral
    for a in range(klass.attempts):
        part = (things.waiting[c, a] + things.arrivals[c, a]) / demand
        things.waiting[c, a] = left * part
        klass.abandoned += lose(things, c, a, abandoned * part)
        klass.shed += lose(things, c, a, (dropped + turned) * part)
    klass.queued = total(things.waiting, c)
    waited = min(served, capacity * busy_s / things.step_s)
    joined = klass.admitted - turned
    note_waits(things, hourly, c, n, hour, waiting - dropped, dropped, joined, waited, left)
    return False


@compiled
def book_work(things, inputs, pool, c, mix_row):
    """Book the GPU-seconds of a class's served messages by share, phase and service."""
    klass = things.classes[c]
    klass.degraded += klass.served_now * klass.degraded_frac
    for m in range(inputs.mix.shape[2]):
        messages = klass.served_now * inputs.mix[mix_row, c, m] * (1 - klass.degraded_frac)
        if m == klass.degrade_slot:
            messages += klass.served_now * klass.degraded_frac
        if messages <= 0:
            continue
        things.served[c, m] += messages
        for k in range(pool.first_share, pool.last_share):
            s = things.pool_share[k]
            share = things.shares[s]
            here = share.part * messages
            prefill = here * things.unit_prefill_gpu_s[c, m, s]
            decode = here * things.unit_decode_gpu_s[c, m, s]
            share.prefill_gpu_s += prefill
            share.decode_gpu_s += decode
            things.work_gpu_s[c, m] += prefill + decode
            if things.load_points.size > 0 and things.load_unit[c, m, s] >= 0:
                things.load_served[PLACE(things.load_unit[c, m, s])] += here
