"""What ships with the package: gpu types, deployed models and prices, each with source, date and grade."""

from functools import cache
from pathlib import Path
from typing import Any

from fleetsim.model.hardware import GpuType
from fleetsim.model.roofline import ModelShape
from fleetsim.model.service import DeployedModel
from fleetsim.spec.catalog.cross_check import CrossCheck
from fleetsim.spec.catalog.price import Price
from fleetsim.spec.catalog.step_profile import StepProfile


@cache
def gpus() -> dict[str, GpuType]:
    """GPU types by name."""
    return _entries("gpus", GpuType)


@cache
def models() -> dict[str, DeployedModel]:
    """Deployed models by name."""
    return _entries("models", DeployedModel)


@cache
def step_profiles() -> dict[str, StepProfile]:
    """Step laws by name: service, profile and gpu type."""
    return _entries("step_profiles", StepProfile)


@cache
def cross_checks() -> dict[str, CrossCheck]:
    """Published figures beside step laws that were not fitted to them, by name."""
    return _entries("cross_checks", CrossCheck)


@cache
def model_shapes() -> dict[str, ModelShape]:
    """Shapes of models by name, for rooflines."""
    return _entries("model_shapes", ModelShape)


@cache
def prices() -> dict[str, Price]:
    """Prices per GPU-hour by name."""
    return _entries("prices", Price)


def _entries(name: str, annotation: Any) -> dict[str, Any]:
    from fleetsim.spec.entry import build
    from fleetsim.spec.faults import Faults
    from fleetsim.spec.node import Source
    from fleetsim.spec.yaml import read

    file = Path(__file__).with_name(f"{name}.yaml")
    text = file.read_text(encoding="utf-8")
    faults = Faults()
    root = read(text, Source(file.name, lines=text.splitlines()), faults)
    entries = root.entries() if root else {}
    faults.root = root
    found = {entry: build(annotation, node, (entry,), faults) for entry, node in entries.items()}
    faults.stop()
    return found
