"""Weighted routing: a pool's work is spread over its fleets instead of filling them in order."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, View
from fleetsim.units import Ratio


@dataclass(frozen=True, kw_only=True)
class Routing:
    """Sends each fleet its weight's share of the work; what does not fit spills over in order."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = True

    pool: str
    """Pool whose work is routed."""
    weights: Mapping[str, Ratio]
    """By fleet; they are scaled to add up to 1."""

    def decide(self, view: View, plan: Plan) -> Plan:
        total = sum(self.weights.values())
        shares = {(self.pool, fleet): weight / total for fleet, weight in self.weights.items()}
        return replace(plan, routing_weight={**plan.routing_weight, **shares})
