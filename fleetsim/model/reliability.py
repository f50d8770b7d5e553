"""Reliability of a training fleet, beside the failures and repairs of single nodes: what fails together, what
fails often, and what stands by."""

from dataclasses import dataclass
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import Count, Fraction, Hours, JobSeconds, NodeCount, Nodes


@dataclass(frozen=True, kw_only=True)
class Reliability:
    """How a training fleet with jobs fails and is repaired. Times between events are exponential."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    repair_crews: NodeCount | None = None
    """Nodes that are repaired at the same time; all by default."""
    spare_nodes: Nodes = 0
    """Nodes kept idle to take the place of failed ones."""
    replacement_s: JobSeconds = 0.0
    """To put a spare or an idle node in the place of a failed one."""
    domain_nodes: NodeCount | None = None
    """Nodes behind one switch or power feed that fail together."""
    domain_mtbf_h: Hours | None = None
    """Mean time between failures of one such domain."""
    domain_repair_h: Hours = 1.0
    """Mean time until it is back."""
    lemon_frac: Fraction = 0.0
    """Share of the nodes that fail more often than the others."""
    lemon_factor: Count = 1.0
    """Their failure rate / that of an ordinary node."""
    lemon_found_frac: Fraction = 0.0
    """Chance at each failure that a lemon is found out and replaced for good."""
