"""Routing: which part of a pool's demand goes to which of its shares."""

from fleetsim.kernel.compiler import compiled


@compiled
def route(things, pool, remainder_to_last):
    """Part of a demand that goes to each share: by weight first, then in spill-over order.

    A share's `work` is the demand on its GPUs and its `cap` what it can take, both in its own
    GPU-seconds; the answer is its `part`.
    """
    left = 1.0
    for k in range(pool.first_share, pool.last_share):
        share = things.shares[things.pool_share[k]]
        share.part = 0.0
        if share.routing_weight >= 0:
            share.part = min(share.routing_weight, fitting(share))
            left -= share.part
    for k in range(pool.first_share, pool.last_share):
        share = things.shares[things.pool_share[k]]
        more = max(0.0, min(left, fitting(share) - share.part))
        share.part += more
        left -= more
    if remainder_to_last:
        things.shares[things.pool_share[pool.last_share - 1]].part += max(0.0, left)


@compiled
def fitting(share):
    """Part of the demand that fits on a share; none of no demand."""
    if share.work <= 0:
        return 0.0
    return 1.0 if share.cap >= share.work else share.cap / share.work
