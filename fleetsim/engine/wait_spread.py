"""Waits in a fluid queue are all alike; real ones spread around them.

Two things make them differ. Who waits at one replica waits for its requests to end, which takes one longer
than another: a variance that grows with the wait. And the queue of the whole pool comes and goes around its
mean; exponential patience T holds it, so that it is an Ornstein-Uhlenbeck process of variance T x rate of
admission (Garnett, Mandelbaum, Reiman, "Designing a Call Center with Impatient Customers", M&SOM 4, 2002: the
Erlang-A queue in heavy traffic), in seconds of wait T / rate.
"""

from functools import cache
from math import erf, sqrt

import numpy as np

from fleetsim.kernel.arrays import BUCKETS_PER_OCTAVE, FIRST_EDGE_S, WAIT_BUCKETS, Array

FAR, FINE = 8.0, 400
"""The normal distribution is tabled to so many standard deviations, so finely."""


def fluctuation_s2(patience_s: float | None, own_per_s: Array, before_per_s: Array) -> Array:
    """Variance of the wait that the whole pool's queue makes, s^2: T (own + before) / own^2.

    `own_per_s` are a class's admissions, `before_per_s` those of classes that are served before it, both
    Poisson like the places that become free: of these, what is left has the noise of both. 0 without
    patience, when nothing holds the queue.
    """
    if patience_s is None:
        return np.zeros_like(own_per_s)
    own = np.maximum(own_per_s, 1e-12)
    return np.where(own_per_s > 0, patience_s * (own + before_per_s) / own**2, 0.0)


def spread(waits: Array, spread_s: float, more_s2: float) -> tuple[Array, float]:
    """Messages by wait bucket, each spread by a normal of variance spread_s x wait + more_s2; and those that
    find the pool as it is at load 1.

    These are the part of the normal that is the same on both sides of 0: all of it where the wait is 0, and
    next to nothing where the wait is several standard deviations.
    """
    used = np.flatnonzero(waits)
    middle = wait_middles()[used, None]
    deviation = np.sqrt(np.maximum(spread_s * middle + more_s2, 1e-12))
    ends = wait_edges()[None, :]
    shares = _normal((ends - middle) / deviation) + _normal((-ends - middle) / deviation)
    shares[:, -1] = 1.0
    found = np.zeros(WAIT_BUCKETS)
    for share, messages in zip(np.diff(shares, axis=1), waits[used], strict=True):
        found[1:] += messages * share
    return found, float(waits[used] @ shares[:, 0])


@cache
def wait_edges() -> Array:
    """(wait buckets) where each ends, seconds; the first one is no wait."""
    edges: Array = FIRST_EDGE_S * 2.0 ** (np.arange(WAIT_BUCKETS) / BUCKETS_PER_OCTAVE)
    edges[0] = 0.0
    return edges


@cache
def wait_middles() -> Array:
    """(wait buckets) their middles: geometric, the arithmetic one in a bucket that begins at 0."""
    edges = wait_edges()
    middles = np.concatenate([[0.0], np.sqrt(edges[:-1] * edges[1:])])
    middles[1] = edges[1] / 2
    return middles


def _normal(z: Array) -> Array:
    """The normal distribution function, by its table."""
    at, values = _table()
    return np.asarray(np.interp(z, at, values))


@cache
def _table() -> tuple[Array, Array]:
    at = np.linspace(-FAR, FAR, round(2 * FAR * FINE) + 1)
    return at, np.array([(1 + erf(z / sqrt(2))) / 2 for z in at])
