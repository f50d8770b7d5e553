"""Spot interruptions: the provider takes GPUs away for a while, and work starts again when they are back.

Only GPUs that no commitment covers are on the spot market. What is taken is neither rented nor billed until
it comes back; then it is billed and does not serve while work that was lost is started again.
"""

import math
from collections.abc import Generator
from typing import Any

from fleetsim.engine.processes.windows import Losses
from fleetsim.engine.world import World
from fleetsim.ledger.contracts import Spot
from fleetsim.model.fleet import Window
from fleetsim.timebase import HOUR_NS, SECOND_NS, instant_at


def interruptions(world: World, name: str, losses: Losses) -> None:
    """Start the process of every spot contract of a fleet that can be interrupted."""
    for label, contract in world.scenario.contracts.items():
        if isinstance(contract, Spot) and contract.fleet == name and contract.interruption_mtbf_h is not None:
            world.env.process(_arrivals(world, label, contract, contract.interruption_mtbf_h, losses))


def _arrivals(world: World, label: str, contract: Spot, mtbf_h: float,
              losses: Losses) -> Generator[Any, Any, None]:
    """A Poisson process; the gaps belong to the fleet's stream, whatever an interruption then takes."""
    while True:
        u = float(world.streams.uniforms(f"fleet/{contract.fleet}/interruptions", 1)[0])
        yield world.env.timeout(round(-math.log(u) * mtbf_h * HOUR_NS))
        world.env.process(_interruption(world, label, contract, losses))


def _interruption(world: World, label: str, contract: Spot, losses: Losses) -> Generator[Any, Any, None]:
    gpus = math.floor(contract.interrupted_frac * _on_spot(world, contract.fleet))
    if gpus == 0:
        return
    world.rent(contract.fleet, -gpus, "interrupted")
    yield world.env.timeout(round(contract.interruption_h * HOUR_NS))
    world.rent(contract.fleet, gpus, "returned")
    if contract.restart_s:
        start = instant_at(world.scenario.horizon.start, world.now_ns)
        window = Window(start=start, end=start, gpus=gpus)
        losses.change(window, opens=True, kind="restart_start", label=label)
        yield world.env.timeout(round(contract.restart_s * SECOND_NS))
        losses.change(window, opens=False, kind="restart_end", label=label)


def _on_spot(world: World, fleet: str) -> int:
    """GPUs that the fleet has and no commitment to a number of GPUs covers."""
    committed = sum(getattr(contract, "gpus", None) or 0 for contract in world.scenario.contracts.values()
                    if fleet in contract.fleets and contract.bills == "committed")
    return max(0, world.fixed_gpus[fleet] - committed)
