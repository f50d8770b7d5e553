"""Power of the GPUs of a replica by what they do: nothing, prompts, output tokens."""

from dataclasses import dataclass
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import Factor


@dataclass(frozen=True)
class StepPower:
    """Watts of one GPU by phase; the rest of the server and cooling are apart.

    A step draws prompt_w for the time of its prefill and token_w for the rest of it, and a replica without
    a batch idle_w (the constant model of splitwise-sim).
    """

    __pydantic_config__: ClassVar = FILE_CONFIG

    idle_w: Factor
    """Between steps, W."""
    prompt_w: Factor
    """In prefill, W."""
    token_w: Factor
    """In the rest of a step, W."""
    source: str = ""
    """Where the figures come from."""

    def joules(self, rented_gpu_s: float, active_gpu_s: float, prefill_gpu_s: float) -> float:
        """Energy of GPU-seconds: rented, of them with a batch, of them in prefill."""
        return (self.idle_w * (rented_gpu_s - active_gpu_s) + self.token_w * (active_gpu_s - prefill_gpu_s)
                + self.prompt_w * prefill_gpu_s)
