"""Borrowing: a full pool uses the idle GPUs of another pool on the fleets they share."""

import math
from dataclasses import dataclass, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, View
from fleetsim.units import Fraction


@dataclass(frozen=True, kw_only=True)
class Borrow:
    """Lends what the lender left idle since the last tick, above a headroom, while it is needed.

    The borrower asks for the GPUs that its offered work needs at its target load beyond its own; the
    lender gives at most its healthy GPUs less its work / its target load, less the headroom.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = False

    pool: str
    """Pool that borrows."""
    from_: str
    """Pool that lends."""
    headroom_frac: Fraction = 0.05
    """Share of the lender's healthy GPUs that it keeps idle."""

    def decide(self, view: View, plan: Plan) -> Plan:
        borrower, lender = view.pools[self.pool], view.pools[self.from_]
        own = sum(gpus * view.worth[place] for place, gpus in view.healthy_gpus.items()
                  if place[1] == self.pool)
        wanted = borrower.offered_gpus / borrower.target_load_frac - own
        if borrower.waiting_gpu_s > 0:
            wanted = max(wanted, own)  # a backlog takes whatever is idle
        lent = dict(plan.lent_gpus)
        for (fleet, pool), healthy in view.healthy_gpus.items():
            if pool != self.from_ or (fleet, self.pool) not in view.healthy_gpus:
                continue
            promised = sum(gpus for (of, by, _), gpus in lent.items() if (of, by) == (fleet, pool))
            needed = view.offered_gpus[(fleet, pool)] / lender.target_load_frac
            idle = healthy * (1.0 - self.headroom_frac) - needed - promised
            worth = view.worth[(fleet, self.pool)]
            loan = 0 if lender.waiting_gpu_s > 0 else math.floor(max(0.0, min(wanted / worth, idle)))
            lent[(fleet, self.from_, self.pool)] = loan
            wanted -= loan * worth
        return replace(plan, lent_gpus=lent)
