"""Latency tables for tests: made up, by a rule that a test can follow."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from fleetsim.model.latency_table import (
    FULL,
    LATENCY_BUCKETS,
    METRICS,
    OVER,
    LatencyPoint,
    LatencyTable,
    MixPart,
    latency_edges_s,
)
from fleetsim.model.replica import Batching

BUCKETS = {"ttft": 100, "tpot": 80, "e2e": 200}
"""Bucket of every request of a metric at load 0; each hundredth of load moves it up by one."""


def latency_bucket(seconds: float) -> int:
    """The bucket of a time."""
    return min(bisect_right(latency_edges_s(), seconds), LATENCY_BUCKETS) - 1


def bucket_at(metric: str, load_frac: float, replicas: int = 1, place: int = 0) -> int:
    """Where `made_up` puts all requests of a point; fewer replicas take longer, `place` is the class's.

    A replica kept full has what load 1 would have.
    """
    few = 10 if replicas == 1 and load_frac < FULL else 0
    return BUCKETS[metric] + round(100 * (1.0 if load_frac == FULL else load_frac)) + few + place


def made_up(service: str, gpus: Iterable[str], classes: Sequence[str], *,
            loads: Sequence[float] = (0.2, 0.6, 0.9), replicas: Sequence[int] = (1, 16),
            single_token: int = 0, spread_s: float = 0.0, over: Sequence[str] = ()) -> LatencyTable:
    """A table in which all 100 requests of a point take one time; `single_token` of them have no TPOT.

    `over` are the classes with points of an overloaded pool.
    """
    def counts(load: float, number: int, place: int) -> Mapping[str, Mapping[int, int]]:
        requests = dict.fromkeys(METRICS, 100) | {"tpot": 100 - single_token}
        return {metric: {bucket_at(metric, load, number, place): requests[metric]} for metric in METRICS}

    at = [*((number, load) for number in replicas for load in (*loads, OVER)), (1, FULL)]
    points = tuple(LatencyPoint(gpu, name, number, load, counts(load, number, place))
                   for gpu in gpus for place, name in enumerate(classes) for number, load in at
                   if load != OVER or name in over)
    mix = {name: MixPart(1 / len(classes), 1, 1_000, 0.0, 250, 0.0) for name in classes}
    return LatencyTable(service, "test", {}, Batching(), "join_shortest_queue", mix, 0, "0", 100, 0.2,
                        {gpu: dict.fromkeys(classes, spread_s) for gpu in gpus}, points)
