"""Degrade: when a pool is full, a cheaper service answers, lowest priority first."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, View, with_entry
from fleetsim.units import Factor


@dataclass(frozen=True, kw_only=True)
class Degrade:
    """Moves the smallest share of messages to cheaper services that brings the load down."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = True

    pool: str
    """Pool whose classes may be degraded."""
    to: Mapping[str, str]
    """By traffic class, the cheaper service."""
    above_load_frac: Factor = 1.0
    """Load above which messages are degraded."""

    def decide(self, view: View, plan: Plan) -> Plan:
        limits = with_entry(plan.degrade_above_load_frac, self.pool, self.above_load_frac)
        return replace(plan, degrade_above_load_frac=limits, degrade_to={**plan.degrade_to, **self.to})
