"""Calibration: a service's latency by load and replicas, measured on the request kernel."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.model.latency_table import (
    FULL,
    LATENCY_BUCKETS,
    METRICS,
    LatencyPoint,
    LatencyTable,
    MixPart,
    Replica,
    latency_edges_s,
)
from fleetsim.model.replica import ReplicaGroup, RequestClass
from fleetsim.model.scenario import Scenario
from fleetsim.model.service import Service
from fleetsim.timebase import SECOND_NS
from fleetsim.version import __version__

LOADS = (0.05, 0.2, 0.35, 0.5, 0.6, 0.7, 0.75, 0.8, 0.84, 0.88, 0.91, 0.93, 0.95, 0.96, 0.97, 0.98, 0.985)
"""Closer together where latency bends more."""
REPLICAS = (1, 4, 16, 64)
REQUESTS = 50_000
WARMUP_FRAC, TAIL_FRAC = 0.2, 0.1
"""Of the requests counted, at least so many more come before, and after, at the same rate, not counted."""
SETTLE = 5.0
"""At least so many times a request's time on a full replica lies before and after what is counted."""
STABLE_FRAC = 0.99
"""Loads above this share of the measured saturation are left out: their queue would grow with the run."""
KEPT_FULL = 1.25
"""Arrivals / saturation where a replica is kept full."""
DEGRADED_FRAC = 0.1
"""Of its calls, what a class counts for at a service that it is only degraded to."""
Progress = Callable[[int, int], None]
"""Called with the points that are done and all of them."""


def calibrate(scenario: Scenario, service: str, *, loads: Sequence[float] = LOADS,
              replicas: Sequence[int] = REPLICAS, requests: int = REQUESTS, seed: int = 0,
              progress: Progress | None = None) -> LatencyTable:
    """The latency table of a service for the traffic of a scenario, on every gpu type with a step law.

    `loads` are offered work / capacity, work by the formula of the step law as the fluid model has it. A
    replica that is kept full stands in the table as load 1, counted from admission, without priorities.
    Patience does not act: the table is of those that are served. UsageError when the service has no step
    law or no traffic, or a class is so rare that nothing of it is counted.
    """
    spec = _service(scenario, service)
    _check(loads, replicas, requests)
    mix = _mix(scenario, service)
    done, everything = 0, len(spec.laws) * (1 + len(replicas) * len([load for load in loads if load < FULL]))
    points: list[LatencyPoint] = []
    measured: dict[str, Replica] = {}
    for gpu in spec.laws:
        bench = _Bench(scenario, spec, gpu, mix, requests, seed)
        formula = bench.formula_rps
        full, rate = bench.run(1, KEPT_FULL * formula, full=True)
        measured[gpu] = Replica(spec.laws[gpu], spec.gpus_per_replica, formula, rate, bench.settle_s)
        done += 1
        for count in sorted(replicas):
            for load in sorted(load for load in loads if load < FULL):
                done += 1
                if progress is not None:
                    progress(done, everything)
                if load * formula <= STABLE_FRAC * rate:
                    points += bench.points(count, load, bench.run(count, load * formula * count)[0])
        points += bench.points(1, FULL, full)
    assert spec.step_law is not None, "checked before"
    return LatencyTable(service, spec.step_law.engine_profile, measured, spec.batching, spec.routing, mix,
                        seed, __version__, requests, WARMUP_FRAC, tuple(points))


class _Bench:
    """A pool of equal replicas under a mix at a constant rate."""

    def __init__(self, scenario: Scenario, service: Service, gpu: str, mix: dict[str, MixPart], requests: int,
                 seed: int) -> None:
        self.service, self.gpu, self.mix = service, gpu, mix
        self.requests, self.seed = requests, seed
        self.shares = np.array([part.share_frac for part in mix.values()])
        costs = [sum(service.gpu_seconds_per_call(scenario.traffic[name].prompt_tokens,
                                                  scenario.traffic[name].output_tokens, gpu,
                                                  scenario.gpus[gpu])) for name in mix]
        self.formula_rps = service.gpus_per_replica / float(self.shares @ np.array(costs))
        """Calls per second of one full replica: the fluid model's work, which adds up over classes."""
        law, most = service.laws[gpu], service.batching.max_batch
        batch = max(law.batch_at_saturation(part.prompt_mean_tokens, part.output_mean_tokens, part.output_cv,
                                            most) for part in mix.values())
        self.settle_s = SETTLE * batch / self.formula_rps
        self.classes = [
            RequestClass(name, priority=part.priority, prompt_mean_tokens=part.prompt_mean_tokens,
                         prompt_cv=part.prompt_cv, output_mean_tokens=part.output_mean_tokens,
                         output_cv=part.output_cv, context_limit_tokens=service.context_limit_tokens)
            for name, part in mix.items()]

    def run(self, replicas: int, rate_rps: float, *, full: bool = False) -> tuple[Any, float]:
        """The requests counted, as the kernel's DONE rows, and those that ended per second meanwhile."""
        from fleetsim.engine.request_pool import RequestPool
        from fleetsim.kernel.request.arrays import SERVED

        span_s = self.requests / (rate_rps / KEPT_FULL if full else rate_rps)
        before_s, after_s = (max(frac * span_s, self.settle_s) for frac in (WARMUP_FRAC, TAIL_FRAC))
        first_ns, last_ns = round(before_s * SECOND_NS), round((before_s + span_s) * SECOND_NS)
        group = ReplicaGroup(replicas, self.service.laws[self.gpu], self.service.gpus_per_replica,
                             self.service.batching)
        classes = [replace(each, priority=0) for each in self.classes] if full else self.classes
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
        """One point for each class."""
        found = []
        for c, name in enumerate(self.mix):
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
    if not loads or min(loads) <= 0 or max(loads) > FULL or min(loads) >= FULL:
        raise UsageError("loads lie above 0 and up to 1, at least one of them below 1")
    if not replicas or min(replicas) < 1:
        raise UsageError("replicas are whole numbers from 1 on")
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
                          spec.prompt_tokens.cv, spec.output_tokens.mean, spec.output_tokens.cv)
            for c, (name, spec) in zip(users, specs.items(), strict=True)}
