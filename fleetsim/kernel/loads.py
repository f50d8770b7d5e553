"""Loads: how full the GPUs were that served a message, for services whose latency is known by load."""

from fleetsim.kernel.arrays import PLACE
from fleetsim.kernel.compiler import compiled


@compiled
def note_loads(things, hourly, pool, hour):
    """Put a step's served messages to the loads of their tables next to that of the GPUs that served them.

    While others of the pool have a queue that a class has not, all GPUs are full, and its messages are
    put after the last load.
    """
    queued = False
    for i in range(pool.first_class, pool.last_class):
        queued = queued or things.classes[things.pool_class[i]].queued > 0
    for k in range(pool.first_share, pool.last_share):
        s = things.pool_share[k]
        share = things.shares[s]
        capacity = share.allocated * things.step_s
        load = 0.0
        if capacity > 0:
            load = 1.0 - share.room / capacity
        for i in range(pool.first_class, pool.last_class):
            c = things.pool_class[i]
            over = queued and things.classes[c].queued <= 0
            for m in range(things.load_unit.shape[1]):
                unit = things.load_unit[c, m, s]
                if unit >= 0:
                    place(things, hourly, PLACE(unit), hour, load, over)


@compiled
def place(things, hourly, unit, hour, load, over):
    """Divide a unit's messages between the two loads of its table next to `load`; the ends take the rest."""
    messages = things.load_served[unit]
    things.load_served[unit] = 0.0
    if messages <= 0:
        return
    if over:
        hourly.load_served[hour, unit, PLACE(things.load_points[unit])] += messages
        return
    last = things.load_points[unit] - 1
    below = 0
    while below < last and things.load_grid[unit, below + 1] <= load:
        below += 1
    above = 0.0
    if below < last:
        low, high = things.load_grid[unit, below], things.load_grid[unit, below + 1]
        above = max(0.0, (load - low) / (high - low))
    hourly.load_served[hour, unit, below] += messages * (1.0 - above)
    if above > 0:
        hourly.load_served[hour, unit, below + 1] += messages * above
