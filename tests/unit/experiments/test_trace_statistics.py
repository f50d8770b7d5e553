"""Figures of a trace against counting by hand, and fits against samples of what they fit."""

import math
from itertools import pairwise
from statistics import fmean, pstdev, variance

import numpy as np
import pytest
from numpy.typing import NDArray

from fleetsim.errors import UsageError
from fleetsim.experiments.trace_statistics import describe, dispersion, fit, ks_distance, lognormal_of
from fleetsim.spec.trace import Trace

S = 1_000_000_000


def trace_of(seconds: list[float] | NDArray[np.float64], prompt: object = 5, output: object = 7,
             start: str | None = None) -> Trace:
    """Requests of one class at these seconds."""
    arrival = np.array([round(each * S) for each in seconds], np.int64)
    return Trace(arrival, np.broadcast_to(np.asarray(prompt, np.int64), arrival.shape),
                 np.broadcast_to(np.asarray(output, np.int64), arrival.shape), ("chat",),
                 np.zeros(arrival.size, np.int32), {"start": start})


def test_figures_by_hand() -> None:
    seconds = [0, 0.25, 0.5, 1.5, 70, 70.5, 71]
    found = describe(trace_of(seconds, [1, 2, 3, 4, 5, 6, 7]))[0]
    gaps = [later - earlier for earlier, later in pairwise(seconds)]
    assert (found.requests, found.span_s, found.mean_rps) == (7, 71, 6 / 71)
    assert (found.peak_1s_rps, found.peak_60s_rps) == (3, 4 / 60)
    assert found.gap_cv == pytest.approx(pstdev(gaps) / fmean(gaps))
    counts = [3, 1] + [0] * 68 + [2]
    assert found.dispersion_1s == pytest.approx(variance(counts) / fmean(counts))
    assert found.dispersion_60s is None
    prompt = found.prompt_tokens
    assert (prompt.mean, prompt.p50, prompt.p90, prompt.p99, prompt.max, prompt.total) == (4, 4, 7, 7, 7, 28)
    assert prompt.cv == pytest.approx(0.5)


def test_one_request_and_requests_at_once_have_no_rate() -> None:
    for seconds in ([0.0], [0.0, 0.0]):
        found = describe(trace_of(seconds))[0]
        assert (found.mean_rps, found.gap_cv, found.dispersion_1s) == (None, None, None)
        with pytest.raises(UsageError, match="have no rate to fit"):
            fit(trace_of(seconds))


def test_poisson_has_one_and_bursts_have_more() -> None:
    rng = np.random.default_rng(3)
    poisson = np.cumsum(rng.exponential(0.1, 100_000))
    arrival = (poisson * S).astype(np.int64)
    # Standard error of the index over n windows: sqrt(2 / n); 10,000 s.
    assert dispersion(arrival, S) == pytest.approx(1, abs=4 * math.sqrt(2 / 10_000))
    assert describe(trace_of(poisson))[0].gap_cv == pytest.approx(1, abs=0.02)
    assert dispersion(np.repeat(arrival, 4), S) == pytest.approx(4, abs=16 * math.sqrt(2 / 10_000))
    regular = np.arange(0, 1_000, 0.1)
    assert dispersion((regular * S).round().astype(np.int64), 10 * S) == pytest.approx(0, abs=1e-9)


def test_each_class_has_its_figures() -> None:
    trace = Trace(np.array([0, S, 2 * S]), np.array([1, 2, 3]), np.array([4, 5, 6]), ("a", "b"),
                  np.array([0, 1, 0], np.int32), {"start": None})
    found = describe(trace)
    assert [(each.name, each.requests, each.prompt_tokens.total) for each in found] == [
        ("all", 3, 6), ("a", 2, 4), ("b", 1, 2)]
    with pytest.raises(UsageError, match="the trace has 2 classes; choose one with --class: a, b"):
        fit(trace)
    assert fit(trace, "a").messages_per_day == 43_200


def test_a_lognormal_fits_itself_and_two_peaks_do_not() -> None:
    mu, sigma = lognormal_of(1_100, 0.9)
    drawn = np.maximum(1, np.random.default_rng(5).lognormal(mu, sigma, 50_000) + 0.5).astype(np.int64)
    found = fit(trace_of(np.arange(50_000.0), drawn, np.where(np.arange(50_000) % 2, 10, 1_000)))
    assert found.prompt_tokens.mean == pytest.approx(1_100, rel=0.02)
    assert found.prompt_tokens.cv == pytest.approx(0.9, rel=0.03)
    # The 99.9 % point of the Kolmogorov statistic is 1.95 / sqrt(n); fitted moments only lower it.
    assert found.prompt_tokens.ks_distance < 1.95 / math.sqrt(50_000)
    assert found.output_tokens.ks_distance > 0.25


def test_the_distance_by_hand() -> None:
    # All of 4 tokens: half of the lognormal's mass lies on each side of its median.
    tokens = np.full(10, 4, np.int64)
    assert ks_distance(tokens, 4.0, 0.0) == 0
    mu, sigma = lognormal_of(4.0, 1.0)
    low, high = (0.5 * (1 + math.erf((math.log(edge) - mu) / sigma / math.sqrt(2))) for edge in (3.5, 4.5))
    assert ks_distance(tokens, 4.0, 1.0) == pytest.approx(max(low, 1 - high))
    assert ks_distance(np.array([1]), 1.0, 0.0) == 0


def test_days_become_anchors_that_add_up() -> None:
    per_day = [2_000, 4_000, 1_000]
    seconds = np.concatenate([86_400 * (day + np.arange(count) / count) for day, count in enumerate(per_day)])
    seconds = np.append(seconds, 3 * 86_400.0)
    found = fit(trace_of(seconds, start="2024-05-10T06:00:00.500000000Z"))
    assert found.anchors is not None
    assert list(found.anchors) == ["2024-05-10T18:00:00Z", "2024-05-11T18:00:00Z", "2024-05-12T18:00:00Z"]
    values = list(found.anchors.values())
    assert [value / values[0] for value in values] == pytest.approx([1, 2, 0.5], rel=1e-5)
    # The curve hour by hour: constant outside the anchors, log-linear between them.
    hours = np.arange(0, 72, 0.01) + 0.005
    curve = np.exp(np.interp(hours, [12, 36, 60], np.log(values)))
    assert curve.mean() * 3 == pytest.approx(sum(per_day), rel=1e-4)
    assert fit(trace_of(seconds)).anchors is None, "no dates"
    assert fit(trace_of(seconds[:2_500], start="2024-05-10T06:00:00.5Z")).anchors is None, "too short"
