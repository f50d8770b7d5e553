"""A roofline: the step law of a replica from a model's shape, a gpu type and efficiencies.

    W       = parameters x bytes_per_weight             weights, byte
    kv_b    = 2 x layers x max(kv_heads, G) x head_dim x kv_bytes          KV of a token, byte
    t_w     = W / (G x bandwidth x e_bw);  c = kv_b / (G x bandwidth x e_kv)
    b       = 2 x active_parameters / (G x FLOP/s x e_f)
    t_step  = max(t_w, b x tokens) + c x KV tokens + all-reduces + host
    kv      = (memory_frac x memory - W / G - reserved) x G / kv_b, in whole blocks

G are the GPUs of a replica, tokens the batch and the prompt tokens of the step.
"""

from dataclasses import dataclass
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.hardware import GpuType
from fleetsim.model.step_law import BatchTime, PromptTime, StepLaw
from fleetsim.units import (
    Batch,
    Factor,
    GigaBytes,
    Microseconds,
    Milliseconds,
    OpenFraction,
    TokenLimit,
)

GIB = 2**30
LARGEST_BATCH = 65_536


@dataclass(frozen=True)
class ModelShape:
    """What of a model's architecture decides its speed."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    parameters: Factor
    """Parameters, in billions; all experts of a mixture."""
    layers: Batch
    """Transformer layers."""
    d_model: Batch
    """Width of the hidden state."""
    kv_heads: Batch
    """Heads of keys and values; a replica of more GPUs keeps copies."""
    head_dim: Batch
    """Width of a head."""
    active_parameters: Factor | None = None
    """Parameters used per token, in billions; all of them by default."""
    bytes_per_weight: Factor = 2.0
    """2 for 16-bit weights, 1 for 8-bit ones."""
    bytes_per_kv_element: Factor = 2.0
    """2 for a 16-bit KV cache."""
    bytes_per_activation: Factor = 2.0
    """2 for 16-bit all-reduces."""
    source: str = ""
    """Where the figures come from."""
    date: str = ""
    """When they were published."""
    grade: str = ""
    """A primary source, B named report, C widely cited and unverified, D own estimate."""

    @property
    def weight_bytes(self) -> float:
        """Weights of the whole model, byte."""
        return self.parameters * 1e9 * self.bytes_per_weight

    def kv_bytes_per_token(self, gpus: int) -> float:
        """KV of a token over all GPUs of a replica, byte."""
        return 2 * self.layers * max(self.kv_heads, gpus) * self.head_dim * self.bytes_per_kv_element


@dataclass(frozen=True)
class Roofline:
    """A model's shape, and the part of each hardware figure that the serving engine reaches."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    shape: str | ModelShape
    """Name of a model shape of the catalogue, or an own one."""
    flops_efficiency_frac: OpenFraction
    """Reached share of the dense 16-bit FLOP/s."""
    bandwidth_efficiency_frac: OpenFraction
    """Reached share of the memory bandwidth, reading weights."""
    kv_efficiency_frac: OpenFraction | None = None
    """Reached share of the memory bandwidth, reading KV; that of the weights by default."""
    link_efficiency_frac: OpenFraction = 1.0
    """Reached share of the link bandwidth."""
    all_reduce_us: Microseconds = 26.0
    """Latency of one all-reduce, two per layer; 26 us as measured by vidur on 8 x A100."""
    host_ms: Milliseconds = 0.0
    """Time of a step outside the GPU."""
    memory_frac: OpenFraction = 0.90
    """Share of the GPU's memory that the engine uses."""
    reserved_gb: GigaBytes = 2.0
    """Activations and graphs on each GPU; a GB of memory is 2^30 byte."""
    block_tokens: Batch = 16
    """The KV cache is a whole number of blocks of so many tokens."""
    prefill_limit_tokens: TokenLimit = 8_192
    """Most prompt tokens of one step for which the law is used."""

    def kv_tokens(self, gpu: GpuType, gpus: int) -> int:
        """KV cache of a replica, tokens in whole blocks; 0 or less when the weights leave no room."""
        shape = self.known_shape
        free = self.memory_frac * gpu.memory_gb * GIB - shape.weight_bytes / gpus - self.reserved_gb * GIB
        blocks = free * gpus / shape.kv_bytes_per_token(gpus) // self.block_tokens
        return int(blocks) * self.block_tokens

    def fewest_gpus(self, gpu: GpuType) -> int | None:
        """The smallest power of two of GPUs on which the model fits, up to 1,024."""
        return next((1 << k for k in range(11) if self.kv_tokens(gpu, 1 << k) > 0), None)

    @property
    def known_shape(self) -> ModelShape:
        """The shape itself; the file edge looks up the one that is named."""
        assert isinstance(self.shape, ModelShape), "the file edge puts a shape in place of its name"
        return self.shape

    def weight_read_s(self, gpu: GpuType, gpus: int) -> float:
        """Time to read the weights once."""
        return self.known_shape.weight_bytes / (
            gpus * gpu.bandwidth_gb_per_s * 1e9 * self.bandwidth_efficiency_frac)

    def kv_read_s(self, gpu: GpuType, gpus: int) -> float:
        """Time to read the KV of one token."""
        return self.known_shape.kv_bytes_per_token(gpus) / (
            gpus * gpu.bandwidth_gb_per_s * 1e9
            * (self.kv_efficiency_frac or self.bandwidth_efficiency_frac))

    def token_s(self, gpu: GpuType, gpus: int) -> float:
        """Arithmetic of one token, without attention."""
        shape = self.known_shape
        return 2 * (shape.active_parameters or shape.parameters) * 1e9 / self._flops(gpu, gpus)

    def law(self, gpu: GpuType, gpus: int) -> StepLaw:
        """The step law of a replica of `gpus` GPUs; ValueError when the model does not fit on them.

        The knee of max(t_w, b x tokens) is a point of both tables. In a step of both kinds the prompt
        stands above the weights' time for a batch of one, so that such a step is short of
        max(t_w, b x tokens) by at most b x (batch - 1). Attention adds 2 layers d_model s^2 operations to
        a prompt of s tokens, straight between powers of two.
        """
        capacity = self.kv_tokens(gpu, gpus)
        if capacity <= 0:
            raise ValueError("the weights leave no room for a KV cache")
        read_s, token_s = self.weight_read_s(gpu, gpus), self.token_s(gpu, gpus)
        knee = read_s / token_s
        limit = self.prefill_limit_tokens
        bends = (int(knee), int(knee) + 1)
        batches = sorted({1, *(n for n in bends if 1 <= n < LARGEST_BATCH), LARGEST_BATCH})
        prompts = sorted({1, *(n for n in bends if 1 <= n < limit),
                          *(1 << k for k in range(6, 34) if 1 << k < limit), max(2, limit)})
        kv_s = self.kv_read_s(gpu, gpus)
        return StepLaw(
            kv_ns_per_token=kv_s * 1e9, kv_tokens=capacity, prefill_limit_tokens=limit,
            decode_ms=tuple(BatchTime(n, 1e3 * self._step_s(gpu, gpus, n, 0)) for n in batches),
            prefill_ms=tuple(PromptTime(n, 1e3 * (self._step_s(gpu, gpus, 1, n) + kv_s * n))
                             for n in prompts))

    def _step_s(self, gpu: GpuType, gpus: int, batch: int, prompt: int) -> float:
        """A step of a batch and one prompt, without KV."""
        shape = self.known_shape
        tokens = batch + prompt
        attention_s = 2 * shape.layers * shape.d_model * prompt**2 / self._flops(gpu, gpus)
        arithmetic_s = self.token_s(gpu, gpus) * tokens + attention_s
        return (max(self.weight_read_s(gpu, gpus), arithmetic_s)
                + 2 * shape.layers * self._all_reduce_s(gpu, gpus, tokens) + self.host_ms / 1e3)

    def _all_reduce_s(self, gpu: GpuType, gpus: int, tokens: int) -> float:
        """One all-reduce of a step with so many tokens; none on one GPU."""
        if gpus == 1:
            return 0.0
        assert gpu.link_gb_per_s is not None, "the file edge asks for the link bandwidth"
        shape = self.known_shape
        sent = tokens * shape.d_model * shape.bytes_per_activation * 2 * (gpus - 1) / gpus
        return self.all_reduce_us / 1e6 + sent / (gpu.link_gb_per_s * 1e9 * self.link_efficiency_frac)

    def _flops(self, gpu: GpuType, gpus: int) -> float:
        return gpus * gpu.bf16_dense_tflops * 1e12 * self.flops_efficiency_frac
