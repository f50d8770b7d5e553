"""Metering: what the ledger is told of a fleet and a block of hours."""

import numpy as np

from fleetsim.engine.world import Block, World
from fleetsim.kernel.arrays import GPU_SECONDS
from fleetsim.ledger.usage import Delivery, HourlyUsage


def metered(world: World, block: Block, skip: int, hour_us: np.ndarray, fleet: str) -> HourlyUsage:
    """Accepted and allocated GPU-seconds of a fleet after the block's first `skip` hours, the elastic
    part apart."""
    sums = np.rint(block.hourly.gpu_s[:, skip:, world.index.shares_of(fleet)].sum(axis=2)).astype(np.int64)
    rented, allocated, elastic, elastic_allocated = (
        sums[GPU_SECONDS.index(row)] for row in ("rented", "allocated", "elastic", "elastic_allocated"))
    spec = world.scenario.fleets[fleet]
    return HourlyUsage(
        fleet=fleet,
        hour_us=hour_us,
        committed_gpu_s=rented - elastic,
        allocated_gpu_s=allocated - elastic_allocated,
        elastic_allocated_gpu_s=elastic_allocated,
        elastic_contract=spec.elastic.contract if spec.elastic else None,
        deliveries=tuple(Delivery(accepted_us=world.time_us(accepted.step), gpus=accepted.gpus)
                         for accepted in world.acceptances[fleet]),
    )
