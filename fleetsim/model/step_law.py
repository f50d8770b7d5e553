"""The step law of a replica: how long one iteration of continuous batching takes."""

from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import Batch, Microseconds, NanosecondsPerToken, StepMilliseconds, TokenLimit

US_PER_NS = 1_000
NS_PER_MS = 1_000_000
Points = tuple[tuple[int, int], ...]
"""(batch or tokens, ns), in rising order."""


@dataclass(frozen=True)
class BatchTime:
    """A point of a table of step times by batch."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    batch: Batch
    """Sequences that make a token."""
    ms: StepMilliseconds
    """Time of the step without reading KV."""


@dataclass(frozen=True)
class PromptTime:
    """A point of a table of step times by prompt tokens."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    tokens: TokenLimit
    """Prompt tokens of the step."""
    ms: StepMilliseconds
    """Time of the step that prefills them as one prompt, alone, first token included."""


@dataclass(frozen=True)
class StepLaw:
    """step = decode of its batch + prefill of the step's prompt tokens + KV read.

    One step makes one output token for every sequence in the batch. Decode is `step_ms` and
    `decode_us_per_sequence`, or the table `decode_ms`; prefill is `prefill_us_per_token`, or the table
    `prefill_ms`. Tables are straight between their points. Everything is rounded once to whole
    nanoseconds, so that k steps at once take exactly as long as k steps one by one.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG

    kv_ns_per_token: NanosecondsPerToken
    """Read of the KV cache, ns per token held at the start of the step."""
    kv_tokens: TokenLimit
    """KV cache of one replica, tokens."""
    prefill_limit_tokens: TokenLimit
    """Most prompt tokens of one step for which the law holds."""
    step_ms: StepMilliseconds | None = None
    """Weights read from memory, launches, the fixed part of the all-reduces, ms per step."""
    decode_us_per_sequence: Microseconds | None = None
    """Arithmetic, sampling and all-reduce of one decoded token, microseconds per sequence of the batch."""
    prefill_us_per_token: Microseconds | None = None
    """Arithmetic of prefill, microseconds per prompt token."""
    decode_ms: tuple[BatchTime, ...] = ()
    """Step times by batch from 1 on, in place of `step_ms` and `decode_us_per_sequence`; the last is the
    largest batch that a service may have."""
    prefill_ms: tuple[PromptTime, ...] = ()
    """Step times by prompt tokens, in place of `prefill_us_per_token`; fewer tokens than the first take as
    long as the first, and the last slope continues beyond the last."""

    def __post_init__(self) -> None:
        straight = (self.step_ms is not None, self.decode_us_per_sequence is not None)
        if bool(self.decode_ms) == any(straight) or (any(straight) and not all(straight)):
            raise ValueError("give step_ms and decode_us_per_sequence, or decode_ms in place of the two")
        if bool(self.prefill_ms) == (self.prefill_us_per_token is not None):
            raise ValueError("give prefill_us_per_token or prefill_ms, one of the two")
        if self.decode_ms and self.decode_ms[0].batch != 1:
            raise ValueError("decode_ms starts at batch 1")
        if any(b.batch <= a.batch for a, b in pairwise(self.decode_ms)):
            raise ValueError("the batches of decode_ms rise from point to point")
        if self.prefill_ms:
            self._check_prefill()

    def _check_prefill(self) -> None:
        """ValueError when the table of prefill makes no law."""
        points = self.prefill_ms
        if len(points) < 2 or any(b.tokens <= a.tokens for a, b in pairwise(points)):
            raise ValueError("prefill_ms has at least two points, whose tokens rise from one to the next")
        if points[-1].tokens < self.prefill_limit_tokens:
            raise ValueError("prefill_limit_tokens lies beyond the last point of prefill_ms")
        added = [ns for _, ns in self.prefill_points]
        if min(added) < 0:
            raise ValueError("a step of prefill_ms takes less time than the same step without its prompt")
        if added[-1] < added[-2]:
            raise ValueError("the last two points of prefill_ms rise: their slope continues beyond them")

    @property
    def prefill_ns(self) -> int:
        """ns per prompt token; 0 with a table."""
        return round((self.prefill_us_per_token or 0.0) * US_PER_NS)

    @property
    def kv_ns(self) -> int:
        """ns per KV token and step."""
        return round(self.kv_ns_per_token)

    @property
    def largest_batch(self) -> int | None:
        """Batch beyond which the law says nothing; None where it is a straight line."""
        return self.decode_ms[-1].batch if self.decode_ms else None

    @property
    def prefill_points(self) -> Points:
        """What prompts add to a step, by their tokens: the table less decode of batch 1 and its KV read."""
        one = self._decode_points[0][1] if self.decode_ms else self._decode_points[1][1]
        return tuple((each.tokens, round(each.ms * NS_PER_MS) - one - self.kv_ns * each.tokens)
                     for each in self.prefill_ms)

    @property
    def _decode_points(self) -> Points:
        """Time of a step by batch; of a straight law, its ends at batch 0 and 1."""
        if self.decode_ms:
            return tuple((each.batch, round(each.ms * NS_PER_MS)) for each in self.decode_ms)
        assert self.step_ms is not None, "checked when made"
        assert self.decode_us_per_sequence is not None, "checked when made"
        base, each = round(self.step_ms * NS_PER_MS), round(self.decode_us_per_sequence * US_PER_NS)
        return (0, base), (1, base + each)

    def decode_ns(self, max_batch: int) -> list[int]:
        """Time of a step without prefill and KV by batch, 0 to `max_batch`, ns.

        A step of prompts alone (batch 0) takes as long as one of batch 1 where there is a table.
        Raises ValueError for a batch beyond the table.
        """
        if self.largest_batch is not None and max_batch > self.largest_batch:
            raise ValueError(f"a batch of {max_batch} is beyond the last point, {self.largest_batch}")
        points = self._decode_points
        return [interpolated(points, n) for n in range(max_batch + 1)]

    def prefill_time_ns(self, tokens: int) -> int:
        """What so many prompt tokens add to a step, ns."""
        if not self.prefill_ms:
            return self.prefill_ns * tokens
        return interpolated(self.prefill_points, tokens) if tokens else 0

    def step_ns(self, batch: int, kv_tokens: float, prefill_tokens: int = 0) -> float:
        """Time of one step with this batch, KV at its start and prompt tokens."""
        return (interpolated(self._decode_points, batch) + self.kv_ns * kv_tokens
                + self.prefill_time_ns(prefill_tokens))

    def batch_at_saturation(self, prompt_mean: float, output_mean: float, output_cv: float,
                            max_batch: int) -> float:
        """Sequences of a full replica: the largest batch, or as many as its KV cache holds."""
        square = output_mean * (1 + output_cv**2)
        return max(1.0, min(max_batch, self.kv_tokens / max(1.0, prompt_mean + square)))

    def replica_s_per_call(self, prompt_mean: float, output_mean: float, output_cv: float, max_batch: int,
                           cached_frac: float = 0.0, chunk_tokens: int = 0) -> tuple[float, float]:
        """Prefill and decode seconds of a replica that one call takes when the replica is full.

        Prompt and output are independent: b_p E[p] (1 - cached) and
        E[o] g(n) / n + c (E[o] E[p] + (E[o^2] - E[o]) / 2), g(n) the decode of a batch and n that at
        saturation. A table of prefill is taken at the mean prompt, or at chunks of `chunk_tokens`, which
        share their budget with the decodes.
        """
        n = self.batch_at_saturation(prompt_mean, output_mean, output_cv, max_batch)
        square = output_mean * output_mean * (1 + output_cv**2)
        held = max(0.0, output_mean * prompt_mean + (square - output_mean) / 2)
        prompt = prompt_mean * (1 - cached_frac)
        if self.prefill_ms and prompt > 0:
            part = min(prompt, max(1.0, chunk_tokens - n)) if chunk_tokens else prompt
            prefill = prompt / part * interpolated_at(self.prefill_points, part)
        else:
            prefill = self.prefill_ns * prompt
        decode = output_mean * interpolated_at(self._decode_points, n) / n + self.kv_ns * held
        return prefill / 1e9, decode / 1e9

    def saturation_rps(self, prompt_mean: float, output_mean: float, output_cv: float,
                       max_batch: int) -> float:
        """Requests per second at which one replica is full, for independent prompt and output lengths."""
        return 1 / sum(self.replica_s_per_call(prompt_mean, output_mean, output_cv, max_batch))


def interpolated(points: Points, place: int) -> int:
    """The value at a whole place in whole numbers, rounded down between two points.

    Before the first point it is the first value; beyond the last, the last slope continues.
    """
    if place <= points[0][0] or len(points) == 1:
        return points[0][1]
    (x0, y0), (x1, y1) = next((pair for pair in pairwise(points) if place <= pair[1][0]), points[-2:])
    return y0 + (y1 - y0) * (place - x0) // (x1 - x0)


def interpolated_at(points: Points, place: float) -> float:
    """The same at any place, not rounded."""
    if place <= points[0][0] or len(points) == 1:
        return float(points[0][1])
    (x0, y0), (x1, y1) = next((pair for pair in pairwise(points) if place <= pair[1][0]), points[-2:])
    return y0 + (y1 - y0) * (place - x0) / (x1 - x0)
