"""A step law of the catalogue, with what was measured and where it comes from."""

from dataclasses import dataclass
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.step_law import StepLaw
from fleetsim.model.step_power import StepPower
from fleetsim.units import GpuCount


@dataclass(frozen=True)
class PrefillPoint:
    """A measured step that prefills prompts."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    tokens: int
    """Tokens of a prompt."""
    ms: float
    """Time of the step."""
    prompts: int = 1
    """Prompts in the step."""

    @property
    def what(self) -> str:
        """The point in words."""
        of = f" of {self.prompts} prompts" if self.prompts > 1 else ""
        return f"prefill{of} of {self.tokens:,} tokens"


@dataclass(frozen=True)
class DecodePoint:
    """Measured steps of a batch that decodes."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    batch: int
    """Sequences."""
    ms: float
    """Mean time of a step."""
    prompt_tokens: int
    """Prompt of each sequence."""
    output_tokens: int
    """Tokens that each makes, over which the step time is the mean."""

    @property
    def kv_tokens(self) -> float:
        """KV held on average over these steps."""
        return self.batch * (self.prompt_tokens + self.output_tokens / 2)


@dataclass(frozen=True)
class Fit:
    """A measured point beside what the law says of it."""

    what: str
    measured_ms: float
    predicted_ms: float
    within_law: bool
    """False above the prompt tokens for which the law holds."""

    @property
    def error_frac(self) -> float:
        """Predicted / measured - 1."""
        return self.predicted_ms / self.measured_ms - 1


@dataclass(frozen=True)
class StepProfile:
    """One service on one kind of replica under one generation of serving engine."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    service: str
    """Model as served."""
    profile: str
    """Generation of the serving engine: `2023-engine`, `2026-engine`."""
    gpu: str
    """GPU type of the catalogue."""
    gpus: GpuCount
    """GPUs of one replica."""
    law: StepLaw
    """Fitted coefficients."""
    prefill: tuple[PrefillPoint, ...] = ()
    """What was measured of prefill."""
    decode: tuple[DecodePoint, ...] = ()
    """What was measured of decode."""
    power: StepPower | None = None
    """Watts of one GPU by phase; without them no energy is told."""
    assumption: str = ""
    """What of the law is assumed and not measured."""
    source: str = ""
    """Where the figures come from."""
    date: str = ""
    """When they were published."""
    grade: str = ""
    """A primary source, B named report, C widely cited and unverified, D own estimate."""

    def fits(self) -> list[Fit]:
        """Every measured point with the law's answer; a decode step at the mean KV of the steps measured."""
        law = self.law
        prefills = [
            Fit(each.what, each.ms,
                law.step_ns(each.prompts, each.prompts * each.tokens, each.prompts * each.tokens) / 1e6,
                each.prompts * each.tokens <= law.prefill_limit_tokens) for each in self.prefill]
        decodes = [
            Fit(f"decode, batch {each.batch}, prompt {each.prompt_tokens:,}, output {each.output_tokens:,}",
                each.ms, law.step_ns(each.batch, each.kv_tokens) / 1e6, True) for each in self.decode]
        return prefills + decodes
