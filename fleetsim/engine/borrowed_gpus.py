"""Jobs on borrowed GPUs: a serving fleet lends what its pools leave idle."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from fleetsim.engine.loans import Loan
from fleetsim.engine.training import TrainingFleet, terms_of
from fleetsim.engine.training_pool import Terms
from fleetsim.kernel.arrays import STEP_GPUS
from fleetsim.kernel.training import arrays as rows
from fleetsim.model.fleet import Window
from fleetsim.model.plan import Scheduling
from fleetsim.model.pool import TRAINING
from fleetsim.model.scenario import Scenario
from fleetsim.rng import Streams

if TYPE_CHECKING:
    from fleetsim.engine.world import World

STEP_BORROWED = STEP_GPUS.index("borrowed_gpus")


class BorrowedGpus(TrainingFleet):
    """Jobs on GPUs that the pools of a serving fleet lend.

    A node that fails is replaced at once by another of the lender, whose failures the fluid model draws: jobs
    on it start again from their last checkpoint.
    """

    def __init__(self, name: str, scenario: Scenario, streams: Streams) -> None:
        super().__init__(name, scenario, streams)
        elastic = self.fleet.elastic
        self.reserve_gpus = sum(tranche.gpus for tranche in self.fleet.tranches) + (
            elastic.max_gpus if elastic else 0)
        self._given = 0
        """GPUs that the pools lend, as the fluid model sees it."""
        self.pool.bring(self.reserve_gpus)
        self.pool.drain(self.reserve_gpus, rows.LENT)

    def terms(self, scheduling: Scheduling) -> Terms:
        terms = terms_of(self.fleet, self.gpu, scheduling, self.jobs.teams)
        return replace(terms, spare_gpus=0, replace_s=0.0, domain_gpus=0, domain_mtbf_h=None,
                       lemon_factor=1.0, node_causes=0)

    def granted(self, asked: Mapping[Loan, int], before: Mapping[Loan, int]) -> dict[Loan, int]:
        """By loan: what jobs have. What they have not left yet stays with the pools that lent it."""
        late = self.reserve_gpus - self.lent_gpus - sum(asked.values())
        found = dict(asked)
        for loan, gpus in before.items():
            kept = max(0, min(late, gpus - asked.get(loan, 0)))
            found[loan] = found.get(loan, 0) + kept
            late -= kept
        self._given = sum(found.values())
        return found

    def rent(self, gpus: int, now_ns: int) -> None:
        """Nothing: what a pool lost it does not lend."""

    def change(self, window: Window, planned: bool, opens: bool, now_ns: int) -> None:
        """An outage hits jobs as it hits the rest of the fleet; their GPUs are replaced."""
        if opens and not planned:
            self.go_to(now_ns)
            held = self.reserve_gpus - self.lent_gpus
            part = window.share_frac if window.gpus is None else window.gpus / max(1, self.reserve_gpus)
            gpus = self.pool.break_down(round(held * (part or 0.0)))
            self.pool.end_outage(gpus)

    def follow(self, world: "World", first: int, last: int) -> None:
        """Give up at once what a pool that lost GPUs could not lend any more; take it again afterwards."""
        steps = slice(first - world.block.first, last - world.block.first)
        place = world.index.shares.index((self.name, TRAINING))
        given = world.block.steps.gpus[STEP_BORROWED, steps, place].astype(np.int64)
        for n in np.flatnonzero(np.diff(given, prepend=self._given)).tolist():
            self.go_to((first + n) * world.step_ns)
            if given[n] < self._given:
                beyond = self.reserve_gpus - self.lent_gpus - int(given[n])
                self.pool.drain(max(0, beyond - self.owed_gpus), rows.LENT)
                self.pool.force()
            else:
                self.pool.put_back(int(given[n]) - self._given, rows.LENT)
            self._given = int(given[n])
