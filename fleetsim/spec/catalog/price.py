"""A price point: what one GPU-hour cost somewhere, once, and who says so."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import UsdPerGpuHour


@dataclass(frozen=True)
class Price:
    """One price per GPU-hour."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    provider: str
    """Who sells."""
    gpu: str
    """GPU type of the catalogue."""
    type: Literal["negotiated", "on_demand", "reserved_1y", "reserved_3y", "spot"]
    """How it is bought."""
    usd_per_gpu_hour: UsdPerGpuHour
    """Price; the middle where the source gives a range."""
    source: str
    """Who says so."""
    date: str
    """When it held."""
    grade: Literal["A", "B", "C", "D"]
    """A primary source, B named report, C widely cited and unverified, D own estimate."""
    note: str = ""
    """Instance, range, or what limits the figure."""
