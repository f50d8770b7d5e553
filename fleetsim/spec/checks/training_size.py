"""How large training is: jobs, failures and times that a run can hold."""

from fleetsim.model.base import most
from fleetsim.model.fleet import Fleet
from fleetsim.model.hardware import GpuType
from fleetsim.model.scenario import Horizon
from fleetsim.model.training_job import Gang, JobStream, TrainingJob
from fleetsim.spec.checks.fleets import most_gpus
from fleetsim.spec.draft import Draft
from fleetsim.spec.node import NodePath
from fleetsim.spec.scalar import number
from fleetsim.units import MOST_JOB_H, MOST_JOB_S

MOST_EVENTS = 20_000_000
"""Most expected jobs, or failures of a kind: every one is an event that is kept, about a kilobyte."""


def check_training_size(draft: Draft) -> None:
    for name, job in draft.of("training_jobs").items():
        _check_work(draft, job, ("training_jobs", name))
    gangs = [(section, name, gang) for section in ("training_jobs", "job_streams")
             for name, gang in draft.of(section).items()]
    for section, name, gang in gangs:
        if gang.checkpoint.duration_s > MOST_JOB_S:
            message = f"takes {gang.checkpoint.duration_s:.3g} s to write; at most {number(MOST_JOB_S)} s"
            draft.error("out-of-range", (section, name, "checkpoint", "state_gb"), message, "check the unit")
    if draft.horizon is None:
        return
    for section, name, gang in gangs:
        fleet = draft.fleets.get(gang.fleet)
        gpu = draft.gpus.get(fleet.gpu) if fleet else None
        if fleet is not None and gpu is not None:
            _check_gang(draft, gang, fleet, gpu, draft.horizon, (section, name))
    for name in dict.fromkeys(gang.fleet for _, _, gang in gangs):
        fleet = draft.fleets.get(name)
        gpu = draft.gpus.get(fleet.gpu) if fleet else None
        if fleet is not None and gpu is not None:
            _check_fleet(draft, fleet, gpu, draft.horizon, ("fleets", name))


def _check_work(draft: Draft, job: TrainingJob, path: NodePath) -> None:
    """Work in FLOP or GPU-hours has the bound of work in hours."""
    fleet = draft.fleets.get(job.fleet)
    gpu = draft.gpus.get(fleet.gpu) if fleet else None
    if gpu is None:
        return
    hours = job.work_h(gpu)
    if hours > MOST_JOB_H:
        key = "flops" if job.flops is not None else "gpu_hours"
        message = f"is {hours:.3g} h on {number(job.gpus)} GPUs; a job has at most {number(MOST_JOB_H)} h"
        draft.error("out-of-range", (*path, key), message, "check the unit")


def _check_gang(draft: Draft, gang: Gang, fleet: Fleet, gpu: GpuType, horizon: Horizon,
                path: NodePath) -> None:
    """A gang that crashes comes back after detection and restart, so it crashes so often at most."""
    hours = horizon_h(horizon)
    size, number_of = (gang.gpus, 1.0) if isinstance(gang, TrainingJob) else (0, 0.0)
    if isinstance(gang, JobStream):
        size = max(1, int(gang.gpus.median))
        number_of = max(1.0, most_gpus(fleet, draft) / size)
        _limit(draft, most(gang.jobs_per_day) * hours / 24.0, "jobs", (*path, "jobs_per_day"))
    if gang.software_mtbf_h is not None:
        mtbf_h = gang.software_mtbf_h * gpu.gpus_per_node / size
        between_h = mtbf_h + (gang.detection_s + gang.restart_s) / 3_600.0
        _limit(draft, number_of * hours / between_h, "crashes", (*path, "software_mtbf_h"))


def _check_fleet(draft: Draft, fleet: Fleet, gpu: GpuType, horizon: Horizon, path: NodePath) -> None:
    """A node fails, is repaired, and fails again."""
    terms, hours = fleet.reliability, horizon_h(horizon)
    nodes = most_gpus(fleet, draft) / gpu.gpus_per_node
    if fleet.node_mtbf_h is not None:
        _limit(draft, nodes * hours / (fleet.node_mtbf_h + fleet.repair_h), "failures of nodes",
               (*path, "node_mtbf_h"))
    if terms.domain_nodes is not None and terms.domain_mtbf_h is not None:
        domains = max(1.0, nodes / terms.domain_nodes)
        _limit(draft, domains * hours / (terms.domain_mtbf_h + terms.domain_repair_h), "failures of domains",
               (*path, "reliability", "domain_mtbf_h"))


def _limit(draft: Draft, expected: float, what: str, path: NodePath) -> None:
    if expected > MOST_EVENTS:
        message = f"makes about {expected:.2g} {what}; a run holds at most {number(MOST_EVENTS)}"
        draft.error("too-many-events", path, message, "check the unit")


def horizon_h(horizon: Horizon) -> float:
    """Hours from its start to its end."""
    return (horizon.end - horizon.start).total_seconds() / 3_600.0
