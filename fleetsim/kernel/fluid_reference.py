"""The fluid model in plain Python: the rules of docs/explanation/model.md, to be read.

`advance` does what the compiled kernel of `fluid.py` does, on the same records, and equals it bit for
bit; it is a hundred times slower. Only the scalar rules of `formulas.py` are common to both. The
records are read at the start and written at the end; in between there are fleets with shares
(reference_fleet.py), pools (reference_pool.py) and traffic classes with queues (reference_queue.py).
"""

from collections.abc import Callable, Mapping

from fleetsim.kernel.arrays import GPU_SECONDS, Hourly, Inputs, Steps, Things
from fleetsim.kernel.reference_fleet import Fleet, Loan, Share, added, lend
from fleetsim.kernel.reference_pool import Pool
from fleetsim.kernel.reference_queue import TrafficClass

Serve = Callable[[Inputs, Hourly, int, int], None]
"""One step of a pool's service: the inputs, the hours to add to, the step, its hour's row."""


def advance(things: Things, inputs: Inputs, hourly: Hourly, steps: Steps, first: int, last: int) -> None:
    """Move the state from the start of step `first` to the start of step `last`."""
    model = Model(things)
    for n in range(first, last):
        model.step(inputs, hourly, steps, n)
    model.store(things)


class Model:
    """Everything that takes part in a step."""

    def __init__(self, things: Things) -> None:
        self.step_s = things.step_s
        self.steps_per_hour = things.steps_per_hour
        self.shares = [Share(things, s) for s in range(len(things.shares))]
        self.fleets = [Fleet(things, f, self.shares) for f in range(len(things.fleets))]
        self.classes = [TrafficClass(things, c) for c in range(len(things.classes))]
        self.pools = [Pool(things, p, self.shares, self.classes) for p in range(len(things.pools))]
        self.loans = [Loan(self.shares[lender], self.shares[borrower], gpus)
                      for lender, borrower, gpus in things.loans.tolist()]

    def store(self, things: Things) -> None:
        """Write the state back to the records."""
        for part in (self.shares, self.fleets, self.classes, self.pools):
            for thing in part:
                thing.store(things)

    def step(self, inputs: Inputs, hourly: Hourly, steps: Steps, n: int,
             serving: Mapping[int, Serve] | None = None) -> None:
        """First the GPUs: failures, repairs, loans; then the messages, pool by pool.

        `serving` has pools, by place, whose admitted messages somebody else serves.
        """
        row, hour = n - inputs.first_step, n // self.steps_per_hour - hourly.first_hour
        gpu_s_before = [dict(share.gpu_s) for share in self.shares]
        total_before = [dict(klass.total) for klass in self.classes]
        for fleet in self.fleets:
            u = inputs.fail_u[row, fleet.place], inputs.repair_u[row, fleet.place]
            fleet.change_nodes(float(u[0]), float(u[1]))
            fleet.lose_unhealthy()
        lend(self.shares, self.loans)
        for pool in self.pools:
            pool.admit(inputs, row)
            serve = (serving or {}).get(pool.place, pool.serve)
            serve(inputs, hourly, n, hour)
            pool.measure_backlog()
        if steps.gpus.shape[1] > 0:
            for share, before in zip(self.shares, gpu_s_before, strict=True):
                steps.gpus[:, row, share.place] = step_gpus(share, before, self.step_s)
            for klass, before in zip(self.classes, total_before, strict=True):
                steps.messages[:, row, klass.place] = step_messages(klass, before)
        if (n + 1) % self.steps_per_hour == 0:
            self.close_hour(hourly, hour)

    def close_hour(self, hourly: Hourly, hour: int) -> None:
        """Hand over what the hour added up to and begin the next."""
        for fleet in self.fleets:
            hourly.nodes[:, hour, fleet.place] = fleet.failures, fleet.repairs
            fleet.failures = fleet.repairs = 0
        for share in self.shares:
            hourly.gpu_s[:, hour, share.place] = [share.gpu_s[name] for name in GPU_SECONDS]
            share.gpu_s = dict.fromkeys(GPU_SECONDS, 0.0)
        for klass in self.classes:
            klass.close_hour(hourly, hour)


def step_gpus(share: Share, before: Mapping[str, float], step_s: float) -> list[float]:
    """One step of a share, in GPUs, in the order of STEP_GPUS."""
    change = {name: share.gpu_s[name] - before[name] for name in GPU_SECONDS}
    return [share.rented, share.healthy, share.allocated, (change["prefill"] + change["decode"]) / step_s,
            change["required"] / step_s, change["offered"] / step_s, share.lent, share.borrowed]


def step_messages(klass: TrafficClass, before: Mapping[str, float]) -> list[float]:
    """One step of a class, in the order of STEP_MESSAGES."""
    change = {name: total - before[name] for name, total in klass.total.items()}
    flows = ("arrived", "served", "degraded", "shed", "abandoned", "retried")
    return [*(change[name] for name in flows), added(klass.waiting), added(klass.in_retry),
            change["waiting_message_s"], klass.wait_s]
