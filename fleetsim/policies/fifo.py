"""First come, first served: the first job of the queue waits until it fits."""

from dataclasses import dataclass, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, Scheduling, View, with_entry


@dataclass(frozen=True, kw_only=True)
class Fifo:
    """Jobs start in the order of their submission; those behind wait for the one in front."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = True

    fleet: str
    """Fleet whose training jobs it schedules."""

    def decide(self, view: View, plan: Plan) -> Plan:
        before = plan.scheduling.get(self.fleet, Scheduling())
        after = replace(before, order="fifo")
        return replace(plan, scheduling=with_entry(plan.scheduling, self.fleet, after))
