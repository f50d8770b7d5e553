"""GPU types: what a GPU can do, and how much of an A100 it is for prefill and for decode."""

from dataclasses import dataclass
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import Factor, Fraction, GpuCount


@dataclass(frozen=True)
class GpuType:
    """A catalogue entry. Factors are *delivered* work per GPU relative to one A100-80GB SXM."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    bf16_dense_tflops: Factor
    """Dense BF16 arithmetic, TFLOP/s."""
    memory_gb: Factor
    """HBM capacity, GB."""
    bandwidth_gb_per_s: Factor
    """HBM bandwidth, GB/s."""
    tdp_w: Factor
    """Thermal design power of one GPU, W."""
    server_w_per_gpu: Factor
    """Rated power of the whole server divided by its GPUs, W."""
    flops_factor: Factor
    """Delivered prefill and training speed relative to an A100-80GB."""
    bandwidth_factor: Factor
    """Delivered decode speed relative to an A100-80GB."""
    idle_power_frac: Fraction = 0.30
    """Draw of an idle server / its rated power."""
    decode_power_frac: Fraction = 0.54
    """Draw of the GPU itself while it decodes / its thermal design power; on prompts it is at its limit."""
    link_gb_per_s: Factor | None = None
    """Bandwidth of one GPU's links to the others of its node, one direction, GB/s; for rooflines."""
    gpus_per_node: GpuCount = 8
    """GPUs that fail and are repaired together."""
    source: str = ""
    """Where the figures come from."""
    date: str = ""
    """When they were published."""
    grade: str = ""
    """A primary source, B named report, C widely cited and unverified, D own estimate."""

    @property
    def prefill_w(self) -> float:
        """Draw per GPU with its share of the server while it reads prompts, W."""
        return self.server_w_per_gpu

    @property
    def decode_w(self) -> float:
        """The same while it writes outputs, W."""
        return self.server_w_per_gpu - self.tdp_w * (1.0 - self.decode_power_frac)

    @property
    def idle_w(self) -> float:
        """The same while it does nothing, W."""
        return self.server_w_per_gpu * self.idle_power_frac
