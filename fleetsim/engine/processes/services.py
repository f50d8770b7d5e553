"""Services: the GPU-seconds that a message costs, and the dates at which efficiency changes."""

from collections.abc import Generator
from datetime import datetime
from typing import Any

from fleetsim.engine.world import World
from fleetsim.model.base import at, change_dates
from fleetsim.timebase import instant_at


def price_in_gpu_seconds(world: World, now: datetime) -> None:
    """Set the GPU-seconds per message of every class, service slot and share."""
    scenario, index = world.scenario, world.index
    for c, name in enumerate(index.classes):
        spec = scenario.traffic[name]
        for m, slot in enumerate(index.slots[c]):
            service = scenario.services[slot]
            calls = spec.calls_per_message / at(service.efficiency_frac, now)
            for k in index.pool_shares[index.pools.index(spec.pool)]:
                gpu = scenario.fleets[index.shares[k][0]].gpu
                prefill, decode = service.gpu_seconds_per_call(
                    spec.prompt_tokens, spec.output_tokens, gpu, scenario.gpus[gpu], spec.prefix_cached_frac)
                world.things.unit_prefill_gpu_s[c, m, k] = prefill * calls
                world.things.unit_decode_gpu_s[c, m, k] = decode * calls


def efficiency(world: World) -> Generator[Any, Any, None]:
    """Re-price at every date at which some service's efficiency changes."""
    horizon = world.scenario.horizon
    price_in_gpu_seconds(world, horizon.start)
    changes = sorted((date, name) for name, service in world.scenario.services.items()
                     for date in change_dates(service.efficiency_frac) if horizon.start < date < horizon.end)
    for date, name in changes:
        yield world.env.timeout(world.ns_at(date) - world.now_ns)
        world.catch_up()
        now = instant_at(horizon.start, world.now_ns)
        price_in_gpu_seconds(world, now)
        efficiency_frac = at(world.scenario.services[name].efficiency_frac, now)
        world.note(f"service/{name}", "efficiency", value=efficiency_frac)
