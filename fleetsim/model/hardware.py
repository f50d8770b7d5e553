"""GPU types: what a GPU can do, and how much of an A100 it is for prefill and for decode."""

from dataclasses import dataclass
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import Factor, GpuCount


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
    gpus_per_node: GpuCount = 8
    """GPUs that fail and are repaired together."""
    source: str = ""
    """Where the figures come from."""
    date: str = ""
    """When they were published."""
    grade: str = ""
    """A primary source, B named report, C widely cited and unverified, D own estimate."""
