"""Exact money: whole micro-dollars, one half-even rounding per charge, no overflow.

The price of q GPU-seconds is q x price / 3600 dollars, a fraction of integers; it is computed in int64
where every intermediate product provably fits, and in Python's integers where it does not.
"""

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.timebase import HOUR_S

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]

MICRO = 1_000_000
"""Micro-dollars in a dollar."""
CENT = MICRO // 100
"""Micro-dollars in a cent."""
SAFE = 2**62


def micro_usd(amount: Decimal) -> int:
    """Dollars as whole micro-dollars, half-even."""
    return round(Fraction(amount) * MICRO)


def micro_usd_per_gpu_s(usd_per_gpu_hour: Decimal) -> Fraction:
    """A price per GPU-hour as exact micro-dollars per GPU-second."""
    return Fraction(usd_per_gpu_hour) * MICRO / HOUR_S


def priced(gpu_s: "Int64", usd_per_gpu_hour: Decimal) -> "Int64":
    """Micro-dollars of each quantity of GPU-seconds, half-even."""
    price = micro_usd_per_gpu_s(usd_per_gpu_hour)
    return scaled(gpu_s, price.numerator, price.denominator)


def bought(micro_usd: "Int64", usd_per_gpu_hour: Decimal) -> "Int64":
    """Whole GPU-seconds that each amount buys; the price is above 0."""
    price = micro_usd_per_gpu_s(usd_per_gpu_hour)
    above, below = price.denominator, price.numerator
    if int(micro_usd.max(initial=0)) * above < SAFE and below < SAFE:
        return micro_usd * above // below
    return np.array([int(amount) * above // below for amount in micro_usd], dtype=np.int64)


def scaled(values: "Int64", numerator: "int | Int64", denominator: "int | Int64") -> "Int64":
    """values x numerator / denominator, rounded half-even; nothing negative, no denominator of 0.

    numerator = a x denominator + b, so the result is values x a + values x b / denominator: the second
    product stays small even when values x numerator would not fit 64 bits.
    """
    if values.size == 0:
        return np.zeros(0, dtype=np.int64)
    try:
        above, below = np.asarray(numerator, dtype=np.int64), np.asarray(denominator, dtype=np.int64)
    except OverflowError:
        return _scaled_by_python(values, numerator, denominator)
    whole, rest = np.divmod(above, below)
    top = int(values.max())
    if isinstance(numerator, int) and isinstance(denominator, int) and top == int(values.min()):
        return np.full(values.size, half_even(top * numerator, denominator), dtype=np.int64)
    largest = int(below.max())
    if top * int(whole.max()) >= SAFE or largest >= SAFE:
        return _scaled_by_python(values, numerator, denominator)
    if top * int(rest.max()) < SAFE:
        product = values * rest
        part = product // below  # several times as fast as divmod where the denominator is one number
        twice = 2 * (product - part * below)
    elif (top >> LIMB) * int(rest.max()) < SAFE and largest < SAFE >> LIMB:
        part, twice = _divided_in_two(values, rest, below)
    else:
        return _scaled_by_python(values, numerator, denominator)
    result = values * whole + part
    ties = twice == below
    if ties.any():
        result += ties & (result % 2 == 1)
    result += twice > below
    return np.asarray(result, dtype=np.int64)


LIMB = 24
"""Bits of the lower part of a number that is multiplied in two."""


def _divided_in_two(values: "Int64", rest: "Int64", below: "Int64") -> "tuple[Int64, Int64]":
    """values x rest // below and twice the remainder, where the product has more than 64 bits."""
    first = (values >> LIMB) * rest
    high = first // below
    second = ((first - high * below) << LIMB) + (values & ((1 << LIMB) - 1)) * rest
    low = second // below
    return (high << LIMB) + low, 2 * (second - low * below)


def sum_scaled(values: "Int64", numerator: int, denominator: int) -> int:
    """The sum of `scaled`, each value rounded by itself, without the values."""
    whole, rest = divmod(numerator, denominator)
    top = int(values.max(initial=0))
    if values.size and top == int(values.min()):
        return half_even(top * numerator, denominator) * values.size
    if max(top * rest, top) >= SAFE // max(values.size, 1) or denominator >= SAFE:
        return sum(scaled(values, numerator, denominator).tolist())
    product = values * rest
    part = product // denominator
    twice = 2 * (product - part * denominator)
    up = int(np.count_nonzero(twice > denominator))
    if denominator % 2 == 0:
        ties = twice == denominator
        up += int(np.count_nonzero((values[ties] * (whole % 2) + part[ties]) % 2))
    return int(values.sum()) * whole + int(part.sum()) + up


def _scaled_by_python(values: "Int64", numerator: "int | Int64", denominator: "int | Int64") -> "Int64":
    """The same in Python's integers; equal quantities are computed once where the ratio is one for all."""
    if isinstance(numerator, int) and isinstance(denominator, int):
        unique, where = np.unique(values, return_inverse=True)
        amounts = [half_even(int(value) * numerator, denominator) for value in unique]
        return np.array(amounts, dtype=np.int64)[where]
    triples = np.broadcast_arrays(values, np.asarray(numerator), np.asarray(denominator))
    rows = zip(*(array.tolist() for array in triples), strict=True)
    return np.array([half_even(value * above, below) for value, above, below in rows], dtype=np.int64)


def half_even(numerator: int, denominator: int) -> int:
    """numerator / denominator as the nearest integer, ties to even."""
    below, remainder = divmod(numerator, denominator)
    twice = 2 * remainder
    return below + (twice > denominator or (twice == denominator and below % 2 == 1))


def spread(total: int, weights: "Int64") -> "Int64":
    """`total` in whole parts in proportion to `weights`, by cumulative rounding: the parts add up to it.

    The weights add up to more than 0 unless `total` is 0.
    """
    cumulative = np.cumsum(weights)
    if total == 0:
        return np.zeros_like(weights)
    return np.diff(scaled(cumulative, total, int(cumulative[-1])), prepend=0)
