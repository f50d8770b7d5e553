"""Services: a model as deployed, with its rates per GPU and its efficiency."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG, Dated, Labels
from fleetsim.model.hardware import GpuType
from fleetsim.model.replica import Batching, Routing
from fleetsim.model.step_law import StepLaw
from fleetsim.model.step_law_source import StepLawSource
from fleetsim.model.traffic import TokenCount
from fleetsim.units import Factor, GpuCount, GpuSeconds, TokenLimit, TokensPerSecond


@dataclass(frozen=True)
class Rates:
    """Benchmark throughput of one A100-80GB at saturation."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    prefill_tokens_per_s_per_gpu: TokensPerSecond
    """Prompt tokens per second and GPU; scales with the gpu type's `flops_factor`."""
    decode_tokens_per_s_per_gpu: TokensPerSecond
    """Output tokens per second and GPU; scales with the gpu type's `bandwidth_factor`."""


@dataclass(frozen=True)
class Service:
    """A model as deployed. Give `model`, `rates`, `gpu_s_per_call` or `step_law`, one of the four."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    model: str | None = None
    """Name of a deployed model in the catalogue, whose rates are used."""
    rates: Rates | None = None
    """Benchmark rates."""
    gpu_s_per_call: GpuSeconds | None = None
    """A100-seconds per call, where no rates are known; scales with `flops_factor`."""
    step_law: StepLawSource | None = None
    """Time of a step of continuous batching by gpu type: from the catalogue, own, or a roofline."""
    batching: Batching = field(default_factory=Batching)
    """What a replica lets into its batch (step law)."""
    routing: Routing = "join_shortest_queue"
    """Where a request goes: to the pool's queue, or to a replica at its arrival (step law)."""
    context_limit_tokens: TokenLimit = 128_000
    """Longest prompt and longest output of a call (step law)."""
    latency_table: str | None = None
    """Path of what `fleetsim calibrate` measured, relative to the scenario file (step law)."""
    efficiency_frac: Dated[Factor] = 1.0
    """Production throughput as a share of the benchmark; dated for re-engineering."""
    gpus_per_replica: GpuCount = 8
    """GPUs of one tensor-parallel group."""
    labels: Labels = field(default_factory=dict)
    """Free labels: columns of dim_service."""

    @property
    def laws(self) -> Mapping[str, StepLaw]:
        """The step law of a replica by gpu type; none when the service has no step law.

        The file edge fills in those of the catalogue and of a roofline.
        """
        return {} if self.step_law is None else self.step_law.gpus

    def gpu_seconds_per_call(self, prompt: TokenCount, output: TokenCount, name: str, gpu: GpuType,
                             cached_frac: float = 0.0) -> tuple[float, float]:
        """Prefill and decode GPU-seconds of one call at efficiency 1, on a gpu type by name.

        `cached_frac` of the prompt costs no prefill. `gpu_s_per_call` counts as prefill: nothing says how
        it divides. The factors of the gpu type do not act on a step law, which is the type's own.
        """
        if self.step_law is not None:
            chunk = self.batching.step_tokens if self.batching.prefill == "chunked" else 0
            prefill_s, decode_s = self.laws[name].replica_s_per_call(
                prompt.mean, output.mean, output.cv, self.batching.max_batch, cached_frac, chunk)
            return self.gpus_per_replica * prefill_s, self.gpus_per_replica * decode_s
        if self.gpu_s_per_call is not None:
            return self.gpu_s_per_call / gpu.flops_factor, 0.0
        assert self.rates is not None, "the file edge requires rates, gpu_s_per_call or a step law"
        read = prompt.mean * (1 - cached_frac)
        return (read / (self.rates.prefill_tokens_per_s_per_gpu * gpu.flops_factor),
                output.mean / (self.rates.decode_tokens_per_s_per_gpu * gpu.bandwidth_factor))


@dataclass(frozen=True)
class DeployedModel:
    """A catalogue entry: the benchmark rates of a model, with their source."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    rates: Rates
    """Benchmark rates on one A100-80GB."""
    active_parameters: Factor | None = None
    """Parameters used per token, in billions."""
    source: str = ""
    """Where the figures come from."""
    date: str = ""
    """When they were published."""
    grade: str = ""
    """A primary source, B named report, C widely cited and unverified, D own estimate."""
