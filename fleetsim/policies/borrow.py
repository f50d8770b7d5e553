"""Borrowing: a full pool uses the idle GPUs of another pool on the fleets they share."""

from dataclasses import dataclass, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, View
from fleetsim.units import Fraction, OpenFraction


@dataclass(frozen=True, kw_only=True)
class Borrow:
    """Lends what the lender left idle since the last tick, above a headroom, while it is needed.

    The borrower asks for the GPUs that its offered work needs at its full load beyond its own; the
    lender gives at most its healthy GPUs less its work / `full_load_frac` less the headroom.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = False

    pool: str
    """Pool that borrows."""
    from_: str
    """Pool that lends."""
    headroom_frac: Fraction = 0.05
    """Share of the lender's healthy GPUs that it keeps idle."""
    full_load_frac: OpenFraction = 0.92
    """Load at which GPUs count as full."""

    def decide(self, view: View, plan: Plan) -> Plan:
        borrower = view.pools[self.pool]
        own = sum(gpus for (_, pool), gpus in view.healthy_gpus.items() if pool == self.pool)
        wanted = borrower.offered_gpus / self.full_load_frac - own
        if borrower.waiting_gpu_s > 0:
            wanted = max(wanted, float(own))  # a backlog takes whatever is idle
        lent = dict(plan.lent_gpus)
        for (fleet, pool), healthy in view.healthy_gpus.items():
            if pool != self.from_ or (fleet, self.pool) not in view.healthy_gpus:
                continue
            needed = view.offered_gpus[(fleet, pool)] / self.full_load_frac
            idle = healthy * (1.0 - self.headroom_frac) - needed
            if view.pools[self.from_].waiting_gpu_s > 0:
                idle = 0.0
            loan = int(max(0.0, min(wanted, idle)))
            lent[(fleet, self.from_, self.pool)] = loan
            wanted -= loan
        return replace(plan, lent_gpus=lent)
