"""Training: jobs, streams of jobs, their checkpoints, and the reliability of their fleets."""

import math

from fleetsim.errors import did_you_mean
from fleetsim.model.checkpoint import Checkpoint
from fleetsim.model.fleet import Fleet
from fleetsim.model.pool import TRAINING
from fleetsim.model.reliability import Reliability
from fleetsim.model.training_job import Gang, JobStream, Spread, TrainingJob
from fleetsim.policies import SCHEDULING, Borrow, FairShare
from fleetsim.spec.checks.fleets import most_gpus, span
from fleetsim.spec.checks.horizon import shown
from fleetsim.spec.draft import Draft
from fleetsim.spec.node import NodePath
from fleetsim.spec.scalar import number


def check_training(draft: Draft) -> None:
    for name, job in draft.of("training_jobs").items():
        path: NodePath = ("training_jobs", name)
        _check_gang(draft, job, path, job.gpus)
        _check_job(draft, job, path)
    for name, stream in draft.of("job_streams").items():
        path = ("job_streams", name)
        _check_gang(draft, stream, path, max(1, int(stream.gpus.median), math.ceil(stream.gpus.low)))
        _check_stream(draft, stream, path)
    gangs = (*draft.of("training_jobs").values(), *draft.of("job_streams").values())
    used = {gang.fleet for gang in gangs}
    for name, fleet in draft.fleets.items():
        _check_reliability(draft, fleet.reliability, name, name in used and fleet.role == "training")
    if any(draft.fleets[name].role == "serving" for name in used if name in draft.fleets):
        for section in ("traffic", "services"):
            if draft.has(section, TRAINING):
                message = f"{TRAINING!r} is the name of what training jobs do on borrowed GPUs"
                draft.error("reserved-name", (section, TRAINING), message, "choose another name", key=True)
    for name, policy in draft.of("policies").items():
        if isinstance(policy, SCHEDULING) and policy.fleet in draft.fleets and policy.fleet not in used:
            message = f"no training job runs on fleet {policy.fleet!r}: there is nothing to schedule"
            draft.warning("never-acts", ("policies", name), message, key=True)
        elif isinstance(policy, FairShare) and policy.fleet in used:
            _check_teams(draft, policy, ("policies", name, "share"))


def _check_gang(draft: Draft, gang: Gang, path: NodePath, gpus: int) -> None:
    fleet = draft.fleets.get(gang.fleet)
    _check_checkpoint(draft, gang.checkpoint, (*path, "checkpoint"))
    if fleet is None:
        return
    if fleet.role != "training" and not _lends(draft, gang.fleet):
        message = f"fleet {gang.fleet!r} serves traffic and lends no GPUs to training jobs"
        draft.error("job-on-serving-fleet", (*path, "fleet"), message,
                    "use one with role: training, or add a policy {kind: borrow, pool: training, from: ...}")
        return
    if fleet.role == "training":
        has, spare = most_gpus(fleet, draft), _spare_gpus(draft, fleet)
        kept = f", {number(min(spare, has))} of them spares" if spare else ""
        most, words = has - spare, f"fleet {gang.fleet!r} never has more than {number(has)}{kept}"
    else:
        has = most = _most_lent(draft, gang.fleet, fleet)
        words = f"the pools of fleet {gang.fleet!r} never lend more than {number(most)}"
    if gpus > most and has > 0:
        draft.error("job-too-large", (*path, "gpus"), f"asks for {number(gpus)} GPUs; {words}")


def _spare_gpus(draft: Draft, fleet: Fleet) -> int:
    gpu = draft.gpus.get(fleet.gpu)
    return fleet.spare_gpus(gpu.gpus_per_node) if gpu else 0


def _lends(draft: Draft, fleet: str) -> bool:
    """Whether a pool of the fleet lends to training jobs; taken for granted while a policy is wrong."""
    policies, known = draft.of("policies"), {TRAINING, *draft.pools}
    wrong = len(policies) < len(draft.names("policies")) or any(
        not {each.pool, each.from_} <= known for each in policies.values() if isinstance(each, Borrow))
    return wrong or any(fleet in draft.pools[policy.from_].fleets for policy in _lenders(draft))


def _lenders(draft: Draft) -> list[Borrow]:
    """Policies by which a pool lends to training jobs."""
    return [policy for policy in draft.of("policies").values()
            if isinstance(policy, Borrow) and policy.pool == TRAINING and policy.from_ in draft.pools]


def _most_lent(draft: Draft, name: str, fleet: Fleet) -> int:
    """GPUs of a fleet that pools without work would lend to jobs; elastic ones count for each of them."""
    has, elastic = most_gpus(fleet, draft), fleet.elastic.max_gpus if fleet.elastic else 0
    lent = 0.0
    for policy in _lenders(draft):
        share = draft.pools[policy.from_].fleets.get(name)
        if share is not None:
            own = share.gpus if share.share_frac is None else has * share.share_frac
            lent += (min(own or 0, has) + elastic) * (1.0 - policy.headroom_frac)
    return min(math.ceil(lent), has + elastic)


def _check_job(draft: Draft, job: TrainingJob, path: NodePath) -> None:
    given = [key for key in ("gpu_hours", "flops", "duration_h") if getattr(job, key) is not None]
    if len(given) != 1:
        got = " and ".join(given) or "none"
        message = f"give gpu_hours, flops or duration_h, one of the three; got {got}"
        draft.error("not-one-of", path, message, key=True)
    if (job.flops is None) != (job.mfu_frac is None):
        message = "flops and mfu_frac go together: work / (GPUs x peak x mfu_frac) is the useful time"
        draft.error("not-one-of", path, message, key=True)
    if job.deadline is not None and job.deadline <= job.start:
        draft.error("ends-before-start", (*path, "deadline"),
                    f"must be after the start {shown(job.start)}, got {shown(job.deadline)}")
    horizon = draft.horizon
    if horizon is not None and job.start >= horizon.end:
        draft.warning("never-acts", path, f"starts outside the horizon {span(horizon.start, horizon.end)}",
                      key=True)


def _check_teams(draft: Draft, policy: FairShare, path: NodePath) -> None:
    teams = {job.team for job in draft.of("training_jobs").values() if job.fleet == policy.fleet}
    teams.update(team for stream in draft.of("job_streams").values() if stream.fleet == policy.fleet
                 for team in stream.teams)
    for team in policy.share:
        if team not in teams:
            message = f"no job on fleet {policy.fleet!r} belongs to team {team!r}"
            draft.warning("never-acts", (*path, team), message, did_you_mean(team, sorted(teams)), key=True)


def _check_stream(draft: Draft, stream: JobStream, path: NodePath) -> None:
    for key in ("gpus", "duration_h"):
        spread: Spread = getattr(stream, key)
        high = spread.high
        if spread.p90 < spread.median or (high is not None and high < spread.low):
            message = "p90 must not be below the median, nor high below low"
            draft.error("spread-order", (*path, key), message)
    if not stream.teams:
        draft.error("not-one-of", (*path, "teams"), "name at least one team", "leave it out for one team")


def _check_checkpoint(draft: Draft, saves: Checkpoint, path: NodePath) -> None:
    if (saves.rule == "fixed") != (saves.interval_s is not None):
        message = "rule: fixed needs interval_s" if saves.rule == "fixed" else (
            f"rule: {saves.rule} computes the interval; interval_s belongs to rule: fixed")
        draft.error("checkpoint-interval", path, message, key=True)
    by_size = (saves.state_gb is not None) + (saves.storage_gb_per_s is not None)
    if by_size == 1 or (by_size == 2 and saves.write_s is not None):
        message = "give write_s, or both state_gb and storage_gb_per_s"
        draft.error("checkpoint-duration", path, message, key=True)
    elif saves.interval_s is not None and saves.duration_s - saves.stop_s > saves.interval_s:
        message = (f"takes {saves.duration_s:g} s to be durable, and the next begins after "
                   f"{saves.interval_s + saves.stop_s:g} s")
        draft.error("checkpoint-duration", (*path, "interval_s"), message)


def _check_reliability(draft: Draft, terms: Reliability, name: str, used: bool) -> None:
    path: NodePath = ("fleets", name, "reliability")
    if (terms.domain_nodes is None) != (terms.domain_mtbf_h is None):
        draft.error("half-a-domain", path, "domain_nodes and domain_mtbf_h go together", key=True)
    if terms != Reliability() and not used:
        message = f"no training job runs on GPUs of fleet {name!r} that are its own"
        draft.warning("never-acts", path, message, key=True)
