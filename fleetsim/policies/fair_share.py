"""Fair share between teams: next is the team that has used least for its share."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, Scheduling, View, with_entry
from fleetsim.units import Factor, Hours


@dataclass(frozen=True, kw_only=True)
class FairShare:
    """Jobs of the team with the least GPU time per share come first; within a team by priority."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = True

    fleet: str
    """Fleet whose training jobs it schedules."""
    share: Mapping[str, Factor] = field(default_factory=dict)
    """Share by team; 1 for one that is not named."""
    half_life_h: Hours | None = 168.0
    """Time after which half of what a team used is forgotten; null: nothing is."""

    def decide(self, view: View, plan: Plan) -> Plan:
        before = plan.scheduling.get(self.fleet, Scheduling())
        after = replace(before, order="fair_share", share=self.share, half_life_h=self.half_life_h)
        return replace(plan, scheduling=with_entry(plan.scheduling, self.fleet, after))
