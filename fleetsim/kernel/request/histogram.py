"""Latency buckets: 64 for each doubling, so that a bucket's middle is within 0.8 % of what it holds."""

import numpy as np

from fleetsim.kernel.compiler import compiled

BITS = 6
FIRST = 1 << BITS
BUCKETS = FIRST + (62 - BITS) * FIRST


@compiled
def bucket(ns):
    """The bucket of a time: up to 64 ns one each, then 64 for each doubling."""
    if ns < FIRST:
        return ns
    exponent = (np.float64(ns).view(np.int64) >> 52) - 1_023  # 2^exponent <= ns
    shift = exponent - BITS
    if ns >> exponent == 0:  # rounded up to the next power of 2
        shift -= 1
    return (shift << BITS) + (ns >> shift)


def edges_ns():
    """(BUCKETS + 1) lower edges, the last an upper edge."""
    k = np.arange(BUCKETS + 1, dtype=np.int64)
    shift = np.maximum((k >> BITS) - 1, 0)
    return (k - (shift << BITS)) << shift
