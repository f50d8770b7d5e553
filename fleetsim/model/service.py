"""Services: a model as deployed, with its rates per GPU and its efficiency."""

from dataclasses import dataclass, field
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG, Dated, Labels
from fleetsim.units import Factor, GpuCount, GpuSeconds, TokensPerSecond


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
    """A model as deployed. Give `model`, `rates` or `gpu_s_per_call`, one of the three."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    model: str | None = None
    """Name of a deployed model in the catalogue, whose rates are used."""
    rates: Rates | None = None
    """Benchmark rates."""
    gpu_s_per_call: GpuSeconds | None = None
    """A100-seconds per call, where no rates are known; scales with `flops_factor`."""
    efficiency_frac: Dated[Factor] = 1.0
    """Production throughput as a share of the benchmark; dated for re-engineering."""
    gpus_per_replica: GpuCount = 8
    """GPUs of one tensor-parallel group."""
    labels: Labels = field(default_factory=dict)
    """Free labels."""

    def gpu_seconds_per_call(self, prompt_tokens: float, output_tokens: float,
                             flops_factor: float, bandwidth_factor: float) -> tuple[float, float]:
        """Prefill and decode GPU-seconds of one call at efficiency 1, on a GPU of these factors.

        `gpu_s_per_call` counts as prefill: nothing says how it divides.
        """
        if self.gpu_s_per_call is not None:
            return self.gpu_s_per_call / flops_factor, 0.0
        assert self.rates is not None, "the file edge requires rates or gpu_s_per_call"
        return (prompt_tokens / (self.rates.prefill_tokens_per_s_per_gpu * flops_factor),
                output_tokens / (self.rates.decode_tokens_per_s_per_gpu * bandwidth_factor))


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
