"""Borrowing: a pool, or the training jobs of a fleet, use idle GPUs of another on the fleets they share."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from fleetsim.model.base import FILE_CONFIG
from fleetsim.model.plan import Plan, View
from fleetsim.model.pool import TRAINING
from fleetsim.units import Fraction, Seconds

MOMENT_S = 1.0
"""A queue that all GPUs of a pool work off in this time is no backlog."""


@dataclass(frozen=True, kw_only=True)
class Borrow:
    """Lends what the lender left idle since the last tick, above a headroom, while it is needed.

    A pool asks for the GPUs that its offered work needs at its target load beyond its own, the jobs of a
    fleet (`training`) for all that they hold or wait for. A pool lends at most its healthy GPUs less its
    work / its target load, less the headroom; to jobs, less the work that the usual day brings until it can
    have the GPUs back. Jobs lend all but the headroom, whatever runs on them.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG
    static: ClassVar[bool] = False

    pool: str
    """Pool that borrows; `training`: the jobs on the lender's fleets."""
    from_: str
    """Pool that lends; `training`: the jobs on the borrower's training fleets."""
    headroom_frac: Fraction = 0.05
    """Share of the lender's healthy GPUs that it keeps. Jobs that borrow are called back when less than half
    of it is left."""
    reclaim_delay_s: Seconds = 300.0
    """How long training jobs have to save their work before they lose GPUs to a pool; whole steps."""

    def decide(self, view: View, plan: Plan) -> Plan:
        lent = dict(plan.lent_gpus)
        delays = dict(plan.reclaim_delay_s)
        wanted = self._wanted(view)
        for fleet in self._fleets(view):
            worth = view.worth[(fleet, self.pool)]
            of_jobs = view.job_gpus.get(fleet, 0) - sum(
                gpus for (of, _, to), gpus in lent.items() if (of, to) == (fleet, TRAINING))
            here = of_jobs if self.pool == TRAINING else wanted / worth
            idle = self._idle(view, fleet) - sum(
                gpus for (of, by, _), gpus in lent.items() if (of, by) == (fleet, self.from_))
            loan = math.floor(max(0.0, min(here, idle)))
            lent[(fleet, self.from_, self.pool)] = loan
            delays[(fleet, self.from_, self.pool)] = self.reclaim_delay_s
            wanted -= loan * worth
        return replace(plan, lent_gpus=lent, reclaim_delay_s=delays)

    def _fleets(self, view: View) -> Iterator[str]:
        """Fleets of which both have GPUs, in spill-over order."""
        for fleet, pool in view.healthy_gpus:
            if pool == self.from_ and (fleet, self.pool) in view.healthy_gpus:
                yield fleet

    def _wanted(self, view: View) -> float:
        """What a pool asks for, in GPUs of its first fleet."""
        if self.pool == TRAINING:
            return math.inf
        borrower = view.pools[self.pool]
        own = _own_gpus(view, self.pool)
        wanted = borrower.offered_gpus / borrower.target_load_frac - own
        # A backlog takes whatever is idle.
        return max(wanted, own) if _has_backlog(view, self.pool) else wanted

    def _idle(self, view: View, fleet: str) -> float:
        """GPUs of the lender beyond its needs and its headroom."""
        healthy = view.healthy_gpus[(fleet, self.from_)]
        if self.from_ == TRAINING:
            return healthy * (1.0 - self.headroom_frac)
        if _has_backlog(view, self.from_):
            return 0.0
        needed = view.offered_gpus[(fleet, self.from_)] / view.pools[self.from_].target_load_frac
        if self.pool == TRAINING:
            growth = view.growth[self.from_]
            needed = needed * growth if math.isfinite(growth) else healthy  # traffic begins: nobody knows
        idle = healthy * (1.0 - self.headroom_frac) - needed
        held = view.lent_gpus.get((fleet, self.from_, self.pool), 0)
        if self.pool == TRAINING and idle < held < idle + healthy * self.headroom_frac / 2.0:
            return float(held)  # jobs that come and go with every tick would get nothing done
        return idle


def _own_gpus(view: View, pool: str) -> float:
    """Healthy GPUs of a pool, in GPUs of its first fleet."""
    return sum(gpus * view.worth[place] for place, gpus in view.healthy_gpus.items() if place[1] == pool)


def _has_backlog(view: View, pool: str) -> bool:
    """Whether more waits than a pool works off in a moment; request by request something always waits."""
    return view.pools[pool].waiting_gpu_s > _own_gpus(view, pool) * MOMENT_S
