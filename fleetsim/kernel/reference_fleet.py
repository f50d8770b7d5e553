"""Fleets and shares of the plain fluid model: which GPUs are rented, healthy, lent and allocated."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fleetsim.kernel.arrays import GPU_SECONDS, Things
from fleetsim.kernel.formulas import binomial_quantile, nearest, poisson_quantile


def added(values: Iterable[float]) -> float:
    """The sum from left to right; Python's own `sum` rounds otherwise from version 3.12 on."""
    result = 0.0
    for value in values:
        result += value
    return result


class Share:
    """A pool's part of one fleet, or the part that no pool has."""

    def __init__(self, things: Things, place: int) -> None:
        record = things.shares[place]
        self.place = place
        self.step_s = things.step_s
        self.availability_frac = float(record["availability_frac"])
        self.rented, self.elastic = int(record["rented"]), int(record["elastic"])
        self.allocated_limit = int(record["allocated_limit"])
        self.routing_weight = float(record["routing_weight"])
        self.healthy, self.lent = int(record["healthy"]), int(record["lent"])
        self.borrowed, self.allocated = int(record["borrowed"]), int(record["allocated"])
        self.seen_offered_gpu_s = float(record["seen_offered_gpu_s"])
        self.worth = float(record["worth"])
        self.gpu_s = {name: float(record[f"{name}_gpu_s"]) for name in GPU_SECONDS}
        self.room_gpu_s = 0.0

    def store(self, things: Things) -> None:
        """Write the state back to the record."""
        record = things.shares[self.place]
        record["healthy"], record["lent"], record["borrowed"] = self.healthy, self.lent, self.borrowed
        record["capacity"], record["allocated"] = self.capacity, self.allocated
        record["seen_offered_gpu_s"], record["worth"] = self.seen_offered_gpu_s, self.worth
        for name, gpu_s in self.gpu_s.items():
            record[f"{name}_gpu_s"] = gpu_s

    @property
    def capacity(self) -> int:
        """Healthy GPUs at the pool's disposal."""
        return self.healthy - self.lent + self.borrowed

    def allocate(self) -> None:
        """Put all of them to work, or as many as the plan allows; and meter what was lent.

        Elastic GPUs work when the fixed ones are full; they fail like the others.
        """
        limited = 0 <= self.allocated_limit < self.capacity
        self.allocated = self.allocated_limit if limited else self.capacity
        elastic = self.healthy * self.elastic // self.rented if self.rented else 0
        elastic_allocated = max(0, self.allocated - (self.capacity - elastic))
        for name, gpus in (("allocated", self.allocated), ("lent", self.lent), ("borrowed", self.borrowed),
                           ("elastic", self.elastic), ("elastic_allocated", elastic_allocated)):
            self.gpu_s[name] += gpus * self.step_s

    def open_room(self) -> None:
        """At the start of a step nobody has used an allocated GPU yet."""
        self.room_gpu_s = self.allocated * self.step_s


class Fleet:
    """GPUs of one type at one provider: nodes fail and are repaired, GPUs drain, outages take some."""

    def __init__(self, things: Things, place: int, shares: Sequence[Share]) -> None:
        record = things.fleets[place]
        self.place = place
        self.step_s = things.step_s
        self.shares = shares[int(record["first_share"]) : int(record["last_share"])]
        self.node_gpus = int(record["node_gpus"])
        self.fail_prob, self.repair_prob = float(record["fail_prob"]), float(record["repair_prob"])
        self.log_unrepaired = float(record["log_unrepaired"])
        self.draining_frac = float(record["draining_frac"])
        self.keep_frac, self.out_gpus = float(record["keep_frac"]), int(record["out_gpus"])
        self.nodes, self.failed_nodes = int(record["nodes"]), int(record["failed_nodes"])
        self.failures, self.repairs = int(record["failures"]), int(record["repairs"])

    def store(self, things: Things) -> None:
        """Write the state back to the record."""
        record = things.fleets[self.place]
        record["nodes"], record["failed_nodes"] = self.nodes, self.failed_nodes
        record["failures"], record["repairs"] = self.failures, self.repairs

    @property
    def rented(self) -> int:
        """GPUs that the fleet pays for."""
        return sum(share.rented for share in self.shares)

    def change_nodes(self, fail_u: float, repair_u: float) -> None:
        """Nodes fail (Poisson) and come back (binomial); what is handed back takes its failed ones along."""
        nodes = self.rented // self.node_gpus
        gone = (self.nodes - nodes) / self.nodes if nodes < self.nodes else 0.0
        self.nodes = nodes
        still_failed = self.failed_nodes - nearest(self.failed_nodes * gone)
        working = nodes - still_failed
        failing = min(working, poisson_quantile(working * self.fail_prob, fail_u))
        repaired = binomial_quantile(still_failed, self.repair_prob, self.log_unrepaired, repair_u)
        self.failures += failing
        self.repairs += (self.failed_nodes - still_failed) + repaired
        self.failed_nodes = still_failed + failing - repaired

    def lose_unhealthy(self) -> None:
        """Healthy GPUs are the rented ones less failed, draining and out; the loss falls on all shares.

        The whole GPUs are split by largest remainder, metered reasons in exact proportion.
        """
        rented = self.rented
        failed = self.failed_nodes * self.node_gpus
        draining = nearest((rented - failed) * self.draining_frac)
        ready = rented - failed - draining
        healthy = max(0, nearest(ready * self.keep_frac) - self.out_gpus)
        lost = largest_remainder(rented - healthy, [share.rented for share in self.shares])
        for share, gpus in zip(self.shares, lost, strict=True):
            share.healthy = share.rented - gpus
            share.gpu_s["rented"] += share.rented * self.step_s
            share.gpu_s["healthy"] += share.healthy * self.step_s
            portion_s = share.rented / rented * self.step_s if rented else 0.0
            share.gpu_s["failed"] += failed * portion_s
            share.gpu_s["draining"] += draining * portion_s
            share.gpu_s["out"] += (ready - healthy) * portion_s


def largest_remainder(count: int, weights: Sequence[int]) -> list[int]:
    """Whole parts of `count` in proportion to whole weights; the largest remainder first, then order."""
    whole = sum(weights)
    if whole == 0:
        return [0 for _ in weights]
    parts = [count * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda k: -(count * weights[k] % whole))
    for k in by_remainder[: count - sum(parts)]:
        parts[k] += 1
    return parts


@dataclass(frozen=True)
class Loan:
    """GPUs that one pool would lend another on a fleet they share."""

    lender: Share
    borrower: Share
    gpus: int


def lend(shares: Sequence[Share], loans: Sequence[Loan]) -> None:
    """Hand over what the loans ask for, in their order, out of the lender's healthy GPUs."""
    for share in shares:
        share.lent = share.borrowed = 0
    for loan in loans:
        gpus = min(loan.gpus, loan.lender.healthy - loan.lender.lent)
        loan.lender.lent += gpus
        loan.borrower.borrowed += gpus
    for share in shares:
        share.allocate()
