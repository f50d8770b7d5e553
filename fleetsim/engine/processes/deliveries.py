"""Deliveries: tranches are accepted, late or on time, and handed back at the end of their stay."""

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any

from fleetsim.engine.world import Acceptance, World
from fleetsim.model.fleet import Fleet, Tranche
from fleetsim.timebase import add_months


def acceptance(tranche: Tranche, u: float) -> datetime:
    """When a tranche is accepted, its slip drawn at probability `u`; whole seconds."""
    if tranche.slip is None:
        return tranche.date
    late = timedelta(days=tranche.slip.quantile(u))
    return tranche.date + timedelta(seconds=round(late.total_seconds()))


def hand_back(tranche: Tranche, accepted: datetime) -> datetime | None:
    """When its GPUs leave; None when they stay."""
    if tranche.term_months is not None:
        return add_months(accepted, tranche.term_months)
    return tranche.end


def deliveries(world: World, name: str, fleet: Fleet) -> None:
    """Start a process for each tranche of a fleet."""
    slips = any(tranche.slip for tranche in fleet.tranches)
    draws = world.streams.uniforms(f"fleet/{name}/slip", len(fleet.tranches)) if slips else None
    for place, tranche in enumerate(fleet.tranches):
        accepted = acceptance(tranche, float(draws[place]) if draws is not None else 0.5)
        end = hand_back(tranche, accepted)
        if end is not None and end <= max(accepted, world.scenario.horizon.start):
            continue
        first, last = world.ns_at(accepted), None if end is None else world.ns_at(end)
        world.acceptances[name].append(Acceptance(world.demand.step_at(accepted), tranche.gpus))
        world.env.process(_tranche(world, name, tranche.gpus, first, last))


def _tranche(world: World, name: str, gpus: int, first_ns: int,
             last_ns: int | None) -> Generator[Any, Any, None]:
    yield world.env.timeout(first_ns)
    world.rent(name, fixed=gpus, kind="accepted")
    if last_ns is not None:
        yield world.env.timeout(last_ns - first_ns)
        world.rent(name, fixed=-gpus, kind="handed_back")
