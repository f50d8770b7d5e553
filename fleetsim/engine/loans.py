"""Loans of GPUs between the pools of a fleet, its training jobs included.

What a pool lends to another changes hands at once. Jobs get GPUs at once, too, but have a delay to save their
work before they give any up; what they have left by then changes hands at every step.
"""

from collections.abc import Generator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.kernel.arrays import LOAN
from fleetsim.model.plan import Plan
from fleetsim.model.pool import TRAINING
from fleetsim.timebase import SECOND_NS

if TYPE_CHECKING:
    from fleetsim.engine.training import TrainingFleet
    from fleetsim.engine.world import World

Loan = tuple[str, str, str]
"""Fleet, lender, borrower."""


class Loans:
    """What is lent now, and what the plan wants lent."""

    def __init__(self, world: "World") -> None:
        self.world = world
        self.asked: dict[Loan, int] = {}
        self.lent: dict[Loan, int] = {}

    def put_into_effect(self, plan: Plan) -> None:
        """Ask for the plan's loans: jobs are told how many GPUs they may have, or are to do without."""
        before, self.asked = self.asked, {loan: gpus for loan, gpus in plan.lent_gpus.items() if gpus > 0}
        for name, training in self.world.training.items():
            own = [loan for loan in plan.lent_gpus if loan[0] == name and TRAINING in loan]
            if own:
                self._tell(name, training, own, before, plan.reclaim_delay_s)
        self.settle()

    def _tell(self, name: str, training: "TrainingFleet", own: list[Loan], before: Mapping[Loan, int],
              delays_s: Mapping[Loan, float]) -> None:
        """Tell the jobs of a fleet; the shortest delay of the loans that take GPUs from them counts."""
        self._leave_what_no_job_can_use(training, [loan for loan in own if loan[2] == TRAINING])
        served = {loan: self._served(loan, self.asked) for loan in own}
        called = training.share(sum(served.values()), self.world.next_step * self.world.step_ns)
        if called > 0:
            grown = [loan for loan in own if served[loan] > self._served(loan, before)]
            delay_s = min(delays_s.get(loan, 0.0) for loan in grown or own)
            self.world.note(f"fleet/{name}", "called_in", value=float(called))
            self.world.env.process(self._collect(name, training, round(delay_s * SECOND_NS)))

    @staticmethod
    def _served(loan: Loan, gpus: Mapping[Loan, int]) -> int:
        """GPUs that serve traffic because of a loan; below 0: that do not."""
        return gpus.get(loan, 0) if loan[1] == TRAINING else -gpus.get(loan, 0)

    def _leave_what_no_job_can_use(self, training: "TrainingFleet", loans: list[Loan]) -> None:
        """Ask only for what jobs that fit into all that is lent hold or wait for; the last loan shrinks."""
        whole = sum(self.asked.get(loan, 0) for loan in loans)
        beyond = max(0, whole - training.job_gpus(largest=whole))
        for loan in reversed(loans):
            left = min(beyond, self.asked.get(loan, 0))
            beyond -= left
            self.asked[loan] = self.asked.get(loan, 0) - left

    def _collect(self, name: str, training: "TrainingFleet", delay_ns: int) -> Generator[Any, Any, None]:
        """Step by step take over what jobs have left, and at the end of the delay what they still hold."""
        world, called_ns = self.world, self.world.now_ns
        while called_ns not in training.called_off:
            if world.now_ns >= called_ns + delay_ns:
                training.collect(called_ns)
            self.settle()
            if training.owes_since(called_ns) == 0:
                world.note(f"fleet/{name}", "handed_over", value=(world.now_ns - called_ns) / SECOND_NS)
                return
            yield world.env.timeout(world.step_ns - world.now_ns % world.step_ns)
            world.catch_up()
            training.go_to(world.now_ns)

    def settle(self) -> None:
        """Lend what there is of what the plan wants; each loan that changes is an event."""
        lent = {(fleet, lender, borrower): gpus for (fleet, lender, borrower), gpus in self.asked.items()
                if fleet not in self.world.training or TRAINING not in (lender, borrower)}
        for name, training in self.world.training.items():
            own = {loan: gpus for loan, gpus in self.asked.items() if loan[0] == name and loan not in lent}
            before = {loan: gpus for loan, gpus in self.lent.items() if loan[0] == name and loan not in lent}
            lent |= {loan: gpus for loan, gpus in training.granted(own, before).items() if gpus > 0}
        self._wait_for_jobs(lent)
        for loan, gpus in {**dict.fromkeys(self.lent, 0), **lent}.items():
            if gpus != self.lent.get(loan, 0):
                fleet, lender, borrower = loan
                self.world.note(f"fleet/{fleet}", "lent", value=float(gpus), detail=f"{lender} to {borrower}")
        self.lent = lent
        shares = self.world.index.shares
        records = [(shares.index((fleet, lender)), shares.index((fleet, borrower)), gpus)
                   for (fleet, lender, borrower), gpus in lent.items()]
        self.world.things = self.world.things._replace(loans=np.array(records, dtype=LOAN))

    def _wait_for_jobs(self, lent: dict[Loan, int]) -> None:
        """What a pool calls in from jobs it lends to another pool only when jobs have left it."""
        for (fleet, lender, borrower), held in list(lent.items()):
            late = held - self.asked.get((fleet, lender, borrower), 0) if borrower == TRAINING else 0
            for loan in [loan for loan in reversed(lent) if loan[:2] == (fleet, lender)]:
                if loan[2] != TRAINING and late > 0:
                    waits = min(late, max(0, lent[loan] - self.lent.get(loan, 0)))
                    lent[loan] -= waits
                    late -= waits
