"""Pools: their shares of fleets, and that the fleets can hold them."""

from collections import defaultdict

from fleetsim.model.pool import TRAINING, UNASSIGNED, Share
from fleetsim.policies import Borrow
from fleetsim.spec.checks.fleets import most_gpus
from fleetsim.spec.draft import Draft
from fleetsim.spec.scalar import number

_ROUNDING = 1e-9


def check_pools(draft: Draft) -> None:
    for name, pool in draft.pools.items():
        if name in (TRAINING, UNASSIGNED):
            draft.error(
                "reserved-name",
                ("pools", name),
                f"{name!r} is the name of GPUs that are in no pool",
                "choose another name",
                key=True,
            )
        if not pool.fleets:
            draft.error("empty-pool", ("pools", name, "fleets"), "has no fleet", "write {fleet: {gpus: ...}}")
        for fleet, share in pool.fleets.items():
            _check_share(draft, name, fleet, share)
    shares: dict[str, list[tuple[str, Share]]] = defaultdict(list)
    for pool_name, fleet, share in draft.pool_fleets():
        if fleet in draft.fleets and (share.gpus is None) != (share.share_frac is None):
            shares[fleet].append((pool_name, share))
    for fleet, parts in shares.items():
        _check_sum(draft, fleet, parts)


def _check_share(draft: Draft, pool: str, fleet: str, share: Share) -> None:
    path = ("pools", pool, "fleets", fleet)
    if (share.gpus is None) == (share.share_frac is None):
        got = "neither" if share.gpus is None else "both"
        draft.error("not-one-of", path, f"give gpus or share_frac, one of the two; got {got}", key=True)
    known = draft.fleets.get(fleet)
    borrows = any(isinstance(policy, Borrow) and (policy.pool, policy.from_) == (pool, TRAINING)
                  for policy in draft.of("policies").values())
    if known is not None and known.role == "training" and not (borrows and share.gpus == 0):
        draft.error(
            "training-fleet-in-pool",
            path,
            f"fleet {fleet!r} is for training and serves no pool",
            "write {gpus: 0}: what it serves with is what the policy borrows" if borrows else
            "remove it here, give the fleet role: serving, or borrow: {gpus: 0} and a policy from: training",
            key=True,
        )


def _check_sum(draft: Draft, fleet: str, parts: list[tuple[str, Share]]) -> None:
    """The shares of one fleet: of one kind, and no more than there is."""
    first, last = parts[0][1], parts[-1]
    for pool, share in parts:
        if (share.gpus is None) != (first.gpus is None):
            key, other = ("gpus", "share_frac") if share.gpus is not None else ("share_frac", "gpus")
            message = (
                f"pool {parts[0][0]!r} has {other} of fleet {fleet!r}; the shares of a fleet must be alike"
            )
            draft.error(
                "mixed-shares", ("pools", pool, "fleets", fleet, key), message, f"use {other}", key=True
            )
            return
    path = ("pools", last[0], "fleets", fleet)
    if first.share_frac is not None:
        total = sum(share.share_frac or 0.0 for _, share in parts)
        if total > 1 + _ROUNDING:
            listed = ", ".join(f"{pool} {share.share_frac:g}" for pool, share in parts)
            draft.error(
                "shares-above-one",
                (*path, "share_frac"),
                f"the shares of fleet {fleet!r} add up to {total:g}: {listed}",
            )
        return
    has = most_gpus(draft.fleets[fleet], draft)
    elastic = draft.fleets[fleet].elastic
    most = has + (elastic.max_gpus if elastic else 0)
    asked = sum(share.gpus or 0 for _, share in parts)
    if asked <= most or not (draft.fleets[fleet].tranches or elastic):
        return
    alone = next((part for part in parts if (part[1].gpus or 0) > most), None)
    if alone is not None:
        message = f"asks for {number(alone[1].gpus)} GPUs; fleet {fleet!r} never has more than {number(most)}"
        path = ("pools", alone[0], "fleets", fleet)
    else:
        listed = ", ".join(f"{pool} {number(share.gpus)}" for pool, share in parts)
        message = (
            f"the pools of fleet {fleet!r} ask for {number(asked)} GPUs, it never has more than "
            f"{number(most)}: {listed}"
        )
    draft.error("more-gpus-than-fleet", (*path, "gpus"), message)
