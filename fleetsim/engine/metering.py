"""Metering: what the ledger is told of a fleet and a block of hours."""

import numpy as np

from fleetsim.engine.energy import energy_wh
from fleetsim.engine.world import Block, World
from fleetsim.kernel.arrays import GPU_SECONDS
from fleetsim.ledger.usage import HourlyUsage


def metered(world: World, block: Block, skip: int, hour_us: np.ndarray, fleet: str) -> HourlyUsage:
    """Accepted and allocated GPU-seconds of a fleet after the block's first `skip` hours, the elastic
    part apart."""
    gpu_s = block.hourly.gpu_s[:, skip:, world.index.shares_of(fleet)].sum(axis=2)
    sums = np.rint(gpu_s).astype(np.int64)
    rented, allocated, elastic, elastic_allocated, failed, out = (
        sums[GPU_SECONDS.index(row)]
        for row in ("rented", "allocated", "elastic", "elastic_allocated", "failed", "out"))
    spec = world.scenario.fleets[fleet]
    energy = None
    if any(contract.kind == "owned" and fleet in contract.fleets
           for contract in world.scenario.contracts.values()):
        energy = np.rint(energy_wh(gpu_s, spec, world.scenario.gpus[spec.gpu])).astype(np.int64)
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
