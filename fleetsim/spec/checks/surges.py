"""Surges: the classes they act on, and that they act within the horizon."""

from fleetsim.model.surges.surge import Surge
from fleetsim.spec.checks.fleets import span
from fleetsim.spec.checks.horizon import shown
from fleetsim.spec.draft import Draft


def check_surges(draft: Draft) -> None:
    for name, surge in draft.of("surges").items():
        _check_surge(draft, name, surge)


def _check_surge(draft: Draft, name: str, surge: Surge) -> None:
    path = ("surges", name)
    if not surge.classes:
        draft.error("empty-list", (*path, "class"), "names no traffic class")
    end = getattr(surge, "end", None)
    if end is not None and end <= surge.start:
        draft.error(
            "ends-before-start",
            (*path, "end"),
            f"must be after the start {shown(surge.start)}, got {shown(end)}",
        )
        return
    horizon = draft.horizon
    if horizon is None:
        return
    within = f"outside the horizon {span(horizon.start, horizon.end)}"
    if surge.start >= horizon.end:
        draft.error("outside-horizon", (*path, "start"), f"starts {shown(surge.start)}, {within}")
    elif surge.last is not None and surge.last <= horizon.start:
        draft.error("outside-horizon", (*path, "end"), f"ends {shown(surge.last)}, {within}")
