"""Fleets: gpu type, tranches, windows and the elastic part."""

from datetime import datetime

from fleetsim.model.fleet import Fleet, Tranche, Window
from fleetsim.spec.checks.horizon import shown
from fleetsim.spec.draft import Draft
from fleetsim.spec.node import NodePath
from fleetsim.spec.scalar import number
from fleetsim.units import MOST_GPUS


def check_fleets(draft: Draft) -> None:
    for name, fleet in draft.fleets.items():
        path = ("fleets", name)
        if not fleet.tranches and fleet.elastic is None:
            draft.error(
                "empty-fleet",
                path,
                "has neither tranches nor an elastic part",
                "add tranches: [{date: ..., gpus: ...}]",
                key=True,
            )
        for index, tranche in enumerate(fleet.tranches):
            _check_tranche(draft, tranche, (*path, "tranches", index))
        most = most_gpus(fleet, draft)
        if most > MOST_GPUS >= max(tranche.gpus for tranche in fleet.tranches):
            message = f"add up to {number(most)} GPUs at one time; a fleet has at most {number(MOST_GPUS)}"
            draft.error("out-of-range", (*path, "tranches"), message)
        for key, windows in (("maintenance", fleet.maintenance), ("outages", fleet.outages)):
            for window_name, window in windows.items():
                _check_window(draft, window, (*path, key, window_name))
        if fleet.elastic is not None:
            _check_elastic(draft, name, fleet.elastic.contract)


def _check_tranche(draft: Draft, tranche: Tranche, path: NodePath) -> None:
    slip, horizon = tranche.slip, draft.horizon
    if slip is not None and not slip.low_days <= slip.mode_days <= slip.high_days:
        message = (
            f"must be low <= mode <= high, got {slip.low_days:g}, {slip.mode_days:g}, {slip.high_days:g}"
        )
        draft.error("slip-order", (*path, "slip"), message)
    if tranche.end is not None and tranche.term_months is not None:
        draft.error(
            "not-one-of",
            (*path, "term_months"),
            "give end or term_months, not both",
            "remove one of the two",
            key=True,
        )
    if tranche.end is not None and tranche.end <= tranche.date:
        draft.error(
            "ends-before-start",
            (*path, "end"),
            f"must be after its date {shown(tranche.date)}, got {shown(tranche.end)}",
        )
    elif horizon is not None and tranche.date >= horizon.end:
        message = f"delivered on {shown(tranche.date)}; the horizon ends {shown(horizon.end)}"
        draft.error("outside-horizon", (*path, "date"), message, "remove it, or let the horizon end later")
    elif horizon is not None and (end := tranche.promised_end) is not None and end <= horizon.start:
        message = f"handed back on {shown(end)}, before the horizon starts {shown(horizon.start)}"
        draft.warning("never-acts", path, message)


def _check_window(draft: Draft, window: Window, path: NodePath) -> None:
    if (window.gpus is None) == (window.share_frac is None):
        got = "neither" if window.gpus is None else "both"
        draft.error("not-one-of", path, f"give gpus or share_frac, one of the two; got {got}", key=True)
    horizon = draft.horizon
    if window.end <= window.start:
        draft.error(
            "ends-before-start",
            (*path, "end"),
            f"must be after the start {shown(window.start)}, got {shown(window.end)}",
        )
        return
    days = (window.end - window.start).total_seconds() / 86_400
    if window.repeat_days is not None and window.repeat_days < days:
        message = f"comes back after {window.repeat_days:g} days but lasts {days:g}"
        draft.error("overlaps-itself", (*path, "repeat_days"), message)
    ended = window.end <= horizon.start and window.repeat_days is None if horizon else False
    if horizon is not None and (window.start >= horizon.end or ended):
        draft.warning(
            "never-acts", path, f"lies outside the horizon {span(horizon.start, horizon.end)}", key=True
        )


def _check_elastic(draft: Draft, fleet: str, contract: str) -> None:
    path = ("fleets", fleet, "elastic", "contract")
    signed = draft.of("contracts").get(contract)
    if signed is None:
        return
    if signed.bills != "allocated":
        draft.error(
            "wrong-contract",
            path,
            f"contract {contract!r} bills a commitment; elastic GPUs need one that bills what is allocated",
            "name a contract of kind on_demand",
        )
    elif fleet not in signed.fleets:
        draft.error("wrong-contract", path, f"contract {contract!r} is for fleet {signed.fleets[0]!r}")


def span(start: datetime, end: datetime) -> str:
    """`2024-01-01 to 2025-01-01`."""
    return f"{shown(start)} to {shown(end)}"


def most_gpus(fleet: Fleet, draft: Draft) -> int:
    """The most GPUs the fleet has at one time of the horizon, as promised, without the elastic part."""
    if draft.horizon is not None:
        return fleet.most_gpus(draft.horizon.start, draft.horizon.end)
    return max((fleet.most_gpus(tranche.date, tranche.date) for tranche in fleet.tranches), default=0)
