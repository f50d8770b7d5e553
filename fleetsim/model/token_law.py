"""Token lengths: lognormal, cut at a limit, with the declared mean all the same."""

from math import exp, inf, log, log1p, sqrt
from statistics import NormalDist

NORMAL = NormalDist()


def spread(cv: float) -> float:
    """Standard deviation of the logarithm for a coefficient of variation."""
    return sqrt(log1p(cv * cv))


def location(mean_tokens: float, cv: float, most_tokens: float) -> float:
    """Mean of the logarithm for which the lognormal, cut at `most_tokens`, has the mean `mean_tokens`.

    Infinite where the mean is the limit or above: then every length is the limit.
    """
    sigma = spread(cv)
    low = log(mean_tokens) - sigma * sigma / 2
    if mean_tokens >= most_tokens:
        return inf
    if sigma == 0 or cut_mean(low, sigma, most_tokens) >= mean_tokens * (1 - 1e-9):
        return low
    high = low + 1.0
    while cut_mean(high, sigma, most_tokens) < mean_tokens:
        high += 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if cut_mean(middle, sigma, most_tokens) < mean_tokens else (low, middle)
    return (low + high) / 2


def cut_mean(mu: float, sigma: float, most: float) -> float:
    """E[min(X, most)] of a lognormal: exp(mu + sigma^2/2) Phi(d - sigma) + most (1 - Phi(d))."""
    d = (log(most) - mu) / sigma
    below = 0.0 if d - sigma < -30 else exp(mu + sigma * sigma / 2) * NORMAL.cdf(d - sigma)
    return below + most * NORMAL.cdf(-d)
