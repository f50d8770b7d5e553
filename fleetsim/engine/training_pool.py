"""A training fleet in the kernel: its jobs, its counts, and the GPU time of both."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fleetsim.kernel import min_tree
from fleetsim.kernel.arrays import NEVER, Array
from fleetsim.kernel.training import arrays as rows
from fleetsim.kernel.training.advance import THERE, advance
from fleetsim.kernel.training.control import (
    begin,
    break_down,
    bring,
    end_outage,
    force,
    put_back,
    retire,
    settle_all,
    withdraw,
)
from fleetsim.rng import key_of
from fleetsim.timebase import HOUR_NS

FIRST_LOG_ROWS = 1_024
STREAMS = ("node_failures", "software_failures", "domain_failures", "repairs", "domain_repairs")
"""By hazard: the random stream of a fleet that its events draw from."""


@dataclass(frozen=True, kw_only=True)
class Terms:
    """How a training fleet fails, is repaired and is shared out. Rates are means of exponentials."""

    node_gpus: int = 8
    node_mtbf_h: float | None = None
    """Of one node; None: never."""
    repair_h: float = 24.0
    """Of one node by one crew; 0: at once."""
    crews: int | None = None
    """Repairs at the same time; any number by default."""
    spare_gpus: int = 0
    replace_s: float = 0.0
    """To put a spare, or an idle node, in the place of a failed one."""
    domain_gpus: int = 0
    domain_mtbf_h: float | None = None
    """Of one domain of `domain_gpus`."""
    domain_repair_h: float = 1.0
    lemon_factor: float = 1.0
    """Failure rate of a lemon node / of an ordinary one."""
    lemon_found_frac: float = 0.0
    """Chance that a failed lemon is found out and replaced by an ordinary node."""
    order: int = rows.FIFO
    backfill: bool = False
    preempt: bool = False
    """Whether jobs take the GPUs of less important ones; with order PRIORITY only, or they would come first
    again."""
    yields: bool = True
    """Whether a preempted job writes a checkpoint first."""
    half_life_h: float | None = None
    """After which half of what a team used is forgotten; nothing by default."""
    team_shares: Sequence[float] = (1.0,)
    causes: Sequence[float] = (1.0,)
    """Shares of the failures of nodes."""
    node_causes: int = 1
    """How many of them, the first, take a node out; at the others the job starts again on its nodes."""


class TrainingPool:
    """The jobs of one fleet, moved on by `advance`. GPU time is exact, in GPU-ns."""

    def __init__(self, jobs: Array, terms: Terms, *, gpus: int = 0, lemons: int = 0, hours: int,
                 seed: int = 0, replication: int = 0, scope: str = "fleet/training/") -> None:
        """`jobs` as `gangs` makes them, by time of submission; `gpus` are there from the start.

        ValueError when jobs are to be preempted in another order than that of their priority.
        """
        if terms.preempt and terms.order != rows.PRIORITY:
            raise ValueError("preemption goes with the order of priority")
        count = len(jobs)
        starts = min_tree.layout(max(1, count))
        self.terms = terms
        self.jobs = jobs.copy()
        self.events: list[Array] = []
        """What happened, LOG."""
        self.spans: list[Array] = []
        """Who held GPUs, and when, SPAN."""
        self.state = rows.State(
            cluster=_cluster(terms, key_of(seed, replication, scope + "nodes")),
            jobs=self.jobs,
            hazards=_hazards(lambda name: key_of(seed, replication, scope + name)),
            teams=_teams(terms.team_shares),
            causes=np.array(terms.causes, dtype=np.float64),
            active=np.zeros(count, np.int64),
            times=min_tree.filled(starts, np.full(count, NEVER)),
            tree=starts,
            hours=np.zeros((hours, len(rows.STATES)), np.int64),
            job_s=np.zeros((count, rows.HELD_STATES), np.int64),
            job_ns=np.zeros((count, rows.HELD_STATES), np.int64),
            ends=np.zeros((count, 2), np.int64),
            log=np.zeros(FIRST_LOG_ROWS, rows.LOG),
            spans=np.zeros(FIRST_LOG_ROWS, rows.SPAN),
        )
        bring(self.state, gpus, lemons)
        begin(self.state)

    @property
    def cluster(self) -> Any:
        """The fleet's counts, now."""
        return self.state.cluster[0]

    def advance(self, until_ns: int) -> None:
        """Move on to a time, events at that time included."""
        while advance(self.state, until_ns) != THERE:
            self.empty()
        self.empty()

    def bring(self, gpus: int, lemons: int = 0) -> None:
        """GPUs join the fleet now, some of their nodes lemons."""
        bring(self.state, gpus, lemons)

    def drain(self, gpus: int, into: int = rows.MAINTENANCE) -> None:
        """GPUs go to maintenance, or as a loan, as soon as jobs have written their checkpoints."""
        self.empty()
        withdraw(self.state, gpus, into)

    def force(self, but: int = 0) -> None:
        """What is still to go, goes now; but for so many GPUs."""
        self.empty()
        force(self.state, but)

    def put_back(self, gpus: int, out_of: int = rows.MAINTENANCE) -> None:
        """GPUs come back from maintenance or from a loan."""
        put_back(self.state, gpus, out_of)

    def retire(self, gpus: int) -> None:
        """GPUs leave the fleet: what is drained, and of the rest what is down."""
        retire(self.state, gpus)

    def break_down(self, gpus: int) -> int:
        """An outage takes GPUs at once; how many."""
        self.empty()
        return int(break_down(self.state, gpus))

    def end_outage(self, gpus: int) -> None:
        """They come back, but for those that have left the fleet meanwhile."""
        end_outage(self.state, gpus)

    def close(self) -> None:
        """At the end: book what runs, its work as work that counts."""
        self.empty()
        settle_all(self.state)
        self.empty()

    def empty(self) -> None:
        """Keep what the kernel has written down, and give it room for what the next event may write."""
        cluster = self.cluster
        if cluster["logged"] > 0:
            self.events.append(self.state.log[: cluster["logged"]].copy())
        if cluster["spanned"] > 0:
            self.spans.append(self.state.spans[: cluster["spanned"]].copy())
        cluster["logged"] = cluster["spanned"] = 0
        asked = 2 * cluster["waiting"] + 4 * cluster["active"] + 64  # what one event may write
        if len(self.state.log) < 2 * asked:
            self.state = self.state._replace(log=np.zeros(4 * asked, rows.LOG),
                                             spans=np.zeros(4 * asked, rows.SPAN))


def gangs(count: int, **columns: object) -> Array:
    """Job records from columns or values; what is not given has its neutral value."""
    jobs = np.zeros(count, rows.JOB)
    jobs["started_ns"] = jobs["ended_ns"] = jobs["left_ns"] = jobs["prev"] = jobs["next"] = rows.NONE
    jobs["preemptible"] = 1
    for name, values in columns.items():
        jobs[name] = values
    jobs["interval_ns"] = np.where(jobs["interval_ns"] == 0, jobs["work_ns"], jobs["interval_ns"])
    return jobs


def _per_ns(mtbf_h: float | None, gpus: int) -> float:
    """Failures per GPU and ns."""
    return 0.0 if mtbf_h is None else 1.0 / (mtbf_h * HOUR_NS * gpus)


def _cluster(terms: Terms, seed: int) -> Array:
    cluster = np.zeros(1, rows.CLUSTER)
    row = cluster[0]
    row["node_gpus"], row["domain_gpus"] = terms.node_gpus, terms.domain_gpus
    row["failure_per_gpu_ns"] = _per_ns(terms.node_mtbf_h, terms.node_gpus)
    row["lemon_factor"], row["lemon_found_prob"] = terms.lemon_factor, terms.lemon_found_frac
    row["domain_failure_per_gpu_ns"] = _per_ns(terms.domain_mtbf_h, terms.domain_gpus)
    row["node_causes"] = terms.node_causes
    row["repair_ns"], row["domain_repair_ns"] = terms.repair_h * HOUR_NS, terms.domain_repair_h * HOUR_NS
    row["crews"] = NEVER if terms.crews is None else terms.crews
    row["replace_ns"] = round(terms.replace_s * 1e9)
    row["spare_gpus"] = terms.spare_gpus
    row["order"], row["backfill"], row["preempt"] = terms.order, terms.backfill, terms.preempt
    row["yields"] = terms.yields
    row["half_life_ns"] = np.inf if terms.half_life_h is None else terms.half_life_h * HOUR_NS
    row["seed"] = seed
    return cluster


def _hazards(key: Callable[[str], int]) -> Array:
    hazards = np.zeros(rows.HAZARDS, rows.HAZARD)
    hazards["seed"] = [key(name) for name in STREAMS]
    return hazards


def _teams(shares: Sequence[float]) -> Array:
    teams = np.zeros(len(shares), rows.TEAM)
    teams["share"] = shares
    teams["head"] = teams["tail"] = rows.NONE
    return teams
