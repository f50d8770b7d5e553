"""The scalar rules that the fluid kernel and its reference have in common, against theory and scipy."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, special, stats

from fleetsim.kernel.arrays import BUCKETS_PER_OCTAVE, FIRST_EDGE_S, WAIT_BUCKETS
from fleetsim.kernel.formulas import (
    NORMAL_ABOVE,
    age_of_oldest,
    binomial_quantile,
    drain_queue,
    kept_after,
    nearest,
    normal_quantile,
    poisson_quantile,
    surviving,
    wait_bucket,
)
from fleetsim.kernel.noise import correlated, factors, gamma_table

STEP_S = 300.0
PROBABILITIES = [1e-12, 1e-6, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1 - 1e-6, 1 - 1e-10]


# A queue that is served, that people leave and that turns people away when it is full:
# dQ/dt = arrivals - capacity - Q/T while 0 < Q < most

@dataclass(frozen=True)
class Reached:
    """Where `solve_ivp` stops: the queue is empty, or as long as it may be."""

    messages: float
    terminal: ClassVar = True

    def __call__(self, _: float, state: Any) -> float:
        return float(state[0]) - self.messages


NAMES = ("served", "abandoned", "turned", "left", "integral", "busy_s")


def by_integration(waiting: float, arriving: float, capacity: float, patience_s: float, step_s: float,
                   most: float) -> tuple[float, ...]:
    """drain_queue by solving the differential equation, with events where the queue is empty or full."""
    net_per_s = (arriving - capacity) / step_s
    if waiting <= 0 and net_per_s <= 0:
        return arriving, 0.0, 0.0, 0.0, 0.0, 0.0

    def change(_: float, state: Any) -> list[float]:
        return [net_per_s - state[0] / patience_s, state[0]]

    reached = Reached(0.0 if net_per_s < 0 else most)
    full_at_once = net_per_s > waiting / patience_s and waiting >= most
    watch = net_per_s < 0 or (net_per_s > 0 and math.isfinite(most) and not full_at_once)
    solved = integrate.solve_ivp(change, (0.0, 1e-9 if full_at_once else step_s), [waiting, 0.0], rtol=1e-11,
                                 atol=1e-10, events=reached if watch else None, method="DOP853")
    until_s, left, integral = float(solved.t[-1]), float(solved.y[0, -1]), float(solved.y[1, -1])
    if net_per_s > 0 and until_s < step_s:  # full from here on
        integral += most * (step_s - until_s)
        left, until_s = most, step_s
    abandoned = integral / patience_s
    turned = max(0.0, waiting + arriving - capacity - abandoned - left) if left >= most else 0.0
    return waiting + arriving - abandoned - turned - left, abandoned, turned, left, integral, until_s


@pytest.mark.parametrize("most", [math.inf, 5_000.0, 60.0, 51.0])
@pytest.mark.parametrize("patience_s", [5.0, 60.0, 1_000.0, 50_000.0, math.inf])
@pytest.mark.parametrize(("waiting", "arriving", "capacity"), [
    (0.0, 100.0, 300.0), (0.0, 300.0, 100.0), (0.0, 100.0, 0.0), (50.0, 0.0, 0.0), (50.0, 0.0, 300.0),
    (1e-9, 100.0, 300.0), (50.0, 100.0, 100.0), (40.0, 300.0, 310.0), (50.0, 7_000.0, 3_000.0),
    (1.0, 1e6, 2e6), (1.0, 2e6, 1e6),
])
def test_drain_queue_solves_its_differential_equation(waiting: float, arriving: float, capacity: float,
                                                      patience_s: float, most: float) -> None:
    exact = by_integration(waiting, arriving, capacity, patience_s, STEP_S, most)
    found = drain_queue(waiting, arriving, capacity, patience_s, STEP_S, most)
    scale = waiting + arriving + capacity
    messages = 1e-7 * scale
    tolerances = (messages, messages, messages, messages, messages * STEP_S, 1e-5 * STEP_S)
    for name, value, expected, tolerance in zip(NAMES, found, exact, tolerances, strict=True):
        assert value == pytest.approx(expected, rel=1e-7, abs=tolerance), name


AMOUNT = st.sampled_from([0.0, 1e-9, 1e-3]) | st.floats(0.01, 1e9)
PATIENCE = st.just(math.inf) | st.floats(0.1, 1e12)
MODERATE = st.just(0.0) | st.floats(1e-9, 1e5)
ROOM = st.just(math.inf) | st.sampled_from([0.0, 1.0]) | st.floats(0.0, 1e9)


@given(AMOUNT, AMOUNT, AMOUNT, PATIENCE, ROOM)
def test_drain_queue_loses_nothing(waiting: float, arriving: float, capacity: float, patience_s: float,
                                   room: float) -> None:
    most = waiting + room
    found = drain_queue(waiting, arriving, capacity, patience_s, STEP_S, most)
    served, abandoned, turned, left, integral, busy_s = found
    rounding = 1e-12 * (waiting + arriving + capacity)
    assert min(found) >= 0
    assert busy_s <= STEP_S
    assert served <= capacity + rounding
    assert served + abandoned + turned + left == pytest.approx(waiting + arriving, rel=1e-12)
    assert left <= most + rounding
    assert turned <= rounding or left >= most - rounding
    assert integral <= (waiting + arriving) * STEP_S * (1 + 1e-9)
    if math.isfinite(patience_s):  # whoever waits leaves at the rate 1/T
        rounding *= 1_000 * (1 + STEP_S / patience_s)
        assert abandoned == pytest.approx(integral / patience_s, rel=1e-6, abs=rounding)


@given(MODERATE, MODERATE, MODERATE, ROOM)
def test_endless_patience_is_the_limit_of_long_patience(waiting: float, arriving: float, capacity: float,
                                                        room: float) -> None:
    long = drain_queue(waiting, arriving, capacity, 1e13, STEP_S, waiting + room)
    endless = drain_queue(waiting, arriving, capacity, math.inf, STEP_S, waiting + room)
    scale = waiting + arriving + capacity
    for name, value, expected in zip(NAMES[:5], long, endless, strict=False):
        tolerance = 1e-2 if name == "integral" else 1e-4
        assert value == pytest.approx(expected, rel=1e-5, abs=tolerance * scale), name


@given(MODERATE, MODERATE, MODERATE, st.floats(1.0, 1e6), st.integers(2, 4), ROOM)
def test_the_parts_of_a_step_are_the_whole_step(waiting: float, arriving: float, capacity: float,
                                                patience_s: float, parts: int, room: float) -> None:
    """The solution is exact within a step of constant rates: splitting it changes nothing."""
    most = waiting + room
    whole = drain_queue(waiting, arriving, capacity, patience_s, STEP_S, most)
    sums, left = np.zeros(6), waiting
    for _ in range(parts):
        part = drain_queue(min(left, most), arriving / parts, capacity / parts, patience_s, STEP_S / parts,
                           most)
        sums += part
        left = part[3]
    scale = waiting + arriving + capacity
    assert left == pytest.approx(whole[3], rel=1e-7, abs=1e-8 * scale)
    assert sums[:3] == pytest.approx(whole[:3], rel=1e-7, abs=1e-8 * scale)
    assert sums[4] == pytest.approx(whole[4], rel=1e-7, abs=1e-6 * scale)


def test_closed_forms_of_a_queue_by_hand() -> None:
    # 100 wait, nobody comes, capacity 50 a second and nobody leaves: empty after 2 s.
    drained = drain_queue(100.0, 0.0, 15_000.0, math.inf, 300.0, math.inf)
    assert drained == (100.0, 0.0, 0.0, 0.0, 100.0, 2.0)
    # The same with patience T = 2 s: X = -100, empty at T ln 2, integral = T (100 - 100 ln 2).
    served, abandoned, _, left, integral, busy_s = drain_queue(100.0, 0.0, 15_000.0, 2.0, 300.0, math.inf)
    assert (left, busy_s) == (0.0, pytest.approx(2 * math.log(2)))
    assert integral == pytest.approx(200 * (1 - math.log(2)))
    assert (abandoned, served) == (pytest.approx(integral / 2), pytest.approx(100 - integral / 2))
    # No capacity: the queue grows towards arrivals x T.
    _, _, _, left, _, _ = drain_queue(0.0, 3_000.0, 0.0, 30.0, 300.0, math.inf)
    assert left == pytest.approx(10 * 30 * (1 - math.exp(-10)))
    # Room for 100, 20 a second come and 10 are served: full after 10 s, then 10 a second are turned away.
    full = drain_queue(0.0, 6_000.0, 3_000.0, math.inf, 300.0, 100.0)
    assert full == (3_000.0, 0.0, 2_900.0, 100.0, 500.0 + 29_000.0, 300.0)


@given(st.floats(1e-3, 1e6), st.floats(0.0, 1.0), PATIENCE)
def test_the_oldest_of_those_left_is_as_old_as_it_takes_to_have_so_many(per_s: float, part: float,
                                                                        patience_s: float) -> None:
    """With s seconds of arrivals left, surviving(s) of them wait: age_of_oldest is its inverse."""
    age_s = part * STEP_S
    left = surviving(per_s, age_s, patience_s)
    found = age_of_oldest(left, per_s, patience_s, STEP_S)
    rounding = 1e-13 * min(patience_s, 1e12) * math.exp(min(age_s / patience_s, 50.0))
    assert found <= STEP_S
    if age_s / patience_s < 25:  # beyond, all messages but a rounding error have left
        assert found == pytest.approx(age_s, rel=1e-6, abs=max(1e-6, rounding))


def test_patience_thins_a_cohort_as_its_exponential_says() -> None:
    assert kept_after(30.0, 60.0) == stats.expon(scale=60.0).sf(30.0)
    assert kept_after(1e9, math.inf) == 1.0
    thinned, _ = integrate.quad(lambda age: 7.0 * math.exp(-age / 60.0), 0.0, 300.0)
    assert surviving(7.0, 300.0, 60.0) == pytest.approx(thinned, rel=1e-12)
    assert surviving(7.0, 300.0, math.inf) == 2_100.0


# Counts by inversion


def binomial_count(n: int, p: float, u: float) -> int:
    return int(binomial_quantile(n, p, math.log1p(-p) if p < 1 else -math.inf, u))


MEANS = [1e-6, 0.01, 0.3, 1.0, 3.7, 20.0, 90.0, 199.9]


@pytest.mark.parametrize("mean", MEANS)
def test_poisson_counts_are_the_quantiles(mean: float) -> None:
    u = np.array([*PROBABILITIES, *np.linspace(0.0005, 0.9995, 300)])
    exact = stats.poisson.ppf(u, mean)
    assert [poisson_quantile(mean, float(p)) for p in u] == exact.tolist()


@pytest.mark.parametrize("p", [1e-5, 0.0139, 0.2, 0.5, 0.97, 0.9999])
@pytest.mark.parametrize("n", [1, 2, 7, 40, 200, 390])
def test_binomial_counts_are_the_quantiles(n: int, p: float) -> None:
    u = np.array([*PROBABILITIES[2:-2], *np.linspace(0.0005, 0.9995, 300)])
    exact = stats.binom.ppf(u, n, p)
    assert [binomial_count(n, p, float(q)) for q in u] == exact.tolist()


@pytest.mark.parametrize("mean", [NORMAL_ABOVE * 1.0001, 300.0, 1_000.0, 20_000.0, 1e6])
def test_large_poisson_counts_are_within_one_of_the_quantiles(mean: float) -> None:
    """The expansion is off by one at most between 1e-6 and 1 - 1e-6, and in one count in ten or fewer."""
    u = np.array([1e-6, 1e-4, *np.linspace(0.0005, 0.9995, 2_000), 1 - 1e-4, 1 - 1e-6])
    off = np.array([poisson_quantile(mean, float(p)) for p in u]) - stats.poisson.ppf(u, mean)
    assert np.abs(off).max() <= 1
    assert np.mean(off != 0) <= 0.1
    assert abs(np.mean(off)) <= 0.05


@pytest.mark.parametrize(("n", "p"), [(30_000, 0.0139), (1_000, 0.3), (2_500, 0.9), (10**6, 0.001)])
def test_large_binomial_counts_are_within_one_of_the_quantiles(n: int, p: float) -> None:
    u = np.array([1e-6, 1e-4, *np.linspace(0.0005, 0.9995, 2_000), 1 - 1e-4, 1 - 1e-6])
    off = np.array([binomial_count(n, p, float(q)) for q in u]) - stats.binom.ppf(u, n, p)
    assert np.abs(off).max() <= 1
    assert np.mean(off != 0) <= 0.1
    assert abs(np.mean(off)) <= 0.05


def test_counts_at_the_edges() -> None:
    assert poisson_quantile(0.0, 0.999) == 0
    assert binomial_count(0, 0.5, 0.999) == 0
    assert binomial_count(9, 0.0, 0.999) == 0
    assert binomial_count(9, 1.0, 0.001) == 9
    assert binomial_count(9, 0.5, 1 - 2.0**-53) <= 9
    assert poisson_quantile(5.0, 1 - 2.0**-53) < 60


@given(st.floats(0.0, 5_000.0), st.floats(1e-9, 1 - 1e-9), st.floats(1e-9, 1 - 1e-9))
def test_more_probability_is_never_a_smaller_count(mean: float, u: float, v: float) -> None:
    assert poisson_quantile(mean, min(u, v)) <= poisson_quantile(mean, max(u, v))
    p = mean / 5_000
    assert binomial_count(1_000, p, min(u, v)) <= binomial_count(1_000, p, max(u, v))


def test_normal_quantiles_are_within_their_relative_error() -> None:
    u = np.concatenate([np.geomspace(2.0**-54, 0.02425, 3_000), np.linspace(0.02426, 0.97574, 3_001),
                        1 - np.geomspace(1e-15, 0.02425, 3_000)])
    u = u[u != 0.5]
    z = np.array([normal_quantile(float(p)) for p in u])
    exact = special.ndtri(u)
    assert np.abs(z / exact - 1).max() < 1.2e-9
    assert normal_quantile(0.5) == 0.0


# Noise


@pytest.mark.parametrize(("cv", "bound"), [(0.03, 1e-12), (0.1, 1e-10), (0.5, 1e-6), (1.0, 5e-5)])
def test_noise_is_a_gamma_quantile_of_phi_of_z(cv: float, bound: float) -> None:
    """The interpolated quantiles are exact to this relative error, far into both tails."""
    z = np.linspace(-7.9, 7.9, 20_001)
    found = np.empty(len(z))
    factors(z, np.zeros(len(z)), 1.0, gamma_table(cv), found)
    law = stats.gamma(1 / cv**2, scale=cv**2)
    exact = np.where(z < 0, law.ppf(stats.norm.cdf(z)), law.isf(stats.norm.sf(z)))
    assert np.abs(found / exact - 1).max() < bound


@pytest.mark.parametrize("cv", [0.03, 0.1, 0.5])
def test_noise_has_mean_one_and_its_coefficient_of_variation(cv: float) -> None:
    z = np.linspace(-7.9, 7.9, 40_001)
    found = np.empty(len(z))
    factors(z, np.zeros(len(z)), 1.0, gamma_table(cv), found)
    weight = stats.norm.pdf(z)
    mean = integrate.trapezoid(found * weight, z)
    assert mean == pytest.approx(1.0, abs=1e-6)
    assert math.sqrt(integrate.trapezoid(found**2 * weight, z) - mean**2) == pytest.approx(cv, rel=1e-4)


def test_noise_mixes_what_is_common_and_what_is_a_classs_own() -> None:
    together, own, found = np.array([0.7]), np.array([-0.4]), np.empty(1)
    factors(together, own, 0.25, gamma_table(0.1), found)
    z = math.sqrt(0.25) * 0.7 - math.sqrt(0.75) * 0.4
    assert found[0] == pytest.approx(stats.gamma(100, scale=0.01).ppf(stats.norm.cdf(z)), rel=1e-9)


def test_noise_is_correlated_in_time_as_an_ar1_of_variance_one() -> None:
    u = np.random.default_rng(1).random(400_000)
    last, coefficient = np.full(1, np.nan), math.exp(-300 / 1_800)
    z = np.empty(u.size)
    correlated(u, coefficient, last, z)
    assert last[0] == z[-1]
    spread = 4 * math.sqrt((1 + coefficient**2) / (1 - coefficient**2) / len(z))
    assert np.var(z) == pytest.approx(1.0, abs=2 * spread)
    assert np.corrcoef(z[1:], z[:-1])[0, 1] == pytest.approx(coefficient, abs=spread)
    halves = np.full(1, np.nan)
    pieces = np.empty(2_000)
    for part in (slice(1_000), slice(1_000, 2_000)):
        correlated(u[part], coefficient, halves, pieces[part])
    assert pieces.tolist() == z[:2_000].tolist()


def test_halves_are_rounded_up() -> None:
    assert [nearest(value) for value in (-0.5, -0.2, 0.49, 0.5, 1.5, 2.5)] == [0, 0, 0, 1, 2, 3]


# Wait buckets


def test_wait_buckets_lie_between_their_edges() -> None:
    edges = [0.0] + [FIRST_EDGE_S * 2 ** (b / BUCKETS_PER_OCTAVE) for b in range(1, WAIT_BUCKETS)]
    for b in range(1, WAIT_BUCKETS - 1):
        middle = 0.06 if b == 1 else math.sqrt(edges[b - 1] * edges[b])
        assert wait_bucket(middle) == b
        assert wait_bucket(edges[b] * (1 - 1e-12)) == b
        assert wait_bucket(edges[b] * (1 + 1e-12)) == b + 1
    for octave in range(27):  # whole powers of two are exact: a bucket ends, exclusive, at its edge
        edge = FIRST_EDGE_S * 2**octave
        assert wait_bucket(edge) == min(1 + BUCKETS_PER_OCTAVE * octave, WAIT_BUCKETS - 1)
    assert wait_bucket(0.0) == 0
    assert wait_bucket(1e-300) == 1
    assert wait_bucket(1e30) == WAIT_BUCKETS - 1
