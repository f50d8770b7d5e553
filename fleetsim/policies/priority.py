"""Priority: more important jobs first, by preemption if asked."""

from dataclasses import dataclass, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, Scheduling, View, with_entry


@dataclass(frozen=True, kw_only=True)
class Priority:
    """Jobs start by priority, and by submission where it is equal.

    With `preempt`, a job that does not fit takes the GPUs of less important ones that are preemptible, the
    least important first and of these the one that started last; the same for a gang that lost a node.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = True

    fleet: str
    """Fleet whose training jobs it schedules."""
    preempt: bool = True
    """Whether it takes GPUs from less important jobs."""
    checkpoint_first: bool = True
    """Whether those write a checkpoint before they go, or lose what is not saved."""

    def decide(self, view: View, plan: Plan) -> Plan:
        before = plan.scheduling.get(self.fleet, Scheduling())
        after = replace(before, order="priority", preempt=self.preempt,
                        checkpoint_first=self.checkpoint_first)
        return replace(plan, scheduling=with_entry(plan.scheduling, self.fleet, after))
