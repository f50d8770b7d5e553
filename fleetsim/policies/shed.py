"""Priority admission: when a pool is full, the least important new messages are turned away."""

from dataclasses import dataclass, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, View, with_entry
from fleetsim.units import Factor


@dataclass(frozen=True, kw_only=True)
class Shed:
    """Sheds new messages, lowest priority first, until backlog and arrivals fit the load."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = True

    pool: str
    """Pool whose classes are shed."""
    above_load_frac: Factor = 1.0
    """Load above which messages are shed."""

    def decide(self, view: View, plan: Plan) -> Plan:
        limits = with_entry(plan.shed_above_load_frac, self.pool, self.above_load_frac)
        return replace(plan, shed_above_load_frac=limits)
