"""Metering: what the ledger is told of a fleet and a block of hours."""

import numpy as np

from fleetsim.engine.energy import energy_wh
from fleetsim.engine.world import Block, World
from fleetsim.kernel.arrays import GPU_SECONDS
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.timebase import HOUR_NS, HOUR_S, HOUR_US

METERED = ("rented", "allocated", "elastic", "elastic_allocated", "failed", "out")
ROWS = [GPU_SECONDS.index(name) for name in METERED]


def metered(world: World, block: Block, skip: int, hour_us: np.ndarray, fleet: str) -> HourlyUsage:
    """Accepted and allocated GPU-seconds of a fleet after the block's first `skip` hours, the elastic
    part apart."""
    places = world.index.shares_of(fleet)
    of_fleet = block.hourly.gpu_s[:, skip:, places[0] : places[-1] + 1]  # shares lie fleet by fleet
    total = of_fleet[ROWS, :, 0]
    for k in range(1, len(places)):
        total += of_fleet[ROWS, :, k]
    rented, allocated, elastic, elastic_allocated, failed, out = np.rint(total).astype(np.int64)
    spec = world.scenario.fleets[fleet]
    energy = None
    if any(contract.kind == "owned" and fleet in contract.fleets
           for contract in world.scenario.contracts.values()):
        drawn = sum(energy_wh(of_fleet[:, :, k], spec, world.scenario.gpus[spec.gpu],
                              world.index.shares[place][1]) for k, place in enumerate(places))
        energy = np.rint(drawn).astype(np.int64)
    return HourlyUsage(
        fleet=fleet,
        hour_us=hour_us,
        committed_gpu_s=rented - elastic,
        allocated_gpu_s=allocated - elastic_allocated,
        elastic_allocated_gpu_s=elastic_allocated,
        lost_gpu_s=failed + out,
        energy_wh=energy,
        elastic_contract=spec.elastic.contract if spec.elastic else None,
        deliveries=tuple(world.acceptances[fleet]),
    )


def metered_now(world: World) -> list[HourlyUsage]:
    """Every fleet as it is now, for the whole of this hour, without the elastic part."""
    start_us = world.start_us + world.now_ns // HOUR_NS * HOUR_US
    found = []
    for name, spec in world.scenario.fleets.items():
        shares = world.things.shares[world.index.shares_of(name)]
        elastic = np.maximum(shares["allocated"] - (shares["capacity"] - shares["elastic"]), 0)
        accepted = max(0, world.fixed_gpus[name])
        allocated = min(accepted, int((shares["allocated"] - elastic).sum()))
        found.append(HourlyUsage(
            fleet=name,
            hour_us=np.array([start_us], dtype=np.int64),
            committed_gpu_s=np.array([accepted * HOUR_S], dtype=np.int64),
            allocated_gpu_s=np.array([allocated * HOUR_S], dtype=np.int64),
            elastic_allocated_gpu_s=np.zeros(1, dtype=np.int64),
            elastic_contract=spec.elastic.contract if spec.elastic else None,
            deliveries=tuple(world.acceptances[name]),
        ))
    return found
