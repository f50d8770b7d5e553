"""Pools: shares of fleets that serve a set of services, in spill-over order."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG, Labels
from fleetsim.units import Fraction, Gpus, OpenFraction

UNASSIGNED = "unassigned"
"""Pool name of the GPUs of a serving fleet that no pool asks for."""
TRAINING = "training"
"""Pool name of the GPUs of a training fleet."""


@dataclass(frozen=True)
class Share:
    """The part of one fleet that a pool has: a number of GPUs or a share, one of the two."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    gpus: Gpus | None = None
    """GPUs; while the fleet is smaller than its pools ask for, they share in proportion."""
    share_frac: Fraction | None = None
    """Share of the fleet's rented GPUs."""


@dataclass(frozen=True)
class Pool:
    """A share of fleets that serves traffic classes."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    fleets: Mapping[str, Share]
    """Fleets by name, in the order in which work spills over from one to the next."""
    target_load_frac: OpenFraction = 0.92
    """Load at which the pool counts as full: sizes `required_gpus` and autoscaling, nothing else."""
    labels: Labels = field(default_factory=dict)
    """Free labels: columns of dim_pool."""
