"""The jobs of a fleet as the kernel takes them: the named ones, and those that streams submit."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import inf

import numpy as np

from fleetsim.engine.shapes import shape_factors
from fleetsim.engine.training_pool import gangs
from fleetsim.kernel.arrays import NEVER, Array
from fleetsim.kernel.formulas import normal_quantile
from fleetsim.model.base import at, change_dates
from fleetsim.model.failure_rate import domain_failures_per_h, node_failures_per_h
from fleetsim.model.fleet import Fleet
from fleetsim.model.hardware import GpuType
from fleetsim.model.scenario import Scenario
from fleetsim.model.training_job import Gang, JobStream, Spread
from fleetsim.rng import Streams
from fleetsim.timebase import HOUR_NS, SECOND_NS, ns_between
from fleetsim.units import MOST_GPUS, MOST_JOB_H

DRAWN_AT_ONCE = 4_096
LARGEST_EXPONENT = 100.0
"""exp of it is beyond every limit, and still a number."""


@dataclass(frozen=True)
class Jobs:
    """The jobs of one fleet by time of submission, with what the kernel does not need to know."""

    names: tuple[str, ...]
    kinds: tuple[Gang, ...]
    """What each was made from."""
    teams: tuple[str, ...]
    """In the order of the records' teams."""
    records: Array
    """(J) JOB."""


def jobs_of(scenario: Scenario, fleet: str, streams: Streams) -> Jobs:
    """Every job of a fleet over the horizon; those of a stream have names like `research/17`."""
    gpu = scenario.gpus[scenario.fleets[fleet].gpu]
    named = {name: job for name, job in scenario.training_jobs.items()
             if job.fleet == fleet and job.start < scenario.horizon.end}
    streamed = {name: stream for name, stream in scenario.job_streams.items() if stream.fleet == fleet}
    teams = tuple(dict.fromkeys([job.team for job in named.values()]
                                + [team for stream in streamed.values() for team in stream.teams]))
    names: list[list[str]] = []
    made_from: list[list[Gang]] = []
    parts: list[Array] = []
    for name, job in named.items():
        part = _records(job, scenario.fleets[fleet], gpu, np.array([job.gpus]),
                        np.array([job.work_h(gpu)]))
        part["submit_ns"] = max(0, ns_between(scenario.horizon.start, job.start))
        part["team"] = teams.index(job.team)
        names.append([name])
        made_from.append([job])
        parts.append(part)
    for name, stream in streamed.items():
        part = _drawn(name, stream, scenario, gpu, streams, teams)
        names.append([f"{name}/{k}" for k in range(len(part))])
        made_from.append([stream] * len(part))
        parts.append(part)
    records = np.concatenate(parts) if parts else gangs(0)
    order = np.argsort(records["submit_ns"], kind="stable")
    flat_names = [name for group in names for name in group]
    flat_made = [gang for group in made_from for gang in group]
    return Jobs(tuple(flat_names[k] for k in order), tuple(flat_made[k] for k in order), teams or ("",),
                records[order])


def _drawn(name: str, stream: JobStream, scenario: Scenario, gpu: GpuType, streams: Streams,
           teams: tuple[str, ...]) -> Array:
    """The jobs that a stream submits: the k-th job draws the k-th uniform of each of its random streams."""
    submit_ns = _submissions(lambda n: streams.uniforms(f"jobs/{name}/gaps", n), stream, scenario)
    count = len(submit_ns)
    fleet = scenario.fleets[stream.fleet]
    gpus = _sizes(spread_out(stream.gpus, streams.uniforms(f"jobs/{name}/gpus", count)), gpu.gpus_per_node,
                  largest_gang(fleet, gpu, scenario))
    hours = spread_out(stream.duration_h, streams.uniforms(f"jobs/{name}/duration", count))
    part = _records(stream, fleet, gpu, gpus, hours)
    part["submit_ns"] = submit_ns
    weights = np.cumsum(list(stream.teams.values()))
    place = np.searchsorted(weights / weights[-1], streams.uniforms(f"jobs/{name}/team", count))
    own = [teams.index(team) for team in stream.teams]
    part["team"] = np.array(own)[np.minimum(place, len(own) - 1)]
    return part


def _submissions(uniforms: Callable[[int], Array], stream: JobStream, scenario: Scenario) -> Array:
    """Poisson over the week: unit exponentials, laid along the integral of the rate."""
    horizon = scenario.horizon
    hours = ns_between(horizon.start, horizon.end) // HOUR_NS
    middle_s = np.arange(hours) * 3_600.0 + 1_800.0
    per_day = np.full(hours, at(stream.jobs_per_day, horizon.start), dtype=np.float64)
    for date in change_dates(stream.jobs_per_day):
        since = max(0, -(-ns_between(horizon.start, date) // HOUR_NS))
        per_day[since:] = at(stream.jobs_per_day, date)
    reached = np.concatenate([[0.0], np.cumsum(per_day / 24.0 * shape_factors(stream.shape, horizon.start,
                                                                              middle_s))])
    marks = np.zeros(0)
    while len(marks) == 0 or marks[-1] < reached[-1]:
        gaps = -np.log(uniforms(DRAWN_AT_ONCE))
        marks = np.concatenate([marks, (marks[-1] if len(marks) else 0.0) + np.cumsum(gaps)])
    marks = marks[marks < reached[-1]]
    at_h = np.interp(marks, reached, np.arange(hours + 1.0))
    submit_ns: Array = np.minimum((at_h * HOUR_NS).astype(np.int64), hours * HOUR_NS - 1)
    return submit_ns


def spread_out(spread: Spread, uniforms: Array) -> Array:
    """Values of a spread at these probabilities."""
    z = np.array([normal_quantile(u) for u in uniforms])
    values = spread.median * np.exp(np.minimum(spread.sigma * z, LARGEST_EXPONENT))
    clipped: Array = np.clip(values, spread.low, inf if spread.high is None else spread.high)
    return clipped


def largest_gang(fleet: Fleet, gpu: GpuType, scenario: Scenario) -> int:
    """The most GPUs that one job can ever have: of the fleet, as promised, those that are no spares."""
    most = fleet.most_gpus(scenario.horizon.start, scenario.horizon.end) - fleet.spare_gpus(gpu.gpus_per_node)
    return most if most < gpu.gpus_per_node else most // gpu.gpus_per_node * gpu.gpus_per_node


def _sizes(gpus: Array, node_gpus: int, most: int) -> Array:
    """Whole GPUs, at most `most` if there are any; whole nodes from a node on."""
    gpus = np.minimum(gpus, most if most > 0 else MOST_GPUS)
    whole = np.maximum(1, np.rint(gpus)).astype(np.int64)
    nodes = np.rint(gpus / node_gpus).astype(np.int64) * node_gpus
    sizes: Array = np.where(whole >= node_gpus, np.maximum(nodes, node_gpus), whole)
    return sizes


def _records(gang: Gang, fleet: Fleet, gpu: GpuType, gpus: Array, hours: Array) -> Array:
    """Job records of a kind with these sizes and useful hours."""
    saves = gang.checkpoint

    @lru_cache(maxsize=4_096)
    def interval_ns(size: int) -> int:
        interval_s = saves.interval_of(mtbf_s(gang, fleet, gpu, size))
        return NEVER if interval_s is None else round(min(interval_s * SECOND_NS, NEVER))

    work_ns = np.maximum(1, np.rint(np.minimum(hours, MOST_JOB_H) * HOUR_NS)).astype(np.int64)
    intervals = np.array([interval_ns(int(size)) for size in gpus], dtype=np.int64)
    blocking_ns, whole_ns = round(saves.stop_s * SECOND_NS), round(saves.duration_s * SECOND_NS)
    crashes = 0.0
    if gang.software_mtbf_h is not None:
        crashes = 1.0 / (gang.software_mtbf_h * HOUR_NS * gpu.gpus_per_node)
    return gangs(
        len(gpus), work_ns=work_ns, gpus=gpus, priority=gang.priority,
        interval_ns=np.minimum(intervals, work_ns), write_ns=blocking_ns, drain_ns=whole_ns - blocking_ns,
        detect_ns=round(gang.detection_s * SECOND_NS), restart_ns=round(gang.restart_s * SECOND_NS),
        first_start_ns=round(gang.startup_s * SECOND_NS), waits=gang.waits_for_repair,
        preemptible=gang.preemptible, software_per_gpu_ns=crashes)


def mtbf_s(gang: Gang, fleet: Fleet, gpu: GpuType, gpus: int) -> float:
    """Expected time between failures of a job of so many GPUs, seconds; infinity without failures."""
    nodes = max(1.0, gpus / gpu.gpus_per_node)
    per_h = node_failures_per_h(fleet, nodes) + domain_failures_per_h(fleet, nodes)
    if gang.software_mtbf_h is not None:
        per_h += gpus / gpu.gpus_per_node / gang.software_mtbf_h
    return 3_600.0 / per_h if per_h > 0.0 else inf


def expected_lemons(fleet: Fleet, gpu: GpuType, gpus: int) -> int:
    """Lemon nodes among so many GPUs."""
    return round(fleet.reliability.lemon_frac * gpus / gpu.gpus_per_node)


