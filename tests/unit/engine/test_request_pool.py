"""The pool at request level: splits, growth, and what it counts."""

from typing import Any

import numba
import numpy as np
import pytest

from fleetsim.engine.latency import Latency
from fleetsim.engine.request_pool import RequestPool
from fleetsim.kernel.request import histogram
from fleetsim.kernel.request.histogram import BUCKETS, edges_ns
from fleetsim.model.replica import Batching, ReplicaGroup, RequestClass, Routing
from fleetsim.spec import catalog

LAW = catalog.step_profiles()["llama-2-70b-2023-engine-a100-80gb"].law
CHAT = RequestClass("chat", prompt_mean_tokens=1_000, prompt_cv=0.8, output_mean_tokens=250, output_cv=0.8,
                    ttft_slo_s=1.0, tpot_slo_s=0.1)
SECOND_NS = 10**9


@numba.njit
def bucket(ns: int) -> Any:
    return histogram.bucket(ns)


def pool(load: float, replicas: int = 4, seed: int = 0, **batching: Any) -> RequestPool:
    """An hour at a load of the saturation rate."""
    lam = LAW.saturation_rps(1_000, 250, 0.8, 256) * load * replicas
    group = ReplicaGroup(replicas, LAW, batching=Batching(**batching))
    return RequestPool([group], [CHAT], "join_shortest_queue", seed=seed, rates_rps=np.full((12, 1), lam))


def test_every_time_has_its_bucket() -> None:
    edges = edges_ns()
    assert len(edges) == BUCKETS + 1
    for ns in [0, 1, 63, 64, 65, 127, 128, 129, 10**6 - 1, 2**40 - 1, 2**40, 2**53 + 1, 2**60 - 1, 2**61]:
        at = bucket(ns)
        assert edges[at] <= ns < edges[at + 1]
    widths = np.diff(edges)[64:-1] / edges[64:-2]
    assert widths.max() <= 1 / 64


def test_quantiles_are_within_a_hundredth() -> None:
    times = np.sort(np.random.default_rng(1).lognormal(18, 1.5, 20_000).astype(np.int64))
    counts = np.bincount([bucket(int(ns)) for ns in times], minlength=BUCKETS)
    for share in (0.5, 0.9, 0.99, 1.0):
        exact = times[int(np.ceil(share * len(times))) - 1] / SECOND_NS
        assert Latency(counts).quantile_s(share) == pytest.approx(exact, rel=0.008)
    assert Latency(counts).mean_s == pytest.approx(times.mean() / SECOND_NS, rel=0.005)
    assert Latency(np.zeros(BUCKETS, np.int64)).quantile_s(0.5) is None


def test_any_split_of_the_way_gives_the_same() -> None:
    whole, parts = pool(0.9), pool(0.9)
    whole.advance(600 * SECOND_NS)
    for until_s in (0, 1, 1, 59, 300, 600):
        parts.advance(until_s * SECOND_NS)
    for name in ("requests", "replicas", "latency", "classes"):
        assert np.array_equal(getattr(whole.state, name), getattr(parts.state, name)), name


def test_requests_are_conserved_and_slots_grow_in_overload() -> None:
    crowded = pool(3.0)
    first = len(crowded.state.requests)
    crowded.advance(600 * SECOND_NS)
    assert len(crowded.state.requests) > first
    assert crowded.count(0, "arrived") == crowded.count(0, "served") + crowded.in_flight
    crowded.run_out()
    assert crowded.count(0, "arrived") == crowded.count(0, "served")
    assert crowded.in_flight == 0


def test_throughput_in_overload_is_that_of_saturation() -> None:
    """Within 3 % of the closed form, which takes the batch as full all the time."""
    crowded = pool(2.0)
    crowded.advance(1_200 * SECOND_NS)
    before = crowded.count(0, "served")
    crowded.advance(3_600 * SECOND_NS)
    found = (crowded.count(0, "served") - before) / 2_400 / 4
    assert found == pytest.approx(LAW.saturation_rps(1_000, 250, 0.8, 256), rel=0.03)


def test_more_replicas_shorten_the_wait() -> None:
    """On the same requests: a router that sees only who waits would not tell the difference."""
    lam = LAW.saturation_rps(1_000, 250, 0.8, 256) * 4 * 0.9
    means = []
    for replicas in (4, 8, 40):
        group = ReplicaGroup(replicas, LAW)
        each = RequestPool([group], [CHAT], "join_shortest_queue", rates_rps=np.full((12, 1), lam))
        each.advance(3_600 * SECOND_NS)
        means.append(each.latency(0, "ttft").mean_s)
    assert means == sorted(means, reverse=True)
    assert len(set(means)) == 3


def test_lengths_do_not_shift_with_the_rate() -> None:
    """Common random numbers: the n-th request of a class has the same tokens at any rate."""
    rows = []
    for lam in (1.0, 3.0):
        each = RequestPool([ReplicaGroup(4, LAW)], [CHAT], "round_robin", rates_rps=np.full((12, 1), lam),
                           keep_every=1)
        each.advance(900 * SECOND_NS)
        each.run_out()
        taken = each.taken()
        rows.append(taken[np.argsort(taken["number"])][:500])
    assert np.array_equal(rows[0]["prompt"], rows[1]["prompt"])
    assert np.array_equal(rows[0]["output"], rows[1]["output"])
    assert not np.array_equal(rows[0]["arrival_ns"], rows[1]["arrival_ns"])


def test_rates_that_become_known_row_by_row_give_the_same_requests() -> None:
    rates = np.array([[3.0], [0.0], [8.0], [1.0]])
    pools = [RequestPool([ReplicaGroup(2, LAW)], [CHAT], "round_robin", rates_rps=rows, keep_every=1,
                         start_ns=7 * SECOND_NS) for rows in (rates, rates[:0])]
    pools[0].advance((7 + 1_200) * SECOND_NS)
    for k, row in enumerate(rates):
        pools[1].expect(row[None])
        pools[1].advance((7 + 300 * (k + 1)) * SECOND_NS)
    whole, parts = (each.taken() for each in pools)
    assert len(whole) > 1_000
    assert np.array_equal(whole, parts)
    assert whole.arrival_ns.min() >= 7 * SECOND_NS


def test_requests_taken_over_have_waited_before() -> None:
    """More than the batch holds: the oldest start at once, the others wait for them, and all are served."""
    taken = RequestPool([ReplicaGroup(1, LAW, batching=Batching(max_batch=4))], [CHAT], "shared_queue",
                        keep_every=1, start_ns=100 * SECOND_NS)
    taken.take_over(0, 2_000, 40 * SECOND_NS, 100 * SECOND_NS)
    assert taken.in_flight == 2_000
    taken.run_out()
    rows = np.sort(taken.taken(), order="number")
    even_ns = 40 * SECOND_NS + 30_000_000 * np.arange(2_000) + 15_000_000
    assert np.abs(rows.arrival_ns - even_ns).max() <= 1
    assert rows.admitted_ns[0] == 100 * SECOND_NS
    assert (np.diff(rows.admitted_ns) >= 0).all()
    assert rows.admitted_ns[4] > 100 * SECOND_NS
    waits = Latency(np.bincount([bucket(int(ns)) for ns in rows.admitted_ns - rows.arrival_ns],
                                minlength=BUCKETS))
    assert np.array_equal(waits.counts, taken.latency(0, "wait").counts)


@pytest.mark.parametrize("routing", ["shared_queue", "join_shortest_queue"])
def test_taken_over_patience_begins_anew_and_the_longest_wait_does_not(routing: Routing) -> None:
    """Without a replica everybody leaves, by patience or by the longest wait since arrival."""
    classes = [RequestClass("patient", patience_s=50.0), RequestClass("shed", max_wait_s=90.0)]
    taken = RequestPool([ReplicaGroup(1, LAW)], classes, routing, keep_every=1,
                        start_ns=100 * SECOND_NS)
    taken.fail(0)
    for c in (0, 1):
        taken.take_over(c, 4_000, 40 * SECOND_NS, 60 * SECOND_NS)
    taken.advance(10**4 * SECOND_NS)
    rows = taken.taken()
    left_s = (rows.finish_ns - 100 * SECOND_NS)[rows.class_ == 0] / SECOND_NS
    assert left_s.mean() == pytest.approx(50.0, abs=3 * 50 / 4_000**0.5)
    shed = rows[rows.class_ == 1]
    assert (shed.finish_ns - shed.arrival_ns == 90 * SECOND_NS).all()
    assert taken.count(0, "abandoned") == taken.count(1, "shed") == 4_000


def test_replicas_that_are_not_there_yet_take_nothing() -> None:
    two = RequestPool([ReplicaGroup(4, LAW)], [CHAT], "join_shortest_queue", rates_rps=np.full((4, 1), 2.0),
                      down=[0, 2], keep_every=1)
    two.advance(600 * SECOND_NS)
    assert set(two.taken().replica) == {1, 3}
    two.restore(2)
    two.advance(900 * SECOND_NS)
    assert 2 in two.taken().replica


def test_who_waits_and_for_how_long() -> None:
    """Waits of those admitted or gone and of those who still wait are all the waiting there was."""
    classes = [CHAT, RequestClass("brief", patience_s=20.0, max_wait_s=30.0, output_mean_tokens=200)]
    lam = LAW.saturation_rps(1_000, 250, 0.8, 16)
    crowded = RequestPool([ReplicaGroup(2, LAW, batching=Batching(max_batch=16))], classes,
                          "join_shortest_queue", rates_rps=np.full((4, 2), lam), keep_every=1)
    crowded.advance(900 * SECOND_NS)
    class_, _ = crowded.waiting()
    rows = crowded.taken()
    for c in (0, 1):
        own = rows[rows.class_ == c]
        left_ns = np.where(own.admitted_ns >= 0, own.admitted_ns, own.finish_ns) - own.arrival_ns
        running = crowded.count(c, "admitted") - int((own.admitted_ns >= 0).sum())
        assert 0 < running <= 32
        assert (class_ == c).sum() == crowded.count(c, "arrived") - len(own) - running
        assert crowded.count(c, "admitted") == crowded.latency(c, "wait").requests
        assert crowded.count(c, "waited_ns") >= left_ns.sum()
    crowded.run_out()
    rows = np.concatenate([rows, crowded.taken()]).view(np.recarray)
    left_ns = np.where(rows.admitted_ns >= 0, rows.admitted_ns, rows.finish_ns) - rows.arrival_ns
    for c in (0, 1):
        assert crowded.count(c, "waited_ns") == left_ns[rows.class_ == c].sum()
        served = rows[(rows.class_ == c) & (rows.outcome == 0)]
        assert crowded.count(c, "admitted_output_tokens") == served.output.sum()
    assert len(crowded.waiting()[0]) == 0
