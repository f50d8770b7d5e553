"""What is there and not used: most likely a forgotten reference."""

from fleetsim.policies import Degrade
from fleetsim.spec.checks.cover import check_cover, is_pot
from fleetsim.spec.checks.fleets import most_gpus
from fleetsim.spec.draft import Draft
from fleetsim.spec.scalar import number


def check_usage(draft: Draft) -> None:
    """Warn of fleets that nobody bills, or only in part, and services, curves and GPUs that nobody uses."""
    if draft.faults.errors:
        return  # what is not there may be what is wrong
    billed = {fleet for contract in draft.of("contracts").values() if not is_pot(contract)
              for fleet in contract.fleets}
    for name in draft.fleets:
        if name not in billed:
            message = f"no contract covers fleet {name!r}: it costs nothing"
            hint = f"add a contract with fleet: {name}"
            draft.warning("no-contract", ("fleets", name), message, hint, key=True)
        else:
            check_cover(draft, name)
    used = {name for asker in draft.traffic.values() for name in asker.services()}
    for policy in draft.of("policies").values():
        if isinstance(policy, Degrade):
            used |= set(policy.to.values())
    for name in draft.services:
        if name not in used:
            draft.warning("unused", ("services", name), f"no traffic class uses service {name!r}", key=True)
    curves = {getattr(asker.messages_per_day, "curve", None) for asker in draft.traffic.values()}
    for name in draft.of("curves"):
        if name not in curves:
            draft.warning("unused", ("curves", name), f"no traffic class uses curve {name!r}", key=True)
    _warn_unassigned(draft)


def _warn_unassigned(draft: Draft) -> None:
    for name, fleet in draft.fleets.items():
        if fleet.role == "training":
            continue
        shares = [share for _, fleet_name, share in draft.pool_fleets() if fleet_name == name]
        path = ("fleets", name)
        if not shares:
            draft.warning("unassigned-gpus", path, f"no pool has a share of fleet {name!r}", key=True)
            continue
        has, asked = most_gpus(fleet, draft), sum(share.gpus or 0 for share in shares)
        total = sum(share.share_frac or 0.0 for share in shares)
        if all(share.gpus is not None for share in shares) and asked < has:
            message = f"its pools ask for {number(asked)} of its {number(has)} GPUs"
            draft.warning("unassigned-gpus", path, message, key=True)
        elif all(share.share_frac is not None for share in shares) and total < 1 - 1e-6:
            draft.warning(
                "unassigned-gpus", path, f"its pools have {total:g} of it; the rest serves nobody", key=True
            )
