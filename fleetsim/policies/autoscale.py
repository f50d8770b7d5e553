"""Autoscaling: as many replicas as hold the pool at its target utilisation."""

from dataclasses import dataclass, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, View, with_entry
from fleetsim.units import Gpus, Seconds


@dataclass(frozen=True, kw_only=True)
class Autoscale:
    """Asks for (work that arrived + backlog to clear) / the pool's target load, in healthy GPUs.

    Fixed GPUs above the target are taken out of service; beyond the fixed GPUs of all its fleets the
    pool's elastic GPUs are ordered, up to their maximum, and serve after their provisioning delay.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = False

    pool: str
    """Pool that is scaled."""
    clear_backlog_s: Seconds = 900.0
    """Time in which a backlog is to be worked off; 0 leaves the backlog out."""
    min_gpus: Gpus = 0
    """Never fewer."""

    def decide(self, view: View, plan: Plan) -> Plan:
        seen = view.pools[self.pool]
        backlog = seen.waiting_gpu_s / self.clear_backlog_s if self.clear_backlog_s else 0.0
        target = max(float(self.min_gpus), (seen.offered_gpus + backlog) / seen.target_load_frac)
        return replace(plan, target_gpus=with_entry(plan.target_gpus, self.pool, target))
