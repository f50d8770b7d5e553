"""EASY backfill: jobs pass one that does not fit yet, if they do not delay it."""

from dataclasses import dataclass, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, Scheduling, View, with_entry


@dataclass(frozen=True, kw_only=True)
class Backfill:
    """The first job of the queue has a reservation at the time when enough running jobs will have ended.

    Others that fit now may start if they end before, or use only GPUs that it leaves. Ends are those
    without failures. Lifka, The ANL/IBM SP scheduling system, 1995.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = True

    fleet: str
    """Fleet whose training jobs it schedules."""

    def decide(self, view: View, plan: Plan) -> Plan:
        before = plan.scheduling.get(self.fleet, Scheduling())
        after = replace(before, backfill=True)
        return replace(plan, scheduling=with_entry(plan.scheduling, self.fleet, after))
