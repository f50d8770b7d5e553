"""Calibration: a service's latency by load and replicas, measured on the request kernel."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf
from typing import Any

import numpy as np

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.model.latency_table import (
    FULL,
    LATENCY_BUCKETS,
    METRICS,
    OVER,
    LatencyPoint,
    LatencyTable,
    MixPart,
    Replica,
    latency_edges_s,
)
from fleetsim.model.replica import MOST_REPLICAS, ReplicaGroup, RequestClass
from fleetsim.model.scenario import Scenario
from fleetsim.model.service import Service
from fleetsim.timebase import SECOND_NS
from fleetsim.version import __version__

LOADS = (0.05, 0.2, 0.35, 0.5, 0.6, 0.7, 0.75, 0.8, 0.84, 0.88, 0.91, 0.93, 0.95, 0.96, 0.97, 0.98, 0.985,
         0.99, 1.0)
"""Closer together where latency bends more."""
REPLICAS = (1, 2, 4, 8, 16, 32, 64, 128)
REQUESTS = 50_000
LEAST_LOAD = 0.001
"""Below it nobody waits, and the requests counted would take years."""
WARMUP_FRAC, TAIL_FRAC = 0.2, 0.1
"""Of the requests counted, at least so many more come before, and after, at the same rate, not counted."""
SETTLE = 5.0
"""At least so many times a request's time on a full replica lies before and after what is counted."""
STABLE_FRAC = 0.99
"""Loads above this share of the measured saturation have a queue that would grow with the run, unless
everybody leaves in the end; then it comes and goes as slowly as they do."""
NEAR_FULL = 0.95
"""From this load on queues come and go over several times a request's time."""
TIMES = 150.0
"""At least so many times a request's time on a full replica lies in what is counted near full."""
PATIENCES = 20.0
"""And so many times the longest patience; one goes before."""
PATIENT_S = 300.0
"""Longest mean patience with which loads are measured that would have no end to their queue without it."""
MOST_TIMES = 20
"""Requests counted near full / those asked for, at most."""
SPREAD_REPLICAS = 16
"""Of the pool whose waits are compared."""
DEGRADED_FRAC = 0.1
"""Of its calls, what a class counts for at a service that it is only degraded to."""
Progress = Callable[[int, int], None]
"""Called with the points that are done and all of them."""


def calibrate(scenario: Scenario, service: str, *, loads: Sequence[float] = LOADS,
              replicas: Sequence[int] = REPLICAS, requests: int = REQUESTS, seed: int = 0,
              progress: Progress | None = None) -> LatencyTable:
    """The latency table of a service for the traffic of a scenario, on every gpu type with a step law.

    `loads` are offered work / capacity, work by the formula of the step law as the fluid model has it. On
    top, a replica that is kept full (FULL, counted from admission, without priorities or patience) and,
    for classes that are served before others, an overloaded pool (OVER). Latencies are of those that are
    served. UsageError when the service has no step law or no traffic, or a class is so rare that nothing
    of it is counted.
    """
    spec = _service(scenario, service)
    _check(loads, replicas, requests)
    mix = _mix(scenario, service)
    loads, replicas = sorted(set(loads)), sorted(set(replicas))
    over = [OVER] if len({part.priority for part in mix.values()}) > 1 else []
    done, everything = 0, len(spec.laws) * (2 + len(replicas) * len([*loads, *over]))
    points: list[LatencyPoint] = []
    measured: dict[str, Replica] = {}
    spread_s: dict[str, dict[str, float]] = {}
    for gpu in spec.laws:
        bench = _Bench(scenario, spec, gpu, mix, requests, seed)
        formula = bench.formula_rps
        full, rate = bench.run(1, OVER * formula, full=True)
        measured[gpu] = Replica(spec.laws[gpu], spec.gpus_per_replica, formula, rate, bench.settle_s)
        waiting, _ = bench.run(SPREAD_REPLICAS, OVER * formula * SPREAD_REPLICAS)
        spread_s[gpu] = bench.spread_s(waiting, rate)
        if bench.patience_s > PATIENT_S and loads[0] * formula > STABLE_FRAC * rate:
            raise UsageError(f"a replica on {gpu} is full at a load of {rate / formula:.3g}: give a load of "
                             f"at most {STABLE_FRAC * rate / formula:.3g}")
        done += 2
        for count in replicas:
            for load in [*loads, *over]:
                done += 1
                if progress is not None:
                    progress(done, everything)
                if load == OVER or load * formula <= STABLE_FRAC * rate or bench.patience_s <= PATIENT_S:
                    rows, _ = bench.run(count, load * formula * count, near_full=NEAR_FULL <= load < OVER)
                    points += bench.points(count, load, rows)
        points += bench.points(1, FULL, full)
    assert spec.step_law is not None, "checked before"
    return LatencyTable(service, spec.step_law.engine_profile, measured, spec.batching, spec.routing, mix,
                        seed, __version__, requests, WARMUP_FRAC, spread_s, tuple(points))


class _Bench:
    """A pool of equal replicas under a mix at a constant rate."""

    def __init__(self, scenario: Scenario, service: Service, gpu: str, mix: dict[str, MixPart], requests: int,
                 seed: int) -> None:
        self.service, self.gpu, self.mix = service, gpu, mix
        self.requests, self.seed = requests, seed
        self.shares = np.array([part.share_frac for part in mix.values()])
        costs = [sum(service.gpu_seconds_per_call(scenario.traffic[name].prompt_tokens,
                                                  scenario.traffic[name].output_tokens, gpu,
                                                  scenario.gpus[gpu], part.prefix_cached_frac))
                 for name, part in mix.items()]
        self.formula_rps = service.gpus_per_replica / float(self.shares @ np.array(costs))
        """Calls per second of one full replica: the fluid model's work, which adds up over classes."""
        law, most = service.laws[gpu], service.batching.max_batch
        batch = max(law.batch_at_saturation(part.prompt_mean_tokens, part.output_mean_tokens, part.output_cv,
                                            most) for part in mix.values())
        self.settle_s = SETTLE * batch / self.formula_rps
        self.patience_s = max(part.patience_s or inf for part in mix.values())
        """The longest of any class."""
        last = max(part.priority for part in mix.values())
        self.before_others = [part.priority < last for part in mix.values()]
        self.classes = [
            RequestClass(name, priority=part.priority, patience_s=part.patience_s or inf,
                         prompt_mean_tokens=part.prompt_mean_tokens, prompt_cv=part.prompt_cv,
                         output_mean_tokens=part.output_mean_tokens, output_cv=part.output_cv,
                         cached_frac=part.prefix_cached_frac,
                         context_limit_tokens=service.context_limit_tokens)
            for name, part in mix.items()]

    def run(self, replicas: int, rate_rps: float, *, full: bool = False,
            near_full: bool = False) -> tuple[Any, float]:
        """The requests counted, as the kernel's DONE rows, and those that ended per second meanwhile.

        `full` keeps a replica full; `near_full` takes longer, since queues come and go slowly.
        """
        from fleetsim.engine.request_pool import RequestPool
        from fleetsim.kernel.request.arrays import SERVED

        span_s = self.requests / (rate_rps / OVER if full else rate_rps)
        patience_s = self.patience_s if near_full and self.patience_s <= PATIENT_S else 0.0
        if near_full:
            least_s = max(TIMES / SETTLE * self.settle_s, PATIENCES * patience_s)
            span_s = min(max(span_s, least_s), MOST_TIMES * span_s)
        before_s, after_s = (max(frac * span_s, least_s) for frac, least_s in (
            (WARMUP_FRAC, self.settle_s + patience_s), (TAIL_FRAC, self.settle_s)))
        first_ns, last_ns = round(before_s * SECOND_NS), round((before_s + span_s) * SECOND_NS)
        group = ReplicaGroup(replicas, self.service.laws[self.gpu], self.service.gpus_per_replica,
                             self.service.batching)
        classes = self.classes
        if full:
            classes = [replace(each, priority=0, patience_s=inf) for each in classes]
        pool = RequestPool([group], classes, self.service.routing, seed=self.seed, keep_every=1,
                           rates_rps=(rate_rps * self.shares)[None, :],
                           rate_row_s=before_s + span_s + after_s)
        pool.run_out()
        rows: Any = pool.taken()
        rows = rows[rows.outcome == SERVED]
        ended = int(np.count_nonzero((rows.finish_ns >= first_ns) & (rows.finish_ns < last_ns)))
        if full:
            rows.arrival_ns[:] = rows.admitted_ns
        counted = rows[(rows.arrival_ns >= first_ns) & (rows.arrival_ns < last_ns)]
        return counted, ended / span_s

    def points(self, replicas: int, load_frac: float, rows: Any) -> list[LatencyPoint]:
        """One point for each class, of an overloaded pool for those that are served before others."""
        found = []
        for c, name in enumerate(self.mix):
            if load_frac == OVER and not self.before_others[c]:
                continue
            own = rows[rows.class_ == c]
            many = own[own.output > 1]
            times_ns = {"ttft": own.first_ns - own.arrival_ns, "e2e": own.finish_ns - own.arrival_ns,
                        "tpot": (many.finish_ns - many.first_ns) / (many.output - 1)}
            if not len(own):
                raise UsageError(f"no request of {name!r} is among the {self.requests} of a point; "
                                 "give more --requests")
            found.append(LatencyPoint(self.gpu, name, replicas, load_frac,
                                      {metric: _counts(times_ns[metric]) for metric in METRICS}))
        return found


    def spread_s(self, rows: Any, rate_rps: float) -> dict[str, float]:
        """By class: variance / mean of the waits of an overloaded pool, between its replicas.

        Half the mean square difference of two that follow each other: they mostly wait at different
        replicas, and what the whole pool's queue does in the meantime cancels out. Of a class of which
        nobody waits, the time between two admissions, as if they came at random.
        """
        rows, found = rows[np.argsort(rows.arrival_ns, kind="stable")], {}
        for c, name in enumerate(self.mix):
            own = rows[rows.class_ == c]
            waits_s = (own.admitted_ns - own.arrival_ns) / SECOND_NS
            some = len(own) > 1 and waits_s.any()
            found[name] = float((np.diff(waits_s) ** 2).mean() / 2 / waits_s.mean()) if some else 1 / rate_rps
        return found


def _counts(times_ns: Any) -> dict[int, int]:
    """Requests by bucket."""
    edges = np.array(latency_edges_s()) * SECOND_NS
    counts = np.bincount(np.minimum(np.searchsorted(edges, times_ns, side="right") - 1, LATENCY_BUCKETS - 1))
    return {int(b): int(counts[b]) for b in np.flatnonzero(counts)}


def _service(scenario: Scenario, name: str) -> Service:
    found = scenario.services.get(name)
    if found is None:
        raise UsageError(f"no service {name!r} ({did_you_mean(name, list(scenario.services))})")
    if not found.laws:
        known = [each for each, service in scenario.services.items() if service.laws]
        raise UsageError(f"service {name!r} has no step law, so its times are not known"
                         + (f"; these have: {', '.join(known)}" if known else "; give it a step_law"))
    return found


def _check(loads: Sequence[float], replicas: Sequence[int], requests: int) -> None:
    if not loads or not all(LEAST_LOAD <= load <= 1 for load in loads) or min(loads) >= 1:
        raise UsageError(f"loads lie from {LEAST_LOAD:g} up to 1, at least one of them below 1")
    if not replicas or not all(1 <= count <= MOST_REPLICAS for count in replicas):
        raise UsageError(f"replicas are whole numbers from 1 to {MOST_REPLICAS:,}")
    if requests < 100:
        raise UsageError(f"{requests} requests a point are too few for a percentile; give 100 or more")


def _mix(scenario: Scenario, service: str) -> dict[str, MixPart]:
    """The classes that use the service, by their expected calls over the horizon."""
    from fleetsim.engine.demand import Demand
    from fleetsim.engine.index import Index
    from fleetsim.rng import Streams

    index = Index.of(scenario)
    demand = Demand(scenario, index, Streams(0))
    calls = np.zeros(len(index.classes))
    month = 31 * 86_400 // scenario.horizon.step_s
    for first in range(0, scenario.horizon.steps, month):
        last = min(first + month, scenario.horizon.steps)
        rows, row = demand.mix(first, last)
        per_s = demand.expected(first, last)
        for c, slots in enumerate(index.slots):
            used = [m for m, slot in enumerate(slots) if slot == service and m != index.degrade_slot[c]]
            part = rows[row, c][:, used].sum(axis=1)
            if not used and service in slots:
                part = np.full(last - first, DEGRADED_FRAC)
            calls[c] += scenario.traffic[index.classes[c]].calls_per_message * float(per_s[:, c] @ part)
    users = [c for c, slots in enumerate(index.slots) if service in slots]
    if not users or calls[users].sum() <= 0:
        raise UsageError(f"no traffic class uses the service {service!r}")
    specs = {index.classes[c]: scenario.traffic[index.classes[c]] for c in users}
    return {name: MixPart(float(calls[c] / calls[users].sum()), spec.priority, spec.prompt_tokens.mean,
                          spec.prompt_tokens.cv, spec.output_tokens.mean, spec.output_tokens.cv,
                          spec.patience_s, spec.prefix_cached_frac)
            for c, (name, spec) in zip(users, specs.items(), strict=True)}
