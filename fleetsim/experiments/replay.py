"""A trace on replicas, request by request: latency, attainment, GPU-seconds and cost per request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.model.replica import Batching, ReplicaGroup, RequestClass, Routing
from fleetsim.timebase import HOUR_S, SECOND_NS

if TYPE_CHECKING:
    from fleetsim.engine.latency import Latency
    from fleetsim.spec.catalog.step_profile import StepProfile
    from fleetsim.spec.trace.canonical import Trace

QUANTILES = (0.5, 0.9, 0.99)


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
    slo_met: int
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

    @property
    def served(self) -> int:
        return sum(each.served for each in self.classes)

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
            "kernel_cpu_s": self.kernel_cpu_s,
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


def replay(trace: "Trace", *, service: str, gpu: str, replicas: int, profile: str = "2023-engine",
           routing: Routing = "join_shortest_queue", batching: Batching | None = None,
           classes: Sequence[RequestClass] | None = None, usd_per_gpu_hour: float | None = None,
           seed: int = 0) -> Replay:
    """Every request of a trace on `replicas` replicas of a service of the catalogue.

    `classes` says what the trace's classes expect, by name; by default nothing. All requests run to
    their end, the last ones beyond the trace.
    """
    import time

    from fleetsim.engine.latency import METRICS
    from fleetsim.engine.request_pool import Arrivals, RequestPool

    found = step_profile(service, gpu, profile)
    declared = {each.name: each for each in classes or ()}
    group = ReplicaGroup(replicas, found.law, found.gpus, batching or Batching())
    pool = RequestPool(
        [group], [declared.get(name, RequestClass(name)) for name in trace.class_names], routing, seed=seed,
        trace=Arrivals(trace.arrival_ns, trace.prompt_tokens, trace.output_tokens, trace.class_index))
    began = time.process_time()
    pool.run_out()
    kernel_cpu_s = time.process_time() - began
    first_ns = int(trace.arrival_ns[0]) if len(trace.arrival_ns) else 0
    return Replay(
        profile=profile, replicas=replicas, gpus=replicas * found.gpus, routing=routing,
        span_s=max(0, pool.last_change_ns - first_ns) / SECOND_NS,
        active_gpu_s=pool.active_gpu_s,
        kernel_cpu_s=kernel_cpu_s, usd_per_gpu_hour=usd_per_gpu_hour,
        classes=tuple(
            ClassReplay(name, pool.count(c, "arrived"), pool.count(c, "served"), pool.count(c, "rejected"),
                        pool.count(c, "abandoned") + pool.count(c, "shed"), pool.count(c, "slo_met"),
                        pool.count(c, "prompt_tokens"), pool.count(c, "output_tokens"),
                        {metric: pool.latency(c, metric) for metric in METRICS})
            for c, name in enumerate(trace.class_names)))
