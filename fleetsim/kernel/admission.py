"""Admission: what messages cost, who comes, who is turned away or degraded, and lost attempts."""

from fleetsim.kernel.arrays import ONE
from fleetsim.kernel.compiler import compiled
from fleetsim.kernel.formulas import total


@compiled
def price(things, inputs, mix_row):
    """GPU-seconds per message of every class on the shares of its pool, under a mix of services."""
    for p in range(things.pools.size):
        pool = things.pools[p]
        for i in range(pool.first_class, pool.last_class):
            c = things.pool_class[i]
            slot = things.classes[c].degrade_slot
            for k in range(pool.first_share, pool.last_share):
                s = things.pool_share[k]
                cost = 0.0
                for m in range(inputs.mix.shape[2]):
                    cost += inputs.mix[mix_row, c, m] * (things.unit_prefill_gpu_s[c, m, s]
                                                         + things.unit_decode_gpu_s[c, m, s])
                things.cost_gpu_s[c, s] = cost
                if slot >= 0:
                    things.degraded_cost_gpu_s[c, s] = (things.unit_prefill_gpu_s[c, slot, s]
                                                        + things.unit_decode_gpu_s[c, slot, s])


@compiled
def arrive(things, inputs, c, row):
    """New messages and returning ones; what is above the rate limit is shed."""
    klass = things.classes[c]
    expected = inputs.expected_per_s[row, c] * things.step_s
    klass.expected += expected
    fresh = expected * inputs.noise[row, c]
    klass.arrived += fresh
    things.arrivals[c, 0] = fresh
    offered = fresh
    for a in range(1, klass.attempts):
        back = things.in_retry[c, a] * klass.return_prob
        things.in_retry[c, a] -= back
        things.arrivals[c, a] = back
        klass.retried += back
        offered += back
    klass.offered = offered
    klass.admitted = offered
    klass.degraded_frac = 0.0
    klass.queued = total(things.waiting, c)
    limit = klass.max_messages_per_s * things.step_s
    if offered > limit:
        turn_away(things, c, offered - limit)


@compiled
def turn_away(things, c, messages):
    """Shed so many of the messages that just arrived, retries and first attempts alike."""
    klass = things.classes[c]
    part = min(1.0, messages / klass.admitted)
    admitted = 0.0
    for a in range(klass.attempts):
        lost = things.arrivals[c, a] * part
        things.arrivals[c, a] -= lost
        admitted += things.arrivals[c, a]
        klass.shed += lose(things, c, a, lost)
    klass.admitted = admitted


@compiled
def lose(things, c, attempt, messages):
    """Lost attempts are tried again or their messages are lost for good; returns how many are."""
    klass = things.classes[c]
    if attempt + 1 >= klass.attempts:
        return messages
    again = messages * klass.retry_frac
    things.in_retry[c, attempt + 1] += again
    return messages - again


@compiled
def effective_cost(things, c, s):
    """GPU-seconds per message of a class on a share, the degraded ones at the cheaper service."""
    degraded = things.classes[c].degraded_frac
    if degraded == 0:
        return things.cost_gpu_s[c, s]
    return (1 - degraded) * things.cost_gpu_s[c, s] + degraded * things.degraded_cost_gpu_s[c, s]


@compiled
def excess(things, pool, limit):
    """Backlog and admitted work beyond `limit` x capacity, in GPU-seconds of the first fleet."""
    demand = 0.0
    capacity = 0.0
    for k in range(pool.first_share, pool.last_share):
        s = things.pool_share[k]
        work = 0.0
        for i in range(pool.first_class, pool.last_class):
            c = things.pool_class[i]
            messages = things.classes[c].queued + things.classes[c].admitted
            work += messages * effective_cost(things, c, s)
        if k == pool.first_share:
            demand = work
        if work > 0:
            capacity += things.shares[s].allocated * things.step_s * (demand / work)
    return demand - limit * capacity


@compiled
def degrade(things, pool):
    """Move the smallest share of messages to cheaper services, lowest priority first."""
    over = excess(things, pool, pool.degrade_above_load_frac)
    lead = things.pool_share[pool.first_share]
    last = pool.last_class
    while over > 0 and last > pool.first_class:
        start = group_start(things, pool, last)
        saving = 0.0
        for i in range(start, last):
            c = things.pool_class[i]
            saved = things.cost_gpu_s[c, lead] - things.degraded_cost_gpu_s[c, lead]
            if things.classes[c].degrade_slot >= 0 and saved > 0:
                saving += (things.classes[c].queued + things.classes[c].admitted) * saved
        if saving > 0:
            part = min(1.0, over / saving)
            for i in range(start, last):
                c = things.pool_class[i]
                saved = things.cost_gpu_s[c, lead] - things.degraded_cost_gpu_s[c, lead]
                if things.classes[c].degrade_slot >= 0 and saved > 0:
                    things.classes[c].degraded_frac = part
            over -= saving
        last = start


@compiled
def shed(things, pool):
    """Turn new messages away, lowest priority first, until backlog and arrivals fit."""
    over = excess(things, pool, pool.shed_above_load_frac)
    lead = things.pool_share[pool.first_share]
    last = pool.last_class
    while over > 0 and last > pool.first_class:
        start = group_start(things, pool, last)
        work = 0.0
        for i in range(start, last):
            c = things.pool_class[i]
            work += things.classes[c].admitted * effective_cost(things, c, lead)
        if work > 0:
            part = min(1.0, over / work)
            for i in range(start, last):
                c = things.pool_class[i]
                if things.classes[c].admitted > 0:
                    turn_away(things, c, things.classes[c].admitted * part)
            over -= work
        last = start


@compiled
def group_start(things, pool, last):
    """Where the group of equal priority that ends at `last` begins."""
    start = last - ONE
    priority = things.classes[things.pool_class[start]].priority
    while start > pool.first_class and things.classes[things.pool_class[start - ONE]].priority == priority:
        start -= ONE
    return start
