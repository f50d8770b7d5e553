"""Policies: what they refer to, and that the things they name belong together."""

from typing import Any

from fleetsim.errors import did_you_mean
from fleetsim.model.base import at
from fleetsim.model.pool import TRAINING
from fleetsim.model.traffic import TrafficClass
from fleetsim.policies import SCHEDULING, Backfill, Borrow, Degrade, MaxWait, RateLimit, Routing
from fleetsim.spec import catalog
from fleetsim.spec.checks.services import speeds, with_speed
from fleetsim.spec.draft import Draft
from fleetsim.spec.node import NodePath


def check_policies(draft: Draft) -> None:
    first: dict[tuple[str, ...], str] = {}
    for name, policy in draft.of("policies").items():
        path: NodePath = ("policies", name)
        _check_alone(draft, first, name, policy)
        if isinstance(policy, Degrade):
            _check_degrade(draft, policy, path)
        elif isinstance(policy, Routing):
            _check_routing(draft, policy, path)
        elif isinstance(policy, Borrow):
            _check_borrow(draft, policy, path)


def _check_alone(draft: Draft, first: dict[tuple[str, ...], str], name: str, policy: Any) -> None:
    """A later policy of one kind and target would take the place of the `first` without a word."""
    written = draft.root.find(("policies", name, "kind"))
    kind = str(written.value) if written else ""
    target: tuple[str, ...]
    if isinstance(policy, RateLimit | MaxWait):
        key, target = "class", (policy.class_,)
    elif isinstance(policy, SCHEDULING):
        key, target = "fleet", (policy.fleet,)
        kind = "backfill" if isinstance(policy, Backfill) else "order"
    elif isinstance(policy, Borrow):
        key, target = "from", (policy.pool, policy.from_)
    else:
        key, target = "pool", (policy.pool,)
    other = first.setdefault((kind, *target), name)
    if other != name:
        article = "an" if kind == "order" else "a"
        what = " from ".join(repr(word) for word in target)
        message = f"policy {other!r} is {article} {kind} of {what} too: only one of the two could act"
        draft.error("policy-twice", ("policies", name, key), message, "remove one of the two")


def _check_degrade(draft: Draft, policy: Degrade, path: NodePath) -> None:
    for class_name, service_name in policy.to.items():
        here = (*path, "to", class_name)
        asker = draft.traffic.get(class_name)
        if asker is None:
            continue
        if asker.pool != policy.pool and policy.pool in draft.names("pools"):
            message = f"class {class_name!r} is served by pool {asker.pool!r}, not {policy.pool!r}"
            draft.error("class-in-other-pool", here, message, key=True)
        if service_name in draft.services:
            _warn_if_dearer(draft, asker, service_name, here)


def _warn_if_dearer(draft: Draft, asker: TrafficClass, to: str, path: NodePath) -> None:
    pool = draft.pools.get(asker.pool)
    first = next((fleet for fleet in pool.fleets if fleet in draft.fleets), None) if pool else None
    gpu = draft.fleets[first].gpu if first else None
    if gpu is None or gpu not in draft.gpus:
        return
    work = {name: _gpu_s(draft, name, asker, gpu) for name in {to, *asker.services()}}
    known = {name: gpu_s for name, gpu_s in work.items() if gpu_s is not None}
    if len(known) < len(work):
        return
    cheapest = min(asker.services(), key=lambda name: known[name])
    if known[to] >= known[cheapest]:
        message = (
            f"service {to!r} takes {known[to]:.3g} GPU-s a call, {cheapest!r} itself "
            f"{known[cheapest]:.3g}: degrading saves nothing"
        )
        draft.warning("dearer-service", path, message)


def _gpu_s(draft: Draft, name: str, asker: TrafficClass, gpu: str) -> float | None:
    """GPU-seconds per call of the class on a service, at its efficiency when the horizon starts; None when
    the service has no one speed."""
    service = draft.services.get(name)
    if service is None or len(speeds(service)) != 1:
        return None
    if service.model is not None and service.model not in catalog.models():
        return None
    service = with_speed(draft, service)
    if service.step_law is not None and gpu not in service.laws:
        return None
    parts = service.gpu_seconds_per_call(asker.prompt_tokens, asker.output_tokens, gpu, draft.gpus[gpu],
                                         asker.prefix_cached_frac)
    efficiency: Any = service.efficiency_frac
    if draft.horizon is not None:
        efficiency = at(efficiency, draft.horizon.start)
    elif not isinstance(efficiency, int | float):
        efficiency = next(iter(efficiency.values()))
    return float(sum(parts) / efficiency)


def _check_routing(draft: Draft, policy: Routing, path: NodePath) -> None:
    pool = draft.pools.get(policy.pool)
    for fleet in policy.weights:
        here = (*path, "weights", fleet)
        if fleet in draft.fleets and pool is not None and fleet not in pool.fleets:
            draft.error(
                "fleet-not-in-pool",
                here,
                f"pool {policy.pool!r} has no share of fleet {fleet!r}",
                did_you_mean(fleet, list(pool.fleets)),
                key=True,
            )
    if not sum(policy.weights.values()):
        draft.error("no-weight", (*path, "weights"), "the weights add up to 0")


def _check_borrow(draft: Draft, policy: Borrow, path: NodePath) -> None:
    borrower, lender = draft.pools.get(policy.pool), draft.pools.get(policy.from_)
    if policy.pool == policy.from_:
        draft.error("borrows-from-itself", (*path, "from"), f"pool {policy.pool!r} borrows from itself")
    elif policy.pool == TRAINING and lender:
        gangs = (*draft.of("training_jobs").values(), *draft.of("job_streams").values())
        if not set(lender.fleets) & {gang.fleet for gang in gangs}:
            draft.error("no-common-fleet", (*path, "from"),
                        f"no training job runs on a fleet of pool {policy.from_!r}",
                        f"give jobs that borrow its GPUs the fleet {next(iter(lender.fleets), '')!r}")
    elif policy.from_ == TRAINING and borrower:
        if not any(draft.fleets[name].role == "training" for name in borrower.fleets if name in draft.fleets):
            draft.error("no-common-fleet", (*path, "pool"),
                        f"pool {policy.pool!r} has no training fleet to borrow from",
                        "give it one, {gpus: 0} of its own, under `fleets`")
    elif borrower and lender and not set(borrower.fleets) & set(lender.fleets):
        message = f"pools {policy.pool!r} and {policy.from_!r} have no fleet in common"
        draft.error("no-common-fleet", (*path, "from"), message, "a pool lends GPUs of fleets that both have")
