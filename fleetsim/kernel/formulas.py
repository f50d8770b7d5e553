"""The scalar rules of the fluid model. Plain Python that numba can also compile.

The compiled kernel and its reference call these same functions; each has its own test against
theory.
"""

import math

from numba.extending import register_jitable

from fleetsim.kernel.arrays import BUCKETS_PER_OCTAVE, FIRST_EDGE_S, WAIT_BUCKETS

NORMAL_ABOVE = 200.0
"""Above this mean a count is drawn from its normal expansion instead of by adding probabilities."""


@register_jitable
def normal_quantile(u):
    """z with Phi(z) = u, for u in (0, 1); relative error below 1.2e-9 (Acklam's approximation)."""
    return normal_tail(u) if in_normal_tail(u) else normal_centre(u)


@register_jitable
def in_normal_tail(u):
    """Whether the quantile at u is that of the tails; else it is that of the centre."""
    return u < 0.02425 or u > 1 - 0.02425


@register_jitable
def normal_tail(u):
    """The normal quantile far from the mean."""
    q = math.sqrt(-2 * math.log(min(u, 1 - u)))
    z = (((((-7.784894002430293e-03 * q - 3.223964580411365e-01) * q - 2.400758277161838) * q
           - 2.549732539343734) * q + 4.374664141464968) * q + 2.938163982698783) / (
        (((7.784695709041462e-03 * q + 3.224671290700398e-01) * q + 2.445134137142996) * q
         + 3.754408661907416) * q + 1)
    return z if u < 0.5 else -z


@register_jitable
def normal_centre(u):
    """The normal quantile around the mean."""
    q = u - 0.5
    r = q * q
    return (((((-3.969683028665376e+01 * r + 2.209460984245205e+02) * r - 2.759285104469687e+02) * r
              + 1.383577518672690e+02) * r - 3.066479806614716e+01) * r + 2.506628277459239) * q / (
        ((((-5.447609879822406e+01 * r + 1.615858368580409e+02) * r - 1.556989798598866e+02) * r
          + 6.680131188771972e+01) * r - 1.328068155288572e+01) * r + 1)


@register_jitable
def expanded_count(mean, variance, skew_term, u):
    """A count by its normal quantile with the first Cornish-Fisher term, never below 0."""
    z = normal_quantile(u)
    return max(0, math.floor(mean + math.sqrt(variance) * z + skew_term * (z * z - 1) / 6 + 0.5))


@register_jitable
def poisson_quantile(mean, u):
    """The smallest k with P(Poisson(mean) <= k) >= u, by inversion."""
    if mean <= 0 or u <= 1 - mean:  # exp(-mean) is at least as much
        return 0
    if mean > NORMAL_ABOVE:
        return expanded_count(mean, mean, 1.0, u)
    probability = math.exp(-mean)
    below = probability
    k = 0
    while below < u and probability > 0:
        k += 1
        probability *= mean / k
        below += probability
    return k


@register_jitable
def binomial_quantile(n, p, log_miss, u):
    """The smallest k with P(Binomial(n, p) <= k) >= u, by inversion; log_miss is ln(1 - p)."""
    if n <= 0 or u <= 1 - n * p:  # (1 - p)^n is at least as much
        return 0
    if p >= 1:
        return n
    if p > 0.5 and n * (1 - p) <= NORMAL_ABOVE:  # from the top, where the first term does not vanish
        probability = math.exp(n * math.log(p))
        above = probability
        k = n
        while above <= 1 - u and k > 0:
            probability *= k / (n - k + 1) * ((1 - p) / p)
            k -= 1
            above += probability
        return k
    if n * p > NORMAL_ABOVE:
        return min(n, expanded_count(n * p, n * p * (1 - p), 1 - 2 * p, u))
    probability = math.exp(n * log_miss)
    below = probability
    k = 0
    while below < u and k < n:
        probability *= (n - k) / (k + 1) * (p / (1 - p))
        k += 1
        below += probability
    return k


@register_jitable
def drain_queue(waiting, arriving, capacity, patience_s, step_s, most):
    """One step of a queue that is served first come first served and that people leave.

    waiting: messages at the start, at most `most`; arriving and capacity: messages in the step, both
    at a constant rate; patience is exponential with mean patience_s; who finds `most` messages waiting
    is turned away. With X = (arrival rate - capacity rate) x T, Q(t) = X + (Q0 - X) exp(-t/T) while
    0 < Q < most; the queue is empty from T ln(1 - Q0/X) on, or full from T ln((X - Q0)/(X - most)) on.
    Returns served, abandoned, turned away, waiting at the end, integral of the queue
    (message-seconds), and the time during which somebody waited (s).
    """
    if waiting <= 0 and arriving <= capacity:
        return arriving, 0.0, 0.0, 0.0, 0.0, 0.0
    excess_per_s = (arriving - capacity) / step_s
    endless = math.isinf(patience_s)
    level = 0.0 if endless else excess_per_s * patience_s
    if excess_per_s < 0:
        empty_s = -waiting / excess_per_s if endless else patience_s * math.log1p(-waiting / level)
        if empty_s < step_s:
            if endless:
                return waiting + arriving, 0.0, 0.0, 0.0, waiting * empty_s / 2, empty_s
            gone = waiting / (waiting - level)
            integral = max(0.0, level * empty_s + (waiting - level) * patience_s * gone)
            abandoned = min(integral / patience_s, waiting + arriving)
            return waiting + arriving - abandoned, abandoned, 0.0, 0.0, integral, empty_s
    free_s = step_s  # until the queue is full
    if excess_per_s > 0 and endless and waiting + excess_per_s * step_s > most:
        free_s = (most - waiting) / excess_per_s
    if excess_per_s > 0 and not endless and level > most:
        free_s = min(step_s, patience_s * math.log1p((most - waiting) / (level - most)))
    full_s = step_s - free_s
    if endless:
        end = most if full_s > 0 else waiting + arriving - capacity
        turned = max(0.0, waiting + arriving - capacity - end)
        return capacity, 0.0, turned, end, (waiting + end) / 2 * free_s + end * full_s, step_s
    gone = -math.expm1(-free_s / patience_s)
    end = max(0.0, waiting * (1 - gone) + level * gone)
    integral = max(0.0, level * (free_s - patience_s * gone) + waiting * patience_s * gone)
    if full_s <= 0:
        abandoned = max(0.0, waiting + arriving - capacity - end)
        return capacity, abandoned, 0.0, max(0.0, waiting + arriving - capacity - abandoned), integral, step_s
    integral += most * full_s
    abandoned = min(integral / patience_s, max(0.0, waiting + arriving - capacity - most))
    turned = max(0.0, waiting + arriving - capacity - most - abandoned)
    return capacity, abandoned, turned, most, integral, step_s


@register_jitable
def kept_after(seconds, patience_s):
    """Share of waiting messages whose patience outlasts `seconds`."""
    return 1.0 if math.isinf(patience_s) else math.exp(-seconds / patience_s)


@register_jitable
def surviving(per_s, seconds, patience_s):
    """Messages still waiting of `seconds` of arrivals at `per_s` that nobody served."""
    if math.isinf(patience_s):
        return per_s * seconds
    return per_s * patience_s * -math.expm1(-seconds / patience_s)


@register_jitable
def age_of_oldest(left, per_s, patience_s, step_s):
    """Age of the oldest of `left` messages that arrived at `per_s` for `step_s`, at the end of it."""
    if per_s <= 0:
        return 0.0
    if math.isinf(patience_s):
        return min(step_s, left / per_s)
    missing = left / (per_s * patience_s)
    if missing >= 1:
        return step_s
    return min(step_s, -patience_s * math.log1p(-missing))


@register_jitable
def wait_bucket(wait_s):
    """The bucket of a wait: 0 for none; bucket b >= 1 ends, exclusive, at 0.125 x 2^(b/8) s."""
    if wait_s <= 0:
        return 0
    bucket = 1 + math.floor(BUCKETS_PER_OCTAVE * math.log2(wait_s / FIRST_EDGE_S))
    return min(max(1, bucket), WAIT_BUCKETS - 1)


@register_jitable
def nearest(value):
    """The nearest whole number; halves go up."""
    return math.floor(value + 0.5)


@register_jitable
def total(table, row):
    """Sum of a row, in order."""
    result = 0.0
    for value in table[row]:
        result += value
    return result
