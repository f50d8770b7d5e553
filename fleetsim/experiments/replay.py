"""A trace on replicas, request by request: latency, attainment, GPU-seconds, energy and cost per request."""

import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from math import isfinite
from typing import TYPE_CHECKING, Any

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.experiments.steady_rates import Counts, SteadyRates
from fleetsim.model.replica import MOST_REPLICAS, Batching, ReplicaGroup, RequestClass, Routing
from fleetsim.timebase import HOUR_S, SECOND_NS

if TYPE_CHECKING:
    from fleetsim.engine.latency import Latency
    from fleetsim.engine.request_gauge import Gauge
    from fleetsim.engine.request_pool import RequestPool
    from fleetsim.kernel.arrays import Array
    from fleetsim.spec.catalog.step_profile import StepProfile
    from fleetsim.spec.trace.canonical import Trace

QUANTILES = (0.5, 0.9, 0.99)
J_PER_KWH = 3.6e6
SHORTEST_TICK_S = 1e-3
MOST_ROWS = 10_000_000
"""Of a time series: about 1 GB."""
LONGEST_S = 1e9
"""31 years: times in nanoseconds stay far below 64 bits."""
MOST_USD_PER_GPU_HOUR = 10_000
"""As in scenarios."""


@dataclass(frozen=True)
class ClassReplay:
    """What became of the requests of one class."""

    name: str
    arrived: int
    served: int
    rejected: int
    """Longer than the KV cache of a replica."""
    lost: int
    """Left by patience."""
    slo_met: int | None
    """None where the class has no service level."""
    prompt_tokens: int
    """Of the served."""
    output_tokens: int
    latency: "dict[str, Latency]"
    """By metric."""


@dataclass(frozen=True)
class Replay:
    """A replayed trace."""

    profile: str
    replicas: int
    gpus: int
    """Of all replicas."""
    routing: Routing
    span_s: float
    """From the first arrival to the last token."""
    active_gpu_s: float
    """GPU-seconds of replicas with a batch."""
    kernel_cpu_s: float
    """CPU of the simulation itself."""
    classes: tuple[ClassReplay, ...]
    usd_per_gpu_hour: float | None = None
    energy_j: float | None = None
    """Of the GPUs over the span, servers and cooling apart; None where the law has no power."""
    offered_load_frac: float | None = None
    """Mean arrival rate over that of full replicas; None where all requests come at once."""
    steady: SteadyRates | None = None
    """Rates without warm-up and drain; None where no time is left between them."""
    series_s: float | None = None
    """Time between the gauges."""
    gauges: "tuple[Gauge, ...]" = field(default=(), repr=False)
    """At 0, 1, 2, ... times `series_s`."""
    kept: "Array | None" = field(default=None, repr=False)
    """One request in `keep_every`, in order of their end (DONE of the kernel)."""

    @property
    def served(self) -> int:
        return sum(each.served for each in self.classes)

    @property
    def arrived(self) -> int:
        return sum(each.arrived for each in self.classes)

    @property
    def requests_per_cpu_s(self) -> float | None:
        """Speed of the simulation."""
        return self.arrived / self.kernel_cpu_s if self.kernel_cpu_s > 0 else None

    @property
    def energy_kwh(self) -> float | None:
        return None if self.energy_j is None else self.energy_j / J_PER_KWH

    @property
    def joules_per_request(self) -> float | None:
        """Energy per served request."""
        return None if self.energy_j is None or not self.served else self.energy_j / self.served

    @property
    def rented_gpu_s(self) -> float:
        """GPU-seconds of all replicas over the span."""
        return self.gpus * self.span_s

    @property
    def gpu_s_per_request(self) -> float | None:
        """Rented GPU-seconds per served request."""
        return self.rented_gpu_s / self.served if self.served else None

    @property
    def usd_per_request(self) -> float | None:
        """Price of the rented GPU-seconds per served request."""
        if self.gpu_s_per_request is None or self.usd_per_gpu_hour is None:
            return None
        return self.gpu_s_per_request / HOUR_S * self.usd_per_gpu_hour

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "profile": self.profile, "replicas": self.replicas, "gpus": self.gpus, "routing": self.routing,
            "span_s": self.span_s, "rented_gpu_s": self.rented_gpu_s, "active_gpu_s": self.active_gpu_s,
            "gpu_s_per_request": self.gpu_s_per_request, "usd_per_request": self.usd_per_request,
            "kernel_cpu_s": self.kernel_cpu_s, "requests_per_cpu_s": self.requests_per_cpu_s,
            "energy_kwh": self.energy_kwh, "joules_per_request": self.joules_per_request,
            "offered_load_frac": self.offered_load_frac,
            "steady": None if self.steady is None else asdict(self.steady),
            "classes": {each.name: {
                "arrived": each.arrived, "served": each.served, "rejected": each.rejected, "lost": each.lost,
                "slo_met": each.slo_met, "prompt_tokens": each.prompt_tokens,
                "output_tokens": each.output_tokens,
                **{f"{metric}_s": {"mean": found.mean_s, **{f"p{share * 100:g}": found.quantile_s(share)
                                                           for share in QUANTILES}}
                   for metric, found in each.latency.items()},
            } for each in self.classes},
        }


def step_profile(service: str, gpu: str, profile: str) -> "StepProfile":
    """The catalogue's step law of a service on a gpu type; UsageError names what there is."""
    from fleetsim.spec import catalog

    found = catalog.step_profiles().values()
    for each in found:
        if (each.service, each.gpu, each.profile) == (service, gpu, profile):
            return each
    for word, given, known in (("service", service, {each.service for each in found}),
                               ("gpu type", gpu, {each.gpu for each in found if each.service == service}),
                               ("profile", profile, {each.profile for each in found})):
        if given not in known:
            raise UsageError(f"no step law for {word} {given!r} ({did_you_mean(given, sorted(known))})")
    raise UsageError(f"no step law of {service} on {gpu} under {profile}")


def replay(trace: "Trace | str | os.PathLike[str]", *, service: str, gpu: str, replicas: int,
           profile: str = "2023-engine", routing: Routing = "join_shortest_queue",
           batching: Batching | None = None, classes: Sequence[RequestClass] | None = None,
           usd_per_gpu_hour: float | None = None, seed: int = 0, requests: int | None = None,
           load_frac: float | None = None, warm_up_s: float = 0.0, series_s: float | None = None,
           keep_every: int = 0) -> Replay:
    """Every request of a trace on `replicas` replicas of a service of the catalogue.

    `classes` says what the trace's classes expect, by name; by default nothing. All requests run to
    their end, the last ones beyond the trace. `requests` replays a resample of so many requests, `load_frac`
    stretches time so that the arrivals ask for that share of what the replicas can serve. Rates leave the
    first `warm_up_s` out, and what comes after the last arrival. `series_s` notes batch, KV, queue and active
    GPUs so often; one request in `keep_every` is kept (0: none). UsageError for what cannot be.
    """
    import time

    from fleetsim.engine.request_gauge import gauge_of
    from fleetsim.engine.request_pool import Arrivals, RequestPool
    from fleetsim.experiments.offered_load import at_load, offered_load_frac
    from fleetsim.experiments.resample import resample

    found = step_profile(service, gpu, profile)
    group = ReplicaGroup(replicas, found.law, found.gpus, batching or Batching())
    _check(replicas, warm_up_s, series_s, keep_every)
    check_price(usd_per_gpu_hour)
    given = opened(trace)
    if requests is not None:
        given = resample(given, requests, seed=seed)
    if load_frac is not None:
        given = at_load(given, load_frac, group)
    declared = {each.name: each for each in classes or ()}
    pool = RequestPool(
        [group], [declared.get(name, RequestClass(name)) for name in given.class_names], routing, seed=seed,
        keep_every=keep_every,
        trace=Arrivals(given.arrival_ns, given.prompt_tokens, given.output_tokens, given.class_index))
    pool.advance(0)  # with the line below: loads the compiled kernels, which is no time of the simulation
    gauge_of(pool)
    began = time.process_time()
    steady, gauges = _run(pool, given, replicas * found.gpus, round(warm_up_s * SECOND_NS),
                          None if series_s is None else round(series_s * SECOND_NS))
    kernel_cpu_s = time.process_time() - began
    gpus, span_s = replicas * found.gpus, _end_ns(pool, given) / SECOND_NS
    return Replay(
        profile=profile, replicas=replicas, gpus=gpus, routing=routing, span_s=span_s,
        active_gpu_s=pool.active_gpu_s, kernel_cpu_s=kernel_cpu_s, usd_per_gpu_hour=usd_per_gpu_hour,
        energy_j=_joules(pool, found, gpus * span_s), offered_load_frac=offered_load_frac(given, group),
        steady=steady, series_s=series_s, gauges=gauges, kept=pool.taken() if keep_every else None,
        classes=tuple(_of_class(pool, c, name) for c, name in enumerate(given.class_names)))


def opened(trace: "Trace | str | os.PathLike[str]") -> "Trace":
    """The trace, read where a path is given."""
    if isinstance(trace, str | os.PathLike):
        from fleetsim.spec.trace.canonical import read_trace

        return read_trace(os.fspath(trace))
    return trace


def _check(replicas: int, warm_up_s: float, series_s: float | None, keep_every: int) -> None:
    if not 1 <= replicas <= MOST_REPLICAS:
        raise UsageError(f"a replay takes 1 to {MOST_REPLICAS:,} replicas, not {replicas:,}")
    if not (isfinite(warm_up_s) and 0 <= warm_up_s < LONGEST_S):
        raise UsageError(f"a warm-up takes 0 s or more, not {warm_up_s:g}")
    if series_s is not None and not (isfinite(series_s) and SHORTEST_TICK_S <= series_s < LONGEST_S):
        raise UsageError(f"a series has a row every {SHORTEST_TICK_S:g} s or less often, not {series_s:g}")
    if keep_every < 0:
        raise UsageError(f"one request in 1 or more is kept, not in {keep_every}")


def check_price(usd_per_gpu_hour: float | None) -> None:
    """UsageError for a price that is no amount."""
    if usd_per_gpu_hour is not None and not 0 <= usd_per_gpu_hour <= MOST_USD_PER_GPU_HOUR:
        raise UsageError(f"a price is 0 to {MOST_USD_PER_GPU_HOUR:,} USD per GPU-hour, not "
                         f"{usd_per_gpu_hour:g}")


def _end_ns(pool: "RequestPool", trace: "Trace") -> int:
    """From the first arrival to the last token."""
    return max(0, pool.last_change_ns - int(trace.arrival_ns[0]))


def _run(pool: "RequestPool", trace: "Trace", gpus: int, warm_up_ns: int,
         tick_ns: int | None) -> "tuple[SteadyRates | None, tuple[Gauge, ...]]":
    """Every request to its end; the rates in between, and the gauges."""
    from fleetsim.engine.request_series import RequestSeries

    last_ns = int(trace.arrival_ns[-1])
    if tick_ns is not None and last_ns > MOST_ROWS * tick_ns:
        raise UsageError(f"a series with a row every {tick_ns / SECOND_NS:g} s of "
                         f"{last_ns / SECOND_NS:,.0f} s has more than {MOST_ROWS:,} rows; take "
                         "them further apart")
    if warm_up_ns and warm_up_ns >= last_ns:
        raise UsageError(f"a warm-up of {warm_up_ns / SECOND_NS:g} s leaves nothing of a trace of "
                         f"{last_ns / SECOND_NS:,.0f} s")
    moved = pool if tick_ns is None else RequestSeries(pool, tick_ns)
    moved.advance(warm_up_ns)
    first = Counts.of(pool, warm_up_ns / SECOND_NS)
    moved.advance(last_ns + 1)  # an arrival at the time itself is still to come
    last = Counts.of(pool, (last_ns + 1) / SECOND_NS)
    moved.run_out()
    end = Counts.of(pool, _end_ns(pool, trace) / SECOND_NS)
    return (SteadyRates.between(first, last, end, gpus),
            tuple(moved.gauges) if isinstance(moved, RequestSeries) else ())


def _joules(pool: "RequestPool", profile: "StepProfile", rented_gpu_s: float) -> float | None:
    from fleetsim.engine.request_gauge import gauge_of

    if profile.power is None:
        return None
    end = gauge_of(pool)
    return profile.power.joules(rented_gpu_s, end.active_gpu_s, end.prefill_gpu_s)


def _of_class(pool: "RequestPool", c: int, name: str) -> ClassReplay:
    from fleetsim.engine.latency import HISTOGRAMS

    expected = pool.classes[c]
    aimed = isfinite(expected.ttft_slo_s) or isfinite(expected.tpot_slo_s)
    return ClassReplay(
        name, pool.count(c, "arrived"), pool.count(c, "served"), pool.count(c, "rejected"),
        pool.count(c, "abandoned") + pool.count(c, "shed"), pool.count(c, "slo_met") if aimed else None,
        pool.count(c, "prompt_tokens"), pool.count(c, "output_tokens"),
        {metric: pool.latency(c, metric) for metric in HISTOGRAMS})
