"""The step law of a replica: how long one iteration of continuous batching takes."""

from dataclasses import dataclass
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import Microseconds, NanosecondsPerToken, StepMilliseconds, TokenLimit

US_PER_NS = 1_000
NS_PER_MS = 1_000_000


@dataclass(frozen=True)
class StepLaw:
    """step = step_ms + prefill of the step's prompt tokens + decode of its batch + KV read.

    One step makes one output token for every sequence in the batch. Each coefficient is rounded once to
    whole nanoseconds, so that k steps at once take exactly as long as k steps one by one.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG

    step_ms: StepMilliseconds
    """Weights read from memory, launches, the fixed part of the all-reduces, ms per step."""
    prefill_us_per_token: Microseconds
    """Arithmetic of prefill, microseconds per prompt token."""
    decode_us_per_sequence: Microseconds
    """Arithmetic, sampling and all-reduce of one decoded token, microseconds per sequence of the batch."""
    kv_ns_per_token: NanosecondsPerToken
    """Read of the KV cache, ns per token held at the start of the step."""
    kv_tokens: TokenLimit
    """KV cache of one replica, tokens."""
    prefill_limit_tokens: TokenLimit
    """Most prompt tokens of one step for which the law holds."""

    @property
    def prefill_ns(self) -> int:
        """ns per prompt token."""
        return round(self.prefill_us_per_token * US_PER_NS)

    @property
    def kv_ns(self) -> int:
        """ns per KV token and step."""
        return round(self.kv_ns_per_token)

    def decode_ns(self, max_batch: int) -> list[int]:
        """Time of a step without prefill and KV by batch, 0 to `max_batch`, ns."""
        base, each = round(self.step_ms * NS_PER_MS), round(self.decode_us_per_sequence * US_PER_NS)
        return [base + each * n for n in range(max_batch + 1)]

    def step_ns(self, batch: int, kv_tokens: float, prefill_tokens: int = 0) -> float:
        """Time of one step with this batch, KV at its start and prompt tokens."""
        return (round(self.step_ms * NS_PER_MS) + round(self.decode_us_per_sequence * US_PER_NS) * batch
                + self.kv_ns * kv_tokens + self.prefill_ns * prefill_tokens)

    def saturation_rps(self, prompt_mean: float, output_mean: float, output_cv: float,
                       max_batch: int) -> float:
        """Requests per second at which one replica is full, for independent prompt and output lengths.

        lam = 1 / (E[o] (a / n + b_d + c kv) + b_p E[p]) with kv = E[p] + E[o^2] / (2 E[o]) and
        n = min(max_batch, KV capacity / (E[p] + E[o^2] / E[o])).
        """
        square = output_mean * (1 + output_cv**2)
        held = prompt_mean + square / 2
        batch = max(1.0, min(max_batch, self.kv_tokens / (prompt_mean + square)))
        decode = self.decode_ns(max_batch)
        per_token = decode[0] / batch + (decode[max_batch] - decode[0]) / max_batch + self.kv_ns * held
        return 1e9 / (output_mean * per_token + self.prefill_ns * prompt_mean)
