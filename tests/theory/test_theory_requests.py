"""Request level against queueing theory: with a batch of 1 and a shared queue the pool is that queue.

A request of p prompt tokens and one output token takes p microseconds, so service times are what the trace
says. Bounds are k = 4 standard errors from batch means.
"""

import math
from heapq import heapreplace

import numpy as np
import pytest
from scipy import stats

from fleetsim.engine.request_pool import Arrivals, RequestPool
from fleetsim.model.replica import Batching, ReplicaGroup, RequestClass, Routing
from fleetsim.model.step_law import StepLaw

MICROSECOND = StepLaw(step_ms=1e-6, prefill_us_per_token=1.0, decode_us_per_sequence=0.0, kv_ns_per_token=0.0,
                      kv_tokens=10**9, prefill_limit_tokens=10**9)
"""1,000 ns per prompt token, and the 1 ns that a step takes at least."""
SECOND_NS = 10**9
SERVICE_S = 0.1
"""Mean service time of the traces: 100,000 tokens, so that whole tokens do not show."""
PLAIN = RequestClass(name="plain")
K = 4.0


def trace(lam: float, count: int, seed: int, service_s: np.ndarray | None = None,
          class_: np.ndarray | None = None) -> Arrivals:
    """Poisson arrivals at `lam` per second; exponential service unless given."""
    numbers = np.random.default_rng(seed)
    arrival_ns = np.cumsum(numbers.exponential(SECOND_NS / lam, count)).astype(np.int64)
    if service_s is None:
        service_s = numbers.exponential(SERVICE_S, count)
    tokens = np.maximum(1, np.rint(service_s * 1e6)).astype(np.int64)
    zeros = np.zeros(count, np.int64)
    return Arrivals(arrival_ns, tokens, zeros + 1, zeros if class_ is None else class_)


def served(arrivals: Arrivals, servers: int, *classes: RequestClass, routing: Routing = "shared_queue",
           law: StepLaw = MICROSECOND) -> tuple[RequestPool, np.ndarray]:
    """The pool at its end, and the rows of all requests by number."""
    group = ReplicaGroup(replicas=servers, law=law, batching=Batching(max_batch=1))
    pool = RequestPool([group], classes or (PLAIN,), routing, trace=arrivals, keep_every=1)
    pool.run_out()
    rows = pool.taken()
    return pool, rows[np.argsort(rows.number)]


def service_ns(arrivals: Arrivals) -> np.ndarray:
    return np.asarray(arrivals.prompt_tokens * 1_000 + 1)


def waits_s(rows: np.ndarray, arrivals: Arrivals) -> np.ndarray:
    return np.asarray((rows.finish_ns - rows.arrival_ns - service_ns(arrivals)) / SECOND_NS)


def within(values: np.ndarray, expected: float, batches: int = 50) -> bool:
    """Whether the mean is within K standard errors of batch means of what is expected."""
    steady = values[len(values) // 20 :]
    means = np.array([part.mean() for part in np.array_split(steady, batches)])
    error = means.std(ddof=1) / math.sqrt(batches)
    assert 0 < error < 0.2 * max(expected, 1e-12), "too few requests to tell"
    return bool(abs(means.mean() - expected) < K * error)


def erlang_b(offered: float, servers: int) -> float:
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = offered * blocked / (k + offered * blocked)
    return blocked


def erlang_c(offered: float, servers: int) -> float:
    blocked = erlang_b(offered, servers)
    return blocked / (1 - offered / servers * (1 - blocked))


@pytest.mark.parametrize(("servers", "load"), [(1, 0.7), (3, 0.9), (100, 0.9)])
def test_finishes_are_those_of_kiefer_and_wolfowitz(servers: int, load: float) -> None:
    """Exactly, on the same arrivals: the earliest free server takes who waits longest."""
    arrivals = trace(load * servers / SERVICE_S, 100_000, seed=1)
    _, rows = served(arrivals, servers)
    free = [0] * servers
    finish = np.empty(len(rows), np.int64)
    for k, (arrival, service) in enumerate(zip(arrivals.arrival_ns, service_ns(arrivals), strict=True)):
        finish[k] = max(int(arrival), free[0]) + int(service)
        heapreplace(free, int(finish[k]))
    assert np.array_equal(rows.finish_ns, finish)


def test_lindley_with_decode_steps() -> None:
    """One server of the real law: S = b_p p + o (a + b_d + c p) + c o (o - 1) / 2, bit for bit."""
    law = StepLaw(step_ms=43.7, prefill_us_per_token=110, decode_us_per_sequence=353, kv_ns_per_token=66,
                  kv_tokens=1_414_000, prefill_limit_tokens=2_048)
    numbers = np.random.default_rng(2)
    p, o = numbers.integers(1, 2_000, 50_000), numbers.integers(1, 500, 50_000)
    service = 110_000 * p + o * (43_700_000 + 353_000 + 66 * p) + 66 * o * (o - 1) // 2
    arrival = np.cumsum(numbers.exponential(service.mean() / 0.8, len(p))).astype(np.int64)
    arrivals = Arrivals(arrival, p, o, np.zeros(len(p), np.int64))
    _, rows = served(arrivals, 1, law=law)
    finish, before = np.empty(len(p), np.int64), 0
    for k in range(len(p)):
        before = max(int(arrival[k]), before) + int(service[k])
        finish[k] = before
    assert np.array_equal(rows.finish_ns, finish)
    assert np.array_equal(rows.first_ns, finish - service + 110_000 * p + 43_700_000 + 353_000 + 66 * p)


def test_one_request_alone() -> None:
    """The worked example of 8 x A100, Llama-2-70B, 1,000 prompt and 250 output tokens, to the nanosecond."""
    law = StepLaw(step_ms=17.1, prefill_us_per_token=100, decode_us_per_sequence=62, kv_ns_per_token=29,
                  kv_tokens=1_414_000, prefill_limit_tokens=8_192)
    arrivals = Arrivals(*(np.array([value]) for value in (0, 1_000, 250, 0)))
    _, rows = served(arrivals, 1, law=law)
    assert (int(rows.first_ns[0]), int(rows.finish_ns[0])) == (117_191_000, 4_398_652_625)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.8), (10, 0.9), (100, 0.95)])
def test_waits_are_those_of_erlang_c(servers: int, load: float) -> None:
    lam = load * servers / SERVICE_S
    arrivals = trace(lam, 1_000_000, seed=servers)
    _, rows = served(arrivals, servers)
    wait_s = waits_s(rows, arrivals)
    late = erlang_c(load * servers, servers)
    rate = servers / SERVICE_S - lam
    assert within(wait_s, late / rate)
    assert within((wait_s > 0).astype(float), late)
    assert within((wait_s > 1 / rate).astype(float), late * math.exp(-1))


@pytest.mark.parametrize("cv", [0.0, 0.5, 2.0])
def test_waits_are_those_of_pollaczek_and_khinchine(cv: float) -> None:
    """M/G/1, and M/D/1 where the service does not vary."""
    numbers = np.random.default_rng(5)
    spread = math.log1p(cv * cv)
    service_s = SERVICE_S * np.exp(numbers.normal(-spread / 2, math.sqrt(spread), 1_000_000))
    load = 0.7
    arrivals = trace(load / SERVICE_S, len(service_s), seed=6, service_s=service_s)
    _, rows = served(arrivals, 1)
    assert within(waits_s(rows, arrivals), load / (1 - load) * (1 + cv * cv) / 2 * SERVICE_S)


def test_the_distribution_of_waits_of_m_d_1() -> None:
    """rho = 0.8: P(W <= 2.5 D) = 0.704852."""
    arrivals = trace(0.8 / SERVICE_S, 1_000_000, seed=7, service_s=np.full(1_000_000, SERVICE_S))
    _, rows = served(arrivals, 1)
    assert within((waits_s(rows, arrivals) <= 2.5 * SERVICE_S).astype(float), 0.704852)


def test_nobody_waits_with_servers_for_all() -> None:
    """M/G/infinity: the number in the system is Poisson, whatever the service times."""
    numbers = np.random.default_rng(8)
    service_s = numbers.choice([0.2, 1.0], 200_000) * SERVICE_S
    lam = 20 / service_s.mean()
    arrivals = trace(lam, len(service_s), seed=9, service_s=service_s)
    pool, rows = served(arrivals, 100)
    assert (waits_s(rows, arrivals) == 0).all()
    looks_ns = np.arange(20, int(arrivals.arrival_ns[-1] / SECOND_NS)) * SECOND_NS
    present = (np.searchsorted(np.sort(rows.arrival_ns), looks_ns, side="right")
               - np.searchsorted(np.sort(rows.finish_ns), looks_ns, side="right"))
    assert within(present.astype(float), 20.0, batches=20)
    assert present.var() == pytest.approx(20.0, rel=K * math.sqrt(2 / len(present)))
    assert pool.in_flight == 0


def test_priorities_are_those_of_cobham() -> None:
    """W_k = W0 / ((1 - s_(k-1)) (1 - s_k)), W0 = C / (c mu - lam), three classes on five servers."""
    servers, load, share = 5, 0.9, (0.2, 0.3, 0.5)
    lam = load * servers / SERVICE_S
    class_ = np.random.default_rng(10).choice(3, 1_000_000, p=share)
    arrivals = trace(lam, len(class_), seed=11, class_=class_)
    classes = [RequestClass(name=f"level-{k}", priority=k) for k in range(3)]
    _, rows = served(arrivals, servers, *classes)
    wait_s = waits_s(rows, arrivals)
    base = erlang_c(load * servers, servers) / (servers / SERVICE_S)
    for k in range(3):
        before, after = load * sum(share[:k]), load * sum(share[: k + 1])
        assert within(wait_s[class_ == k], base / ((1 - before) * (1 - after)))


def test_abandonment_is_that_of_erlang_a() -> None:
    """lam = 12, mu = theta = 1, c = 10: P(abandon) = 0.2136324, E[busy] = 9.436411."""
    arrivals = trace(12 / SERVICE_S, 1_000_000, seed=12)
    pool, rows = served(arrivals, 10, RequestClass(name="impatient", patience_s=SERVICE_S))
    left = rows.outcome == 1
    assert within(left.astype(float), 0.2136324)
    busy_ns = pool.state.replicas.active_ns.sum()
    assert busy_ns == service_ns(arrivals)[~left].sum()
    assert busy_ns / int(rows.finish_ns.max()) == pytest.approx(9.436411, rel=0.005)
    assert int(pool.state.classes[0].abandoned) == left.sum()


def test_blocking_is_that_of_erlang_b() -> None:
    """M/M/c/c as patience that ends at once: A = 90, c = 100 blocks 0.0269574."""
    arrivals = trace(90 / SERVICE_S, 1_000_000, seed=13)
    _, rows = served(arrivals, 100, RequestClass(name="now", max_wait_s=1e-9))
    assert within((rows.outcome == 2).astype(float), 0.0269574)


def test_little() -> None:
    """From empty to empty, the integral of the number is the sum of the times in the system, exactly."""
    arrivals = trace(0.95 * 10 / SERVICE_S, 100_000, seed=14)
    pool, rows = served(arrivals, 10)
    events = np.sort(np.concatenate([rows.arrival_ns, rows.finish_ns]))
    number = (np.searchsorted(np.sort(rows.arrival_ns), events, side="right")
              - np.searchsorted(np.sort(rows.finish_ns), events, side="right"))
    assert int((number[:-1] * np.diff(events)).sum()) == int((rows.finish_ns - rows.arrival_ns).sum())
    assert int(pool.state.replicas.active_ns.sum()) == int(service_ns(arrivals).sum())


@pytest.mark.parametrize("routing", ["round_robin", "two_choices", "join_shortest_queue"])
def test_better_knowledge_shortens_the_wait(routing: Routing) -> None:
    """Two choices of many replicas: the share with k requests or more tends to rho^(2^k - 1)."""
    replicas, load = 200, 0.9
    arrivals = trace(load * replicas / SERVICE_S, 400_000, seed=15)
    _, rows = served(arrivals, replicas, routing=routing)
    wait_s = waits_s(rows, arrivals)[len(rows) // 10 :]
    random = load / (1 - load) * SERVICE_S  # M/M/1, of a router that knows nothing
    fixed_point = sum(load ** (2**k - 1) for k in range(1, 12)) / load * SERVICE_S - SERVICE_S
    bounds = {"round_robin": (fixed_point, random), "two_choices": (0.9 * fixed_point, 1.1 * fixed_point),
              "join_shortest_queue": (0.0, fixed_point)}
    low, high = bounds[routing]
    assert low < wait_s.mean() < high


def test_poisson_arrivals_of_the_kernel() -> None:
    """Counts of a second are Poisson of its rate, gaps at one rate exponential, tokens lognormal."""
    rates = np.repeat([[50.0], [400.0], [0.0], [100.0]], 250, axis=0)
    group = ReplicaGroup(replicas=50, law=MICROSECOND, batching=Batching(max_batch=64))
    class_ = RequestClass(name="drawn", prompt_mean_tokens=1_000, prompt_cv=0.8, output_mean_tokens=1,
                          output_cv=0.0)
    pool = RequestPool([group], [class_], "round_robin", rates_rps=rates, rate_row_s=1.0, keep_every=1)
    pool.advance(1_100 * SECOND_NS)
    rows = pool.taken()
    rows = rows[np.argsort(rows.number)]
    seconds = np.bincount(rows.arrival_ns // SECOND_NS, minlength=1_000)
    for first, rate in ((0, 50), (250, 400), (750, 100)):
        part = seconds[first : first + 250]
        assert abs(part.mean() - rate) < K * math.sqrt(rate / 250)
        assert part.var() == pytest.approx(rate, rel=K * math.sqrt(2 / 250))
    assert seconds[500:750].sum() == 0
    arrival_s = rows.arrival_ns / SECOND_NS
    gaps = np.diff(arrival_s[(arrival_s > 250) & (arrival_s < 500)])
    assert stats.kstest(gaps, stats.expon(scale=1 / 400).cdf).pvalue > 1e-3
    sigma = math.sqrt(math.log1p(0.64))
    cdf = stats.lognorm(sigma, scale=1_000 * math.exp(-sigma**2 / 2)).cdf
    assert stats.kstest(rows.prompt, cdf).pvalue > 1e-3
    assert within(rows.prompt.astype(float), 1_000.0)
