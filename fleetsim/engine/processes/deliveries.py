"""Deliveries: tranches are accepted, late or on time, and handed back at the end of their stay."""

from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Any

from fleetsim.engine.world import World
from fleetsim.ledger.usage import Delivery
from fleetsim.model.fleet import Fleet, Tranche
from fleetsim.timebase import add_months, epoch_us


def hand_back(tranche: Tranche, accepted: datetime) -> datetime | None:
    """When its GPUs leave; None when they stay."""
    if tranche.term_months is not None:
        return add_months(accepted, tranche.term_months)
    return tranche.end


def deliveries(world: World, name: str, fleet: Fleet) -> None:
    """Start a process for each tranche of a fleet."""
    for tranche in fleet.tranches:
        accepted = tranche.date
        if tranche.slip is not None:
            # By its date, so that another tranche changes nothing; tranches of one date draw in order.
            u = world.streams.uniforms(f"fleet/{name}/slip/{tranche.date:%Y-%m-%dT%H:%M}", 1)
            late = timedelta(days=tranche.slip.quantile(float(u[0])))
            accepted += timedelta(seconds=round(late.total_seconds()))
        end = hand_back(tranche, accepted)
        if end is not None and end <= accepted:
            continue  # so late that it would already have been handed back
        # What is billed begins and ends with the step in which the GPUs come and go.
        world.acceptances[name].append(Delivery(
            accepted_us=world.time_us(world.demand.step_at(accepted)), gpus=tranche.gpus,
            promised_us=epoch_us(tranche.date),
            end_us=None if end is None else world.time_us(world.demand.step_at(end))))
        if end is None or end > world.scenario.horizon.start:
            last_ns = None if end is None else world.ns_at(end)
            world.env.process(_tranche(world, name, tranche.gpus, world.ns_at(accepted), last_ns))


def _tranche(world: World, name: str, gpus: int, first_ns: int,
             last_ns: int | None) -> Generator[Any, Any, None]:
    yield world.env.timeout(first_ns)
    world.rent(name, gpus, "accepted")
    if last_ns is not None:
        yield world.env.timeout(last_ns - first_ns)
        world.rent(name, -gpus, "handed_back")
