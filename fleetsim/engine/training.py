"""Training fleets with jobs: each has a pool in the training kernel, which says what its GPUs do.

Their failures, repairs, outages and maintenance are the kernel's; the fluid model only counts what is rented,
and what of it serves traffic for a while.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from fleetsim.engine.index import Index
from fleetsim.engine.job_draws import Jobs, expected_lemons, jobs_of
from fleetsim.engine.loans import Loan
from fleetsim.engine.training_pool import Terms, TrainingPool
from fleetsim.kernel.arrays import GPU_SECONDS, Array
from fleetsim.kernel.training import arrays as rows
from fleetsim.model.failure_cause import CAUSES, INTERRUPTIONS, NODE_CAUSES
from fleetsim.model.fleet import Fleet, Window
from fleetsim.model.hardware import GpuType
from fleetsim.model.plan import Scheduling
from fleetsim.model.pool import TRAINING
from fleetsim.model.scenario import Scenario
from fleetsim.policies import static_plan
from fleetsim.rng import Streams
from fleetsim.timebase import HOUR_NS, HOUR_S, SECOND_NS, ns_between

if TYPE_CHECKING:
    from fleetsim.engine.world import Block, World

RENTED, LENT, BORROWED = (GPU_SECONDS.index(name) for name in ("rented", "lent", "borrowed"))
ORDERS = {"fifo": rows.FIFO, "priority": rows.PRIORITY, "fair_share": rows.FAIR_SHARE}


class TrainingFleet:
    """One fleet's jobs and GPUs."""

    reserve_gpus = 0
    """GPUs of pools that jobs may borrow; in the kernel they are lent as long as jobs do not have them."""

    def __init__(self, name: str, scenario: Scenario, streams: Streams, jobs: Jobs | None = None) -> None:
        self.name, self.fleet = name, scenario.fleets[name]
        self.gpu = scenario.gpus[self.fleet.gpu]
        self.jobs = jobs or jobs_of(scenario, name, streams)
        self.hours = ns_between(scenario.horizon.start, scenario.horizon.end) // HOUR_NS
        scheduling = static_plan(scenario.policies.values()).scheduling.get(name, Scheduling())
        self.pool = TrainingPool(
            self.jobs.records, self.terms(scheduling), hours=self.hours,
            seed=streams.seed, replication=streams.replication, scope=f"fleet/{name}/")
        self.gpus = self.lemons = self.draining = 0
        self._balance = 0
        """GPUs accepted less those handed back: below 0 while GPUs that left are interrupted as well."""
        self._taken = 0
        self._out: dict[int, int] = {}
        """By open window: GPUs that an outage took."""
        self._calls: list[tuple[int, int]] = []
        """When GPUs were called in that jobs may still hold, and how many."""
        self.called_off: set[int] = set()
        """The times of those that need not come any more."""
        self._rented_gpu_h = np.zeros(self.hours)
        """By hour, of the whole fleet."""
        self._served_gpu_ns = np.zeros(self.hours, np.int64)
        """By hour: GPU time of the jobs' GPUs that a pool had, less GPU time of pools that jobs had."""
        saving = self.jobs.records["write_ns"] + self.jobs.records["drain_ns"]
        self.notice_ns = int(saving.max(initial=0)) + SECOND_NS
        """How long before they leave GPUs are drained, so that jobs may save their work."""

    def terms(self, scheduling: Scheduling) -> Terms:
        """What the kernel is told of the fleet."""
        return terms_of(self.fleet, self.gpu, scheduling, self.jobs.teams)

    # Loans

    @property
    def lent_gpus(self) -> int:
        """GPUs that serve traffic, or are free to."""
        return int(self.pool.cluster["lent"])

    @property
    def owed_gpus(self) -> int:
        """GPUs that jobs still have to give up."""
        return int(self.pool.cluster["owed_lent"])

    @property
    def healthy_gpus(self) -> int:
        """GPUs that are neither down nor in maintenance, lent ones included."""
        return self.gpus - int(self.pool.cluster["down"] + self.pool.cluster["maintenance"])

    def job_gpus(self, largest: int | None = None) -> int:
        """GPUs that jobs hold or wait for, without jobs larger than `largest`."""
        cluster = self.pool.cluster
        held = int(cluster["running_gpus"])
        if cluster["waiting"] == 0:
            return held
        there = self.pool.jobs[: int(cluster["next_job"])]
        waiting = there["gpus"][there["phase"] == rows.QUEUED]
        return held + int(waiting.sum() if largest is None else waiting[waiting <= largest].sum())

    def share(self, served_gpus: int, now_ns: int) -> int:
        """So many GPUs are to serve traffic; returns how many of them jobs are called upon to leave."""
        self.go_to(now_ns)
        more = self.reserve_gpus + served_gpus - self.lent_gpus - self.owed_gpus
        if more > 0:
            self.pool.drain(more, rows.LENT)
            self._calls.append((now_ns, more))
            return more
        owed, spared = self.owed_gpus, -more
        self.pool.put_back(spared, rows.LENT)
        if 0 < owed <= spared:
            self.called_off.update(since_ns for since_ns, _ in self._calls)
            self._calls.clear()
        while 0 < spared < owed and self._calls:  # the last called are the first that need not come
            since_ns, gpus = self._calls.pop()
            if gpus > spared:
                self._calls.append((since_ns, gpus - spared))
            else:
                self.called_off.add(since_ns)
            spared -= gpus
        return 0

    def collect(self, called_ns: int) -> None:
        """What was called in up to then goes now, saved or not."""
        later = [(since_ns, gpus) for since_ns, gpus in self._calls if since_ns > called_ns]
        self.pool.force(sum(gpus for _, gpus in later))
        self._calls = later

    def owes_since(self, called_ns: int) -> int:
        """GPUs that jobs still hold of those called in up to then."""
        later = sum(gpus for since_ns, gpus in self._calls if since_ns > called_ns)
        return max(0, self.owed_gpus - later)

    def granted(self, asked: Mapping[Loan, int], before: Mapping[Loan, int]) -> dict[Loan, int]:
        """By loan: what a pool borrows of the GPUs that it asked for, as far as jobs have left them."""
        left, found = self.lent_gpus, {}
        for loan, gpus in asked.items():
            found[loan] = min(gpus, left)
            left -= found[loan]
        return found

    def follow(self, world: "World", first: int, last: int) -> None:
        """The fluid model has moved over these steps."""

    # GPUs that come and go

    def rent(self, gpus: int, now_ns: int) -> None:
        """GPUs are accepted, or handed back."""
        self.go_to(now_ns)
        self._balance += gpus
        gpus = max(0, self._balance) - self.gpus
        promised = self.lent_gpus + self.owed_gpus
        self.pool.put_back(max(0, min(promised, promised - self.gpus - gpus)), rows.LENT)
        self.gpus += gpus
        if gpus > 0:
            lemons = expected_lemons(self.fleet, self.gpu, self.gpus) - self.lemons
            self.lemons += lemons
            self.pool.bring(gpus, max(0, lemons))
        else:
            drained = self.pool.cluster["maintenance"] + self.pool.cluster["owed_maintenance"]
            self.pool.drain(max(0, -gpus - drained))
            self.pool.force()
            self.pool.retire(-gpus)
        draining = round(self.gpus * self.fleet.draining_frac)
        self.pool.drain(max(0, draining - self.draining))
        self.draining = draining

    def go_to(self, now_ns: int) -> None:
        """Move the jobs on, if they are not there yet: changes act at the next step of the fluid model."""
        self.pool.advance(max(now_ns, int(self.pool.cluster["now_ns"])))

    def drain(self, gpus: int, now_ns: int) -> None:
        """GPUs are about to be handed back."""
        self.go_to(now_ns)
        self.pool.drain(gpus)

    def change(self, window: Window, planned: bool, opens: bool, now_ns: int) -> None:
        """An outage or a maintenance window opens or closes."""
        self.go_to(now_ns)
        if opens:
            left = self.gpus - sum(self._out.values())
            gpus = round(left * (window.share_frac or 0.0)) if window.gpus is None else window.gpus
            if planned:
                gpus = min(gpus, self.gpus)
                self.pool.drain(gpus)
            else:
                gpus = self.pool.break_down(gpus)
            self._out[id(window)] = gpus
        elif planned:
            self.pool.put_back(self._out.pop(id(window)))
        else:
            self.pool.end_outage(self._out.pop(id(window)))

    def fill(self, block: "Block", index: Index) -> None:
        """Move on to the end of a block, and say what the fleet's GPUs did in its hours."""
        first = block.hourly.first_hour
        last = first + block.hourly.gpu_s.shape[1]
        self.go_to(last * HOUR_NS)
        share = index.shares.index((self.name, TRAINING))
        found = block.hourly.gpu_s[:, :, share]
        self._rented_gpu_h[first:last] = block.hourly.gpu_s[RENTED, :, index.shares_of(self.name)].sum(
            axis=0) / HOUR_S
        self._served_gpu_ns[first:last] = np.rint((found[LENT] - found[BORROWED]) * SECOND_NS)
        gpu_s = self.pool.state.hours[first:last] / SECOND_NS
        by_name = dict(zip(rows.STATES, gpu_s.T, strict=True))
        there = found[RENTED] + self.reserve_gpus * HOUR_S
        unhealthy = by_name["down"] + by_name["maintenance"]
        free = by_name["idle"] + by_name["spare"] + by_name["lent"]
        found[GPU_SECONDS.index("allocated")] = np.maximum(there - unhealthy - free, 0.0)  # but for rounding
        if not self.reserve_gpus:
            for row, values in (("failed", by_name["down"]), ("draining", by_name["maintenance"]),
                                ("out", 0.0), ("healthy", there - unhealthy)):
                found[GPU_SECONDS.index(row)] = values
            block.hourly.nodes[:, :, index.fleets.index(self.name)] = self._nodes(first, last)

    def state_gpu_hours(self, first: int, last: int) -> Array:
        """GPU-hours by state and hour, (S, hours). GPUs on their way from jobs to a pool are idle."""
        gpu_ns = self.pool.state.hours[first:last].copy()
        served = self._served_gpu_ns[first:last]
        gpu_ns[:, rows.IDLE] += gpu_ns[:, rows.LENT] - self.reserve_gpus * HOUR_NS - served
        gpu_ns[:, rows.LENT] = served
        found: Array = gpu_ns.T / HOUR_NS
        return found

    def take_events(self) -> Array:
        """What happened since the last call, (N) LOG."""
        blocks, self._taken = self.pool.events[self._taken :], len(self.pool.events)
        return np.concatenate([np.zeros(0, rows.LOG), *blocks])

    def cost_of_jobs(self, cost_micro_usd: Array) -> Array:
        """What the GPUs that each job held cost, micro-USD, (J); the fleet's cost is given by hour.

        The cost of a GPU up to each instant, straight within the hour, at the ends of each job's spans.
        """
        per_gpu = np.divide(cost_micro_usd, self._rented_gpu_h, out=np.zeros(self.hours),
                            where=self._rented_gpu_h > 0)
        reached, edges = np.concatenate([[0.0], np.cumsum(per_gpu)]), np.arange(self.hours + 1.0)
        found = np.zeros(len(self.jobs.records))
        for spans in self.pool.spans:
            from_h, to_h = spans["from_ns"] / HOUR_NS, spans["to_ns"] / HOUR_NS
            cost = np.interp(to_h, edges, reached) - np.interp(from_h, edges, reached)
            np.add.at(found, spans["job"], cost * spans["gpus"])
        whole: Array = np.rint(found).astype(np.int64)
        return whole

    def _nodes(self, first: int, last: int) -> Array:
        """Nodes that failed and came back in each hour, (2, hours)."""
        found = np.zeros((2, last - first), np.int64)
        for events in self.pool.events:
            hour = events["time_ns"] // HOUR_NS - first
            inside = (hour >= 0) & (hour < last - first)
            for row, kind in enumerate((rows.NODE_FAILED, rows.REPAIRED)):
                chosen = inside & (events["kind"] == kind)
                np.add.at(found[row], hour[chosen], 1)
        return found


def terms_of(fleet: Fleet, gpu: GpuType, scheduling: Scheduling, teams: tuple[str, ...]) -> Terms:
    """What the kernel is told of a fleet."""
    terms, node_gpus = fleet.reliability, gpu.gpus_per_node
    return Terms(
        node_gpus=node_gpus,
        node_mtbf_h=fleet.node_mtbf_h, repair_h=fleet.repair_h, crews=terms.repair_crews,
        spare_gpus=terms.spare_nodes * node_gpus, replace_s=terms.replacement_s,
        domain_gpus=(terms.domain_nodes or 0) * node_gpus,
        domain_mtbf_h=terms.domain_mtbf_h if terms.domain_nodes else None,
        domain_repair_h=terms.domain_repair_h,
        lemon_factor=terms.lemon_factor, lemon_found_frac=terms.lemon_found_frac,
        order=ORDERS[scheduling.order], backfill=scheduling.backfill, preempt=scheduling.preempt,
        yields=scheduling.checkpoint_first, half_life_h=scheduling.half_life_h,
        team_shares=[scheduling.share.get(team, 1.0) for team in teams],
        causes=[cause.count / INTERRUPTIONS for cause in CAUSES], node_causes=NODE_CAUSES)
