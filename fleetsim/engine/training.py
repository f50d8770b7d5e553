"""Training fleets with jobs: each has a pool in the training kernel, which says what its GPUs do.

Their failures, repairs, outages and maintenance are the kernel's; the fluid model only counts what is rented.
"""

from typing import TYPE_CHECKING

import numpy as np

from fleetsim.engine.job_draws import expected_lemons, jobs_of
from fleetsim.engine.training_pool import Terms, TrainingPool
from fleetsim.kernel.arrays import GPU_SECONDS, Array
from fleetsim.kernel.training import arrays as rows
from fleetsim.model.failure_cause import CAUSES, INTERRUPTIONS, NODE_CAUSES
from fleetsim.model.fleet import Fleet, Window
from fleetsim.model.hardware import GpuType
from fleetsim.model.plan import Scheduling
from fleetsim.model.scenario import Scenario
from fleetsim.policies import static_plan
from fleetsim.rng import Streams
from fleetsim.timebase import HOUR_NS, SECOND_NS, ns_between

if TYPE_CHECKING:
    from fleetsim.engine.world import Block

ORDERS = {"fifo": rows.FIFO, "priority": rows.PRIORITY, "fair_share": rows.FAIR_SHARE}


class TrainingFleet:
    """One fleet's jobs and GPUs."""

    def __init__(self, name: str, scenario: Scenario, streams: Streams) -> None:
        self.fleet = scenario.fleets[name]
        self.gpu = scenario.gpus[self.fleet.gpu]
        self.jobs = jobs_of(scenario, name, streams)
        self.hours = ns_between(scenario.horizon.start, scenario.horizon.end) // HOUR_NS
        scheduling = static_plan(scenario.policies.values()).scheduling.get(name, Scheduling())
        self.pool = TrainingPool(
            self.jobs.records, terms_of(self.fleet, self.gpu, scheduling, self.jobs.teams), hours=self.hours,
            seed=streams.seed, replication=streams.replication, scope=f"fleet/{name}/")
        self.gpus = self.lemons = self.draining = 0
        self._taken = 0
        self._out: dict[int, int] = {}
        """By open window: GPUs that an outage took."""
        saving = self.jobs.records["write_ns"] + self.jobs.records["drain_ns"]
        self.notice_ns = int(saving.max(initial=0)) + SECOND_NS
        """How long before they leave GPUs are drained, so that jobs may save their work."""

    def rent(self, gpus: int, now_ns: int) -> None:
        """GPUs are accepted, or handed back."""
        self.go_to(now_ns)
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
            gpus = round(self.gpus * (window.share_frac or 0.0)) if window.gpus is None else window.gpus
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

    def fill(self, block: "Block", share: int, place: int) -> None:
        """Move on to the end of a block, and say what the fleet's GPUs did in its hours."""
        first = block.hourly.first_hour
        last = first + block.hourly.gpu_s.shape[1]
        self.go_to(last * HOUR_NS)
        gpu_s = self.pool.state.hours[first:last] / SECOND_NS
        by_name = dict(zip(rows.STATES, gpu_s.T, strict=True))
        rented = block.hourly.gpu_s[GPU_SECONDS.index("rented"), :, share]
        unhealthy = by_name["down"] + by_name["maintenance"]
        free = by_name["idle"] + by_name["spare"] + by_name["lent"]
        for row, values in (("failed", by_name["down"]), ("draining", by_name["maintenance"]),
                            ("out", 0.0), ("healthy", rented - unhealthy), ("lent", by_name["lent"]),
                            ("allocated", rented - unhealthy - free)):
            block.hourly.gpu_s[GPU_SECONDS.index(row), :, share] = values
        block.hourly.nodes[:, :, place] = self._nodes(first, last)

    def take_events(self) -> list[tuple[int, int, int, int, int]]:
        """What happened since the last call: time in ns, kind, job, GPUs, cause."""
        blocks, self._taken = self.pool.events[self._taken :], len(self.pool.events)
        return [event for block in blocks for event in block.tolist()]

    def cost_of_jobs(self, cost_micro_usd: Array) -> Array:
        """What the GPUs that each job held cost, micro-USD, (J); the fleet's cost is given by hour.

        The cost of a GPU up to each instant, straight within the hour, at the ends of each job's spans.
        """
        rented_gpu_hours = self.pool.state.hours.sum(axis=1) / HOUR_NS
        per_gpu = np.divide(cost_micro_usd, rented_gpu_hours, out=np.zeros(self.hours),
                            where=rented_gpu_hours > 0)
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


def training_fleets(scenario: Scenario, streams: Streams) -> dict[str, TrainingFleet]:
    """By name: every fleet that has jobs."""
    used = {job.fleet for job in (*scenario.training_jobs.values(), *scenario.job_streams.values())}
    return {name: TrainingFleet(name, scenario, streams) for name in scenario.fleets if name in used}
