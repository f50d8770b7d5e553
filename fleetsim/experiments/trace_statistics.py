"""What a trace says: rates, lengths, burstiness; and the traffic class that is nearest to it.

A traffic class draws arrivals from a Poisson process and lengths from a lognormal. `describe` measures how
far a trace is from the first (both numbers are 1 for Poisson), `fit` how far from the second:

- coefficient of variation of the gaps: standard deviation / mean of the times between arrivals;
- index of dispersion of counts: variance / mean of the requests in windows of one length, which also sees
  gaps that follow each other, and rates that change (Cox and Lewis, 1966);
- Kolmogorov-Smirnov distance: the largest difference between two cumulative distributions.
"""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetsim.errors import UsageError
from fleetsim.spec.trace.canonical import Trace

NS_PER_S = 1_000_000_000
DAY_S = 86_400
DAYS_FOR_ANCHORS = 2
"""Whole days from which the volume of a fit moves from day to day."""
QUANTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True)
class Lengths:
    """Tokens per request; quantiles are those of the sorted values, the smallest with that share below."""

    mean: float
    cv: float
    """Standard deviation / mean."""
    p50: int
    p90: int
    p99: int
    max: int
    total: int


@dataclass(frozen=True)
class Description:
    """The figures of a trace or of one of its classes; null where there are too few requests."""

    name: str
    requests: int
    span_s: float
    """First to last arrival."""
    mean_rps: float | None
    """Requests after the first / span: one over the mean gap."""
    peak_1s_rps: float
    """Most requests in a second, seconds counted from the first arrival of the trace."""
    peak_60s_rps: float
    """Most requests in such a minute, per second."""
    gap_cv: float | None
    dispersion_1s: float | None
    """Index of dispersion of counts in whole seconds."""
    dispersion_60s: float | None
    """The same in whole minutes."""
    prompt_tokens: Lengths
    output_tokens: Lengths


@dataclass(frozen=True)
class LengthFit:
    """A lognormal with the trace's mean and coefficient of variation, beside the trace."""

    mean: float
    cv: float
    ks_distance: float
    quantiles: dict[str, tuple[int, int]]
    """p50, p90, p99 of the trace and of the lognormal."""


@dataclass(frozen=True)
class Fit:
    """A traffic class and how well it fits."""

    class_name: str
    requests: int
    span_s: float
    messages_per_day: float
    """Mean over the span."""
    anchors: dict[str, float] | None
    """Messages per day in the middle of each whole day; null for a trace that is short or without dates."""
    prompt_tokens: LengthFit
    output_tokens: LengthFit
    gap_cv: float | None
    dispersion_1s: float | None
    dispersion_60s: float | None

    def as_dict(self) -> dict[str, Any]:
        """The fit as JSON has it."""
        return asdict(self)


def describe(trace: Trace) -> list[Description]:
    """The figures of all requests under the name `all`, then of each class when there are several."""
    parts = [_describe("all", trace)]
    if len(trace.class_names) > 1:
        parts += [_describe(name, trace.of_class(name)) for name in trace.class_names]
    return parts


def fit(trace: Trace, class_name: str | None = None) -> Fit:
    """The traffic class of a trace, or of one of its classes; UsageError when that is not enough to fit.

    Its volume is that of the trace. With dates and two whole days it moves from day to day; the shape of
    a day is not fitted.
    """
    if class_name is None and len(trace.class_names) > 1:
        raise UsageError(f"the trace has {len(trace.class_names)} classes; choose one with --class: "
                         f"{', '.join(trace.class_names[:12])}")
    part = trace if class_name is None else trace.of_class(class_name)
    found = _describe(class_name or trace.class_names[0], part)
    if found.mean_rps is None:
        raise UsageError(f"{found.requests} requests within {found.span_s:g} s have no rate to fit")
    return Fit(found.name, found.requests, found.span_s, found.mean_rps * DAY_S, _anchors(part),
               _fit_lengths(part.prompt_tokens), _fit_lengths(part.output_tokens),
               found.gap_cv, found.dispersion_1s, found.dispersion_60s)


def _describe(name: str, trace: Trace) -> Description:
    arrival = trace.arrival_ns
    span = int(arrival[-1] - arrival[0])
    gaps = np.diff(arrival)
    return Description(
        name=name, requests=len(trace), span_s=span / NS_PER_S,
        mean_rps=(len(trace) - 1) * NS_PER_S / span if span else None,
        peak_1s_rps=float(counts(arrival, NS_PER_S).max()),
        peak_60s_rps=float(counts(arrival, 60 * NS_PER_S).max()) / 60,
        gap_cv=float(gaps.std() / gaps.mean()) if span and gaps.size > 1 else None,
        dispersion_1s=dispersion(arrival, NS_PER_S), dispersion_60s=dispersion(arrival, 60 * NS_PER_S),
        prompt_tokens=_lengths(trace.prompt_tokens), output_tokens=_lengths(trace.output_tokens),
    )


def counts(arrival_ns: NDArray[np.int64], window_ns: int) -> NDArray[np.int64]:
    """Requests of each window that has any; windows start at multiples of their length."""
    found: NDArray[np.int64] = np.unique(arrival_ns // window_ns, return_counts=True)[1]
    return found


def dispersion(arrival_ns: NDArray[np.int64], window_ns: int) -> float | None:
    """Variance (n - 1) / mean of the counts in whole windows from the first arrival; null below ten."""
    since = arrival_ns - arrival_ns[0]
    windows = int(since[-1] // window_ns)
    if windows < 10:
        return None
    inside = since[since < windows * window_ns]
    found = counts(inside, window_ns).astype(np.float64)
    mean = inside.size / windows
    # Windows without requests add mean^2 each; they are counted, not stored.
    squares = float(((found - mean) ** 2).sum()) + (windows - found.size) * mean**2
    return float(squares / (windows - 1) / mean)


def _lengths(tokens: NDArray[np.int64]) -> Lengths:
    p50, p90, p99 = quantiles(tokens)
    mean = float(tokens.mean())
    return Lengths(mean, float(tokens.std()) / mean, p50, p90, p99, int(tokens.max()), int(tokens.sum()))


def quantiles(tokens: NDArray[np.int64]) -> list[int]:
    """p50, p90 and p99: values that occur."""
    found = np.quantile(tokens, QUANTILES, method="inverted_cdf")
    return [int(value) for value in found]


def _fit_lengths(tokens: NDArray[np.int64]) -> LengthFit:
    """Moments rounded as they are printed, so that the distance is that of the printed class."""
    mean = float(tokens.mean())
    mean, cv = float(f"{mean:.6g}"), float(f"{tokens.std() / mean:.4g}")
    mu, sigma = lognormal_of(mean, cv)
    from scipy.stats import norm

    drawn = [max(1, int(math.exp(mu + sigma * float(norm.ppf(share))) + 0.5)) for share in QUANTILES]
    names = [f"p{share * 100:g}" for share in QUANTILES]
    return LengthFit(mean, cv, ks_distance(tokens, mean, cv),
                     dict(zip(names, zip(quantiles(tokens), drawn, strict=True), strict=True)))


def lognormal_of(mean: float, cv: float) -> tuple[float, float]:
    """mu and sigma of the lognormal with this mean and coefficient of variation."""
    variance = math.log1p(cv * cv)
    return math.log(mean) - variance / 2, math.sqrt(variance)


def ks_distance(tokens: NDArray[np.int64], mean: float, cv: float) -> float:
    """Largest difference between the trace's distribution and a lognormal in whole tokens.

    Draws are rounded and at least 1; the lognormal is at most v where it is below v + 1/2 before.
    """
    values, occurs = np.unique(tokens, return_counts=True)
    below = np.concatenate(([0.0], np.cumsum(occurs) / tokens.size))
    here, before = _rounded_cdf(values, mean, cv), _rounded_cdf(values - 1, mean, cv)
    return float(max(np.abs(below[1:] - here).max(), np.abs(below[:-1] - before).max()))


def _rounded_cdf(values: NDArray[np.int64], mean: float, cv: float) -> NDArray[np.float64]:
    from scipy.stats import norm

    mu, sigma = lognormal_of(mean, cv)
    edges = np.log(np.maximum(values, 1) + 0.5)
    found = norm.cdf((edges - mu) / sigma) if sigma else (edges >= mu).astype(np.float64)
    return np.where(values < 1, 0.0, found)


def _anchors(trace: Trace) -> dict[str, float] | None:
    """Messages per day at the middle of each whole day from the first arrival, which add up to the trace's.

    None without dates, below two whole days, or when a day has no request: anchors are above 0.
    """
    start = trace.metadata.get("start")
    since = trace.arrival_ns - trace.arrival_ns[0]
    days = int(since[-1] // (DAY_S * NS_PER_S))
    if start is None or days < DAYS_FOR_ANCHORS:
        return None
    per_day = np.bincount(since[since < days * DAY_S * NS_PER_S] // (DAY_S * NS_PER_S), minlength=days)
    if not per_day.all():
        return None
    # Log-linear between the middles of days, constant in the first and last half day.
    curve = (per_day[0] + per_day[-1]) / 2 + sum(_log_linear_mean(*pair) for pair in _pairs(per_day))
    scale = float(per_day.sum()) / curve
    first = (datetime.fromisoformat(start[:19]).replace(tzinfo=UTC)
             + timedelta(seconds=int(trace.arrival_ns[0]) // NS_PER_S + DAY_S // 2))
    return {f"{first + timedelta(days=day):%Y-%m-%dT%H:%M:%SZ}": float(f"{count * scale:.6g}")
            for day, count in enumerate(per_day.tolist())}


def _pairs(values: NDArray[np.int64]) -> Iterator[tuple[float, float]]:
    return zip(values[:-1].tolist(), values[1:].tolist(), strict=True)


def _log_linear_mean(one: float, other: float) -> float:
    """Mean of a curve that goes log-linearly from one value to another."""
    return one if one == other else (other - one) / math.log(other / one)
