"""Windows at request level: whole hours of the horizon, one after the other, on services with a step law."""

from itertools import pairwise

from fleetsim.errors import did_you_mean
from fleetsim.model.base import at
from fleetsim.model.fidelity import RequestWindow
from fleetsim.model.pool import Share
from fleetsim.spec.checks.horizon import on_the_hour, shown
from fleetsim.spec.draft import Draft

_PATH = ("fidelity", "windows")


def check_fidelity(draft: Draft) -> None:
    """Report what is wrong with each window and between two."""
    horizon, windows = draft.horizon, draft.fidelity.windows
    for k, window in enumerate(windows):
        path = (*_PATH, k)
        for key, instant in (("start", window.start), ("end", window.end)):
            if not on_the_hour(instant):
                draft.error("not-whole-hours", (*path, key), f"must be on a whole hour, got {shown(instant)}")
        if window.end <= window.start:
            draft.error("ends-before-start", (*path, "end"),
                        f"must be after the start {shown(window.start)}, got {shown(window.end)}")
        elif horizon is not None and (window.start < horizon.start or window.end > horizon.end):
            times = [shown(each) for each in (window.start, window.end, horizon.start, horizon.end)]
            draft.error("outside-horizon", path, "{} to {} is not within {} to {}".format(*times))
        for p, pool in enumerate(window.pools):
            if pool not in draft.pools:
                draft.error("unknown-pool", (*path, "pools", p), f"no pool {pool!r}",
                            did_you_mean(pool, list(draft.pools)))
        check_services(draft, window, path)
    in_order = sorted(range(len(windows)), key=lambda k: windows[k].start)
    for one, other in pairwise(in_order):
        if windows[other].start < windows[one].end:
            draft.error("windows-overlap", (*_PATH, other, "start"),
                        f"begins before window {one + 1} ends, at {shown(windows[one].end)}")


def check_services(draft: Draft, window: RequestWindow, path: tuple[str | int, ...]) -> None:
    """Every service of the window's pools needs to know how long a step takes."""
    asked = window.pools or tuple(draft.pools)
    without: dict[str, str] = {}
    for spec in draft.traffic.values():
        for name in spec.services() if spec.pool in asked else ():
            service = draft.services.get(name)
            if service is not None and service.step_law is None:
                without.setdefault(name, spec.pool)
    check_replicas(draft, window, path, asked)
    for name, pool in without.items():
        draft.error("rates-only-window", path, f"service {name!r} of pool {pool!r} has no step law",
                    "give it a `step_law`, or leave its pool out of `pools`")


def check_replicas(draft: Draft, window: RequestWindow, path: tuple[str | int, ...],
                   asked: tuple[str, ...]) -> None:
    """A pool needs a whole replica for each of its services, after sampling and efficiency."""
    for pool in asked:
        if pool not in draft.pools:
            continue
        gpus = sum(most_gpus(draft, fleet, share) for fleet, share in draft.pools[pool].fleets.items())
        names = {name for spec in draft.traffic.values() if spec.pool == pool for name in spec.services()}
        services = [draft.services[name] for name in names if name in draft.services]
        needed = sum(each.gpus_per_replica / float(at(each.efficiency_frac, window.start))
                     for each in services) / window.sample_frac
        if 0 < gpus < needed:
            draft.error("too-few-replicas", path,
                        f"pool {pool!r} has {gpus:,.0f} GPUs; one replica of each of its services stands for "
                        f"{needed:,.0f}", "raise sample_frac, or leave the pool out of `pools`")


def most_gpus(draft: Draft, name: str, share: Share) -> float:
    """About as many GPUs as a pool's share of a fleet may have."""
    fleet = draft.fleets.get(name)
    if fleet is None:
        return 0.0
    rented = sum(each.gpus for each in fleet.tranches) + (fleet.elastic.max_gpus if fleet.elastic else 0)
    if share.share_frac is not None:
        return float(share.share_frac * rented)
    return float(min(rented, share.gpus if share.gpus is not None else rented))
