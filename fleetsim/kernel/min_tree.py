"""The least of many numbers that change one at a time: a tree whose cells are the least of 16 below."""

import numpy as np

from fleetsim.kernel.arrays import NEVER, PLACE
from fleetsim.kernel.compiler import called, compiled

BITS = PLACE(4)
WIDTH = 16


def layout(leaves: int) -> np.ndarray:
    """Where each level of a tree over `leaves` numbers begins, the leaves first; last its size."""
    starts, count = [0], leaves
    while True:
        cells = -(-count // WIDTH) * WIDTH
        starts.append(starts[-1] + cells)
        if cells == WIDTH:
            return np.array(starts, dtype=np.uint64)
        count = cells // WIDTH


def filled(starts: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """A tree over these numbers."""
    tree = np.full(int(starts[-1]), NEVER, np.int64)
    tree[: len(numbers)] = numbers
    for level in range(1, len(starts) - 1):
        below = tree[int(starts[level - 1]) : int(starts[level])].reshape(-1, WIDTH).min(axis=1)
        tree[int(starts[level]) : int(starts[level]) + len(below)] = below
    return tree


@called
def put(tree, starts, leaf, value):
    """Give leaf `leaf` the number `value`."""
    place = PLACE(leaf)
    before, low = tree[place], value
    if before == value:
        return
    tree[place] = value
    for level in range(1, starts.size - 1):
        place = place >> BITS
        cell = starts[PLACE(level)] + place
        above = tree[cell]
        if low >= above:
            if before > above:  # another is the least, before and after
                return
            low = least_of(tree, starts[PLACE(level - 1)] + (place << BITS))
            if low == above:
                return
        before = above
        tree[cell] = low


@compiled
def least_of(tree, first):
    """The least of 16 cells; written out as pairs, which a processor compares at the same time."""
    a = min(tree[first], tree[first + PLACE(1)])
    b = min(tree[first + PLACE(2)], tree[first + PLACE(3)])
    c = min(tree[first + PLACE(4)], tree[first + PLACE(5)])
    d = min(tree[first + PLACE(6)], tree[first + PLACE(7)])
    e = min(tree[first + PLACE(8)], tree[first + PLACE(9)])
    f = min(tree[first + PLACE(10)], tree[first + PLACE(11)])
    g = min(tree[first + PLACE(12)], tree[first + PLACE(13)])
    h = min(tree[first + PLACE(14)], tree[first + PLACE(15)])
    return min(min(min(a, b), min(c, d)), min(min(e, f), min(g, h)))


@compiled
def least(tree, starts):
    """The least number."""
    return least_of(tree, starts[PLACE(starts.size - 2)])


@called
def first_least(tree, starts, value):
    """The lowest leaf that has `value`, which is the least number."""
    place = PLACE(0)
    for level in range(starts.size - 2, -1, -1):
        first = starts[PLACE(level)] + (place << BITS)
        having = PLACE(0)
        for k in range(WIDTH):  # without a branch: any of them is as likely
            having |= PLACE(tree[first + PLACE(k)] == value) << PLACE(k)
        place = (place << BITS) + PLACE(lowest_bit(having))
    return np.int64(place)


@compiled
def lowest_bit(bits):
    """Which is the lowest bit that is set: the exponent of a float that has only this one."""
    return (np.float64(np.int64(bits & (~bits + PLACE(1)))).view(np.int64) >> 52) - 1_023
