"""A trace of jobs on a training fleet: who waits how long, and what the GPUs do meanwhile.

Each job runs for the time that the trace says it ran, whatever became of it there: a job that failed or was
cancelled holds its GPUs as long as it did. Jobs are submitted when they were, and wait for a fleet of this
size.
"""

import os
from dataclasses import asdict, dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any, Literal, get_args

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.experiments.job_sizes import size_index, size_names
from fleetsim.timebase import DAY_S, HOUR_NS, HOUR_S, SECOND_NS, YEAR_S

if TYPE_CHECKING:
    from fleetsim.engine.training_pool import Terms, TrainingPool
    from fleetsim.kernel.arrays import Array
    from fleetsim.spec.trace.jobs.canonical import JobTrace

Schedule = Literal["fifo", "priority", "backfill", "fair_share"]
"""fifo: in order of submission, nobody passes. priority: the most important first, which preempts others.
backfill: fifo, but those pass that do not delay the first (EASY). fair_share: the team that used least."""
MOST_GPUS = 10_000_000
LONGEST_DAYS = 3_650.0
"""After the last submission, unless told: a replay that goes on longer is not one that ends."""
LONGEST_YEARS = 100
"""Of a trace that can be replayed, and its end with it."""
QUANTILES = (0.5, 0.9, 0.99)


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """The fleet that jobs run on, and what a failure costs them."""

    gpus: int
    """Spares included."""
    node_gpus: int = 8
    node_mtbf_h: float | None = None
    """Of one node; None: nothing fails."""
    repair_h: float = 24.0
    spare_gpus: int = 0
    """Kept free to take the place of failed ones."""
    checkpoint_interval_s: float | None = None
    """Work between two checkpoints; None: none, and a job that fails starts over."""
    checkpoint_write_s: float = 0.0
    """That the job stands still for each."""
    restart_s: float = 0.0
    """After a failure or a preemption."""


@dataclass(frozen=True)
class Waits:
    """Times from submission to the first start; quantiles are values that occur."""

    jobs: int
    mean_s: float
    p50_s: float
    p90_s: float
    p99_s: float


@dataclass(frozen=True)
class SizeReplay:
    """The jobs of one class of sizes, or all of them."""

    name: str
    jobs: int
    """That the fleet can hold."""
    done: int
    gpu_hours: float
    """Run time in the trace times GPUs."""
    failures: int
    preemptions: int
    wait: Waits | None
    """Of those that started."""
    recorded_wait: Waits | None
    """As the trace has it, of those for which it does."""


@dataclass(frozen=True)
class JobReplay:
    """A replayed trace of jobs."""

    fleet: Fleet
    schedule: Schedule
    jobs: int
    """Of the trace."""
    too_large: int
    """Of them, those with more GPUs than the fleet has without its spares: left out."""
    done: int
    running: int
    """At the end; 0 unless the replay was cut short, as is `queued`."""
    queued: int
    span_s: float
    """From the first submission to the last end, in whole hours."""
    arrival_span_s: float
    """To the last submission, in whole hours."""
    gpu_hours: dict[str, float]
    """By state; they add up to GPUs times span."""
    held_frac: float
    """Of the fleet's time, what jobs held."""
    arrival_held_frac: float | None
    """The same while jobs were still submitted; None below one hour."""
    productive_frac: float
    """Of the fleet's time, work that counted."""
    node_failures: int
    sizes: tuple[SizeReplay, ...]
    """All jobs under the name `all`, then each class of sizes that has jobs."""
    kernel_cpu_s: float

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


def replay_jobs(trace: "JobTrace | str | os.PathLike[str]", fleet: Fleet, *, schedule: Schedule = "fifo",
                seed: int = 0, longest_days: float = LONGEST_DAYS) -> JobReplay:
    """The jobs of a trace on a fleet, until all are done or `longest_days` after the last submission.

    `seed` draws the failures. UsageError for what cannot be: a schedule without what it needs in the trace
    (priorities, teams), a fleet that no job fits on, times and counts out of range.
    """
    import time

    from fleetsim.engine.training_pool import TrainingPool

    given = opened(trace)
    check_fleet(fleet)
    fits = given.gpus <= fleet.gpus - fleet.spare_gpus
    if not fits.any():
        raise UsageError(f"no job fits: the smallest asks for {int(given.gpus.min()):,} GPUs, and the fleet "
                         f"has {fleet.gpus - fleet.spare_gpus:,} beside its spares")
    limit_ns = _limit_ns(given, longest_days)
    pool = TrainingPool(_gangs(given, fleet, schedule, fits), _terms(given, fleet, schedule), gpus=fleet.gpus,
                        hours=limit_ns // HOUR_NS + 1, seed=seed, scope="replay/training/")
    pool.advance(0)  # loads the compiled kernel, which is no time of the simulation
    began = time.process_time()
    end_ns = _run(pool, int(given.submit_ns[-1]), limit_ns)
    return _found(pool, given, fleet, schedule, fits, end_ns, time.process_time() - began)


def opened(trace: "JobTrace | str | os.PathLike[str]") -> "JobTrace":
    """The trace, read where a path is given."""
    if isinstance(trace, str | os.PathLike):
        from fleetsim.spec.trace.jobs.canonical import read_jobs

        return read_jobs(os.fspath(trace))
    return trace


def check_fleet(fleet: Fleet) -> None:
    """UsageError for numbers that no fleet has."""
    if not 1 <= fleet.gpus <= MOST_GPUS:
        raise UsageError(f"a fleet has 1 to {MOST_GPUS:,} GPUs, not {fleet.gpus:,}")
    if fleet.node_gpus < 1 or (fleet.node_mtbf_h is not None and fleet.node_gpus > fleet.gpus):
        raise UsageError(f"a node that fails has 1 to {fleet.gpus:,} GPUs, those of the fleet, not "
                         f"{fleet.node_gpus:,}; say how many with --node-gpus")
    if not 0 <= fleet.spare_gpus < fleet.gpus:
        raise UsageError(f"0 to {fleet.gpus - 1:,} GPUs can be spares, not {fleet.spare_gpus:,}")
    longest_s = LONGEST_YEARS * YEAR_S
    for name, value, least in (("MTBF of a node, hours", fleet.node_mtbf_h, 1e-3),
                               ("checkpoint interval, seconds", fleet.checkpoint_interval_s, 1e-3),
                               ("repair, hours", fleet.repair_h, 0.0),
                               ("restart, seconds", fleet.restart_s, 0.0),
                               ("checkpoint's write, seconds", fleet.checkpoint_write_s, 0.0)):
        if value is not None and not (isfinite(value) and least <= value <= longest_s):
            raise UsageError(f"{name}: {least:g} to {longest_s:g}, not {value:g}")
    if fleet.checkpoint_write_s > 0 and fleet.checkpoint_interval_s is None:
        raise UsageError("a checkpoint's write without an interval: say how often one is written")


def _limit_ns(trace: "JobTrace", longest_days: float) -> int:
    """When the replay ends at the latest, a whole hour."""
    if not (isfinite(longest_days) and longest_days > 0):
        raise UsageError(f"--longest-days {longest_days:g}: a replay goes on for more than 0 days")
    seconds = trace.span_s + longest_days * DAY_S
    if seconds > LONGEST_YEARS * YEAR_S:
        raise UsageError(f"a trace of {trace.span_s / YEAR_S:,.1f} years and {longest_days:,g} days are more "
                         f"than the {LONGEST_YEARS} years that a replay can take")
    return (int(seconds) // HOUR_S + 1) * HOUR_NS


def _gangs(trace: "JobTrace", fleet: Fleet, schedule: Schedule, fits: "Array") -> "Array":
    """The jobs that fit, as the kernel has them."""
    from fleetsim.engine.training_pool import gangs

    return gangs(
        int(fits.sum()), submit_ns=trace.submit_ns[fits], work_ns=trace.duration_ns[fits],
        gpus=trace.gpus[fits], team=trace.teams.index[fits] if schedule == "fair_share" else 0,
        priority=priorities(trace)[fits] if schedule == "priority" else 0,
        interval_ns=round((fleet.checkpoint_interval_s or 0.0) * SECOND_NS),
        write_ns=round(fleet.checkpoint_write_s * SECOND_NS), restart_ns=round(fleet.restart_s * SECOND_NS))


def priorities(trace: "JobTrace") -> "Array":
    """Priorities; jobs without one come last. UsageError when no job has one."""
    import numpy as np

    if (trace.priority < 0).all():
        raise UsageError("schedule priority: the jobs of this trace have no priority; import them with "
                         "--priority-column, or take another schedule")
    return np.where(trace.priority < 0, trace.priority.max() + 1, trace.priority)


def _terms(trace: "JobTrace", fleet: Fleet, schedule: Schedule) -> "Terms":
    from fleetsim.engine.training_pool import Terms
    from fleetsim.kernel.training.arrays import FAIR_SHARE, FIFO, PRIORITY

    known = list(get_args(Schedule))
    if schedule not in known:
        raise UsageError(f"unknown schedule {schedule!r} ({did_you_mean(schedule, known)})")
    teams = len(trace.teams.names)
    if schedule == "fair_share" and teams == 1:
        raise UsageError("schedule fair_share: all jobs are of one team; take another schedule")
    return Terms(
        node_gpus=fleet.node_gpus, node_mtbf_h=fleet.node_mtbf_h, repair_h=fleet.repair_h,
        spare_gpus=fleet.spare_gpus, backfill=schedule == "backfill", preempt=schedule == "priority",
        order={"priority": PRIORITY, "fair_share": FAIR_SHARE}.get(schedule, FIFO),
        team_shares=(1.0,) * teams if schedule == "fair_share" else (1.0,))


def _run(pool: "TrainingPool", last_ns: int, limit_ns: int) -> int:
    """Move on until all jobs are done, or to the limit; the end of the hour in which that is."""
    until_ns, step_ns = last_ns, HOUR_NS
    pool.advance(until_ns)
    while until_ns < limit_ns and _left(pool):
        until_ns = min(until_ns + step_ns, limit_ns)
        step_ns *= 2
        pool.advance(until_ns)
    if _left(pool):
        return limit_ns
    end_ns = -(-int(pool.jobs["ended_ns"].max()) // HOUR_NS) * HOUR_NS
    pool.advance(max(end_ns, until_ns))
    return end_ns


def _left(pool: "TrainingPool") -> bool:
    """Whether a job is to come, waits or runs."""
    cluster = pool.cluster
    return bool(cluster["next_job"] < len(pool.jobs) or cluster["active"] or cluster["waiting"])


def _found(pool: "TrainingPool", trace: "JobTrace", fleet: Fleet, schedule: Schedule, fits: "Array",
           end_ns: int, cpu_s: float) -> JobReplay:
    import numpy as np

    from fleetsim.kernel.training.arrays import HELD_STATES, NODE_FAILED, STATES

    pool.close()
    hours, arrival_hours = end_ns // HOUR_NS, int(trace.submit_ns[-1]) // HOUR_NS
    by_state = pool.state.hours[:hours].astype(np.float64) / HOUR_NS
    gpu_hours = dict(zip(STATES, by_state.sum(axis=0).tolist(), strict=True))
    total = float(fleet.gpus * hours)
    held = sum(gpu_hours[state] for state in STATES[:HELD_STATES])
    arriving = float(by_state[:arrival_hours, :HELD_STATES].sum())
    return JobReplay(
        fleet=fleet, schedule=schedule, jobs=len(trace), too_large=int(len(trace) - fits.sum()),
        done=int((pool.jobs["ended_ns"] >= 0).sum()), running=int(pool.cluster["active"]),
        queued=int(pool.cluster["waiting"]),
        span_s=float(hours * HOUR_S), arrival_span_s=float(arrival_hours * HOUR_S),
        gpu_hours={state: value for state, value in gpu_hours.items() if value > 0},
        held_frac=held / total, productive_frac=gpu_hours["productive"] / total,
        arrival_held_frac=arriving / (fleet.gpus * arrival_hours) if arrival_hours > 0 else None,
        node_failures=sum(int((part["kind"] == NODE_FAILED).sum()) for part in pool.events),
        sizes=_sizes(pool.jobs, trace.queue_s[fits], trace.gpu_hours[fits]), kernel_cpu_s=cpu_s)


def _sizes(jobs: "Array", recorded_s: "Array", gpu_hours: "Array") -> tuple[SizeReplay, ...]:
    """All jobs, then the classes of sizes that have some."""
    import numpy as np

    size = size_index(jobs["gpus"])
    parts = [("all", np.ones(len(jobs), np.bool_))]
    parts += [(name, size == place) for place, name in enumerate(size_names())]
    found = []
    for name, own in parts:
        mine = jobs[own]
        if len(mine):
            started = mine[mine["started_ns"] >= 0]
            wait_s = (started["started_ns"] - started["submit_ns"]) / SECOND_NS
            found.append(SizeReplay(
                name, len(mine), int((mine["ended_ns"] >= 0).sum()), float(gpu_hours[own].sum()),
                int(mine["failures"].sum()), int(mine["preemptions"].sum()), waits_of(wait_s),
                waits_of(recorded_s[own])))
    return tuple(found)


def waits_of(wait_s: "Array") -> Waits | None:
    """Mean and quantiles of waits; NaN are none. None where nothing is left."""
    import numpy as np

    there = wait_s[~np.isnan(wait_s)]
    if not there.size:
        return None
    p50, p90, p99 = np.quantile(there, QUANTILES, method="inverted_cdf").tolist()
    return Waits(int(there.size), float(there.mean()), p50, p90, p99)
