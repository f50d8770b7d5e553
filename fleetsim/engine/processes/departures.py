"""Departures: before GPUs of a training fleet are handed back, their jobs save their work and move."""

from collections.abc import Generator
from typing import Any

from fleetsim.engine.world import World


def departures(world: World, name: str) -> None:
    """Start a process for each delivery of a fleet with jobs that is handed back."""
    if name in world.training and not world.training[name].reserve_gpus:
        for delivery in world.acceptances[name]:
            if delivery.end_us is not None:
                end_ns = (delivery.end_us - world.start_us) * 1_000
                world.env.process(_departure(world, name, delivery.gpus, end_ns))


def _departure(world: World, name: str, gpus: int, end_ns: int) -> Generator[Any, Any, None]:
    training = world.training[name]
    notice_ns = end_ns - training.notice_ns
    if notice_ns > world.now_ns:
        yield world.env.timeout(notice_ns - world.now_ns)
        world.training[name].drain(gpus, world.now_ns)
