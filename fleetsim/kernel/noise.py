"""Noise: a slow random factor of mean 1 on a class's rate, gamma distributed, correlated in time.

factor = gamma quantile of Phi(z); z is AR(1) with coefficient exp(-step / 30 min) and
z = sqrt(r) z_product + sqrt(1 - r) z_class, so that classes move partly together.
"""

import math
from functools import lru_cache

import numpy as np

from fleetsim.kernel.arrays import ONE, PLACE
from fleetsim.kernel.compiler import compiled_entry
from fleetsim.kernel.formulas import in_normal_tail, normal_centre, normal_quantile, normal_tail

CORRELATION_TIME_S = 1_800.0
KNOTS_PER_UNIT = 64
Z_LIMIT = 8.0


@compiled_entry
def correlated(u, coefficient, last, z):
    """Write an AR(1) path of variance 1, made of uniforms, to `z`.

    `last[0]` is the value before it, nan at first, and is left as the path's end.
    """
    if u.size == 0:
        return
    for i in range(u.size):  # also of the few in the tails: without a branch, several at a time
        z[i] = normal_centre(u[i])
    spread = math.sqrt(1 - coefficient * coefficient)
    begin, before = 0, last[0]
    if math.isnan(before):
        z[0] = before = normal_quantile(u[0])
        begin = 1
    for i in range(begin, u.size):
        shock = normal_tail(u[i]) if in_normal_tail(u[i]) else z[i]
        before = coefficient * before + spread * shock
        z[i] = before
    last[0] = before


@compiled_entry
def factors(z_product, z_class, correlation, table, out):
    """Write the factor of each step to `out`: cubic interpolation in the quantile table."""
    a, b = math.sqrt(correlation), math.sqrt(1 - correlation)
    for i in range(out.size):
        place = (min(max(a * z_product[i] + b * z_class[i], -Z_LIMIT), Z_LIMIT) + Z_LIMIT) * KNOTS_PER_UNIT
        k = min(max(int(place), 1), table.size - 3)
        t = place - k
        first = PLACE(k - 1)
        before, left = table[first], table[first + ONE]
        right, after = table[first + ONE + ONE], table[first + ONE + ONE + ONE]
        out[i] = left + 0.5 * t * (right - before + t * (
            2 * before - 5 * left + 4 * right - after + t * (3 * (left - right) + after - before)))


@lru_cache(maxsize=64)
def gamma_table(cv_frac: float) -> np.ndarray:
    """Quantiles of the gamma distribution with mean 1 and this cv, at Phi(z) of evenly spaced z."""
    from scipy.special import gammainccinv, gammaincinv, ndtr

    shape = 1.0 / (cv_frac * cv_frac)
    z = np.linspace(-Z_LIMIT, Z_LIMIT, round(2 * Z_LIMIT * KNOTS_PER_UNIT) + 1)
    low = gammaincinv(shape, ndtr(np.minimum(z, 0.0)))
    high = gammainccinv(shape, ndtr(-np.maximum(z, 0.0)))
    table: np.ndarray = np.where(z < 0, low, high) / shape
    return table
