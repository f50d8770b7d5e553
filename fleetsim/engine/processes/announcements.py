"""Announcements: surges and moves between services, as events on the record.

What they change is a function of time that the demand evaluates; nothing is set here.
"""

from collections.abc import Generator
from datetime import datetime
from typing import Any

from fleetsim.engine.world import World


def dated_changes(world: World) -> list[tuple[datetime, str, str, str]]:
    """(instant, thing, kind, detail) of every surge and move inside the horizon, in order."""
    scenario = world.scenario
    changes: list[tuple[datetime, str, str, str]] = []
    for name, surge in scenario.surges.items():
        detail = ", ".join(surge.classes)
        changes.append((surge.start, f"surge/{name}", "surge_start", detail))
        if surge.last is not None:
            changes.append((surge.last, f"surge/{name}", "surge_end", detail))
    for name, spec in scenario.traffic.items():
        for move in () if isinstance(spec.service, str) else spec.service.mix:
            detail = f"{move.from_} to {move.to}"
            changes.append((move.start, f"traffic/{name}", "service_move_start", detail))
            if move.end is not None and move.end > move.start:
                changes.append((move.end, f"traffic/{name}", "service_move_end", detail))
    horizon = scenario.horizon
    return sorted(change for change in changes if horizon.start <= change[0] < horizon.end)


def announcements(world: World) -> Generator[Any, Any, None]:
    """Record each change when its time comes."""
    for instant, thing, kind, detail in dated_changes(world):
        yield world.env.timeout(world.ns_at(instant) - world.now_ns)
        world.catch_up()
        world.note(thing, kind, detail=detail)
