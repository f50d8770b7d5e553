"""Spot interruptions: the provider takes GPUs away for a while, and work starts again when they are back.

Only GPUs that run on spot can be interrupted: those that the ledger would bill to the spot contract, were the
hour as the fleet is now. What is taken is neither rented nor billed until it comes back; then it is billed
and does not serve while work that was lost is started again. All this ends with the contract.
"""

import math
from collections.abc import Generator
from typing import Any

from fleetsim.engine.metering import metered_now
from fleetsim.engine.processes.windows import Losses
from fleetsim.engine.world import World
from fleetsim.ledger.contracts import Spot
from fleetsim.ledger.rating import rate
from fleetsim.model.fleet import Window
from fleetsim.timebase import HOUR_NS, HOUR_S, SECOND_NS, instant_at


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
    gpus = math.floor(contract.interrupted_frac * on_spot(world, label, contract))
    if gpus == 0:
        return
    world.rent(contract.fleet, -gpus, "interrupted")
    yield world.env.timeout(_in_term_ns(world, contract, round(contract.interruption_h * HOUR_NS)))
    world.rent(contract.fleet, gpus, "returned")
    restart_ns = _in_term_ns(world, contract, round(contract.restart_s * SECOND_NS))
    if restart_ns > 0:
        start = instant_at(world.scenario.horizon.start, world.now_ns)
        window = Window(start=start, end=start, gpus=gpus)
        losses.change(window, opens=True, kind="restart_start", label=label)
        yield world.env.timeout(restart_ns)
        losses.change(window, opens=False, kind="restart_end", label=label)


def _in_term_ns(world: World, contract: Spot, length_ns: int) -> int:
    """As much of a time from now on as comes before the contract ends."""
    _, end = contract.term
    return length_ns if end is None else min(length_ns, world.ns_at(end) - world.now_ns)


def on_spot(world: World, label: str, contract: Spot) -> int:
    """GPUs of the fleet that run on a spot contract now; none outside its term.

    An hour in which a commitment begins or ends counts for its part.
    """
    now = instant_at(world.scenario.horizon.start, world.now_ns)
    start, end = contract.term
    if (start is not None and now < start) or (end is not None and now >= end):
        return 0
    world.catch_up()
    charges = rate(world.scenario.contracts, metered_now(world))
    own = [line.contract == label and line.charge_category == "Usage" for line in charges.lines]
    taken = sum(int(gpu_s) for line, gpu_s in zip(charges.line, charges.gpu_s, strict=True) if own[line])
    return taken // HOUR_S
