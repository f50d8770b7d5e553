"""Routing: which part of a pool's demand goes to which of its shares."""

from fleetsim.kernel.arrays import ONE
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
        share.fits = fitting(share)
        share.part = 0.0
        if share.routing_weight >= 0:
            share.part = min(share.routing_weight, share.fits)
            left -= share.part
    for k in range(pool.first_share, pool.last_share):
        share = things.shares[things.pool_share[k]]
        more = max(0.0, min(left, share.fits - share.part))
        share.part += more
        left -= more
    if remainder_to_last:
        things.shares[things.pool_share[pool.last_share - ONE]].part += max(0.0, left)


@compiled
def fitting(share):
    """Part of the demand that fits on a share; none of no demand."""
    if share.work <= 0:
        return 0.0
    if share.cap >= share.work:
        return 1.0
    return min(1.0, share.cap / share.work)  # `min` keeps it a branch: without, it always divides
