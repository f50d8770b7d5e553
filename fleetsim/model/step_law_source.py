"""Where a service's step law comes from: a profile of the catalogue, own coefficients, or a roofline."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.roofline import Roofline
from fleetsim.model.step_law import StepLaw


@dataclass(frozen=True)
class StepLawSource:
    """Give `model` with `profile`, `gpus` or `roofline`, one of the three."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    model: str | None = None
    """Name of a model with step laws in the catalogue."""
    profile: str | None = None
    """Generation of the serving engine, as the catalogue names it: `2023-engine`, `2026-engine`."""
    gpus: Mapping[str, StepLaw] = field(default_factory=dict)
    """Own step laws by gpu type, each of one replica of `gpus_per_replica` GPUs."""
    roofline: Roofline | None = None
    """Shape of the model and efficiencies, from which the laws are calculated."""
    source: str = ""
    """Where own laws come from."""
    grade: str = ""
    """A primary source, B named report, C widely cited and unverified, D own estimate."""

    @property
    def engine_profile(self) -> str:
        """Which step law results hold for: the profile's name, `roofline` or `declared`."""
        if self.profile is not None:
            return self.profile
        return "declared" if self.roofline is None else "roofline"
