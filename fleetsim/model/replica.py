"""Replicas: the smallest unit that serves a model, with its batch, its KV cache and its prefill."""

from dataclasses import dataclass, field
from math import inf
from typing import ClassVar, Literal

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.step_law import StepLaw
from fleetsim.units import Batch, Fraction, GpuCount, TokenLimit

Routing = Literal["shared_queue", "round_robin", "hash", "join_shortest_queue", "least_tokens",
                  "least_mean_tokens", "two_choices"]
"""Where a request goes: a queue of the pool from which replicas pull, or a replica at its arrival.

`least_tokens` knows how long each answer will be, which is a bound; `least_mean_tokens` the class's mean.
"""

MOST_REPLICAS = 65_536
"""Of a pool that is simulated request by request."""


@dataclass(frozen=True)
class Batching:
    """What a replica lets into its batch, and how it prefills and holds KV."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    max_batch: Batch = 256
    """Most sequences at once."""
    prefill: Literal["whole", "chunked"] = "whole"
    """Whole prompts in one step, or chunks that share a token budget with the decodes."""
    step_tokens: TokenLimit = 512
    """Token budget of a step (chunked): decodes first, then prompt chunks in queue order."""
    kv: Literal["reserved", "grown"] = "reserved"
    """KV for prompt and output at admission, or in blocks as tokens come, with preemption."""
    block_tokens: Batch = 16
    """Tokens of a KV block (grown)."""


@dataclass(frozen=True)
class ReplicaGroup:
    """Equal replicas."""

    replicas: int
    """How many."""
    law: StepLaw
    """Their step law."""
    gpus: GpuCount = 8
    """GPUs of one replica."""
    batching: Batching = field(default_factory=Batching)


@dataclass(frozen=True)
class RequestClass:
    """What the requests of a traffic class have in common."""

    name: str
    priority: int = 0
    """0 is served first."""
    patience_s: float = inf
    """Mean of the exponential patience until admission."""
    max_wait_s: float = inf
    """Longest wait that a policy allows."""
    cached_frac: Fraction = 0.0
    """Share of the prompt found in the prefix cache: no prefill, KV held."""
    prompt_mean_tokens: float = 1_000.0
    prompt_cv: float = 0.0
    output_mean_tokens: float = 250.0
    output_cv: float = 0.0
    context_limit_tokens: int = 128_000
    """Longest prompt and longest output."""
    ttft_slo_s: float = inf
    tpot_slo_s: float = inf
