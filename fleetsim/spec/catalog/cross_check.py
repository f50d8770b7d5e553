"""Published figures that no step law was fitted to, beside what a law says of them."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.step_law import StepLaw
from fleetsim.units import Batch, Factor, GpuCount, TokenLimit


@dataclass(frozen=True)
class CrossCheck:
    """One published figure, with the law that comes nearest to it, or none."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    what: Literal["output token/s per GPU", "first token, ms", "step without attention, ms"]
    """What was measured."""
    measured: Factor
    """The figure."""
    model: str
    """Model as served."""
    gpu: str
    """GPU type of the catalogue."""
    gpus: GpuCount
    """GPUs of the measured replica."""
    precision: str
    """Number format of the weights."""
    prompt_tokens: TokenLimit
    """Tokens of each prompt; of a step without attention, all its tokens."""
    source: str
    """Where the figure comes from."""
    date: str
    """When it was published."""
    grade: str
    """A primary source, B named report, C widely cited and unverified, D own estimate."""
    output_tokens: TokenLimit = 1
    """Tokens of each output."""
    batch: Batch = 1
    """Sequences at once; of figures that do not tell, what the prediction assumes."""
    batch_published: bool = True
    """Whether the source tells the batch."""
    profile: str | None = None
    """Step profile that is asked; with another GPU count or precision it gives a bound and no fit."""
    law: StepLaw | None = None
    """Law that the source of the figures gives for them, in place of a profile."""

    def predicted(self) -> float | None:
        """What the law says; None where there is none."""
        law, gpus = self.law, self.gpus
        if self.profile is not None:
            from fleetsim.spec import catalog

            entry = catalog.step_profiles()[self.profile]
            law, gpus = entry.law, entry.gpus
        if law is None:
            return None
        if self.what == "output token/s per GPU":
            rate = law.saturation_rps(self.prompt_tokens, self.output_tokens, 0.0, self.batch)
            return rate * self.output_tokens / gpus
        if self.what == "first token, ms":
            return law.step_ns(1, self.prompt_tokens, self.prompt_tokens) / 1e6
        alone = self.batch if self.batch == self.prompt_tokens else 1
        return law.step_ns(alone, 0, 0 if alone == self.prompt_tokens else self.prompt_tokens) / 1e6

    def error_frac(self) -> float | None:
        """Predicted / measured - 1."""
        predicted = self.predicted()
        return None if predicted is None else predicted / self.measured - 1
