"""Elastic parts: GPUs ordered when a policy asks for them, serving after the provisioning delay."""

import math
from collections.abc import Generator
from typing import Any

from fleetsim.engine.world import World
from fleetsim.timebase import SECOND_NS


class ElasticParts:
    """What each pool has on order of the elastic part of each fleet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.on_order = dict.fromkeys(range(len(world.index.shares)), 0)

    def healthy(self, share: int) -> int:
        """Healthy GPUs of a share that belong to the elastic part, in proportion."""
        record = self.world.things.shares[share]
        rented = int(record["rented"])
        return int(record["healthy"]) * int(record["elastic"]) // rented if rented else 0

    def aim(self, share: int, healthy_gpus: float) -> float:
        """Order or give back until the pool has so many healthy GPUs; returns how many it will have.

        Orders are whole nodes, sized by the expected availability; all pools of a fleet share its
        maximum. What is no longer needed is given back at once; what is on order arrives.
        """
        world = self.world
        fleet, pool = world.index.shares[share]
        spec = world.scenario.fleets[fleet]
        if spec.elastic is None:
            return 0.0
        node = world.scenario.gpus[spec.gpu].gpus_per_node
        elastic = world.things.shares["elastic"]
        others = sum(int(elastic[k]) + self.on_order[k] for k in world.index.shares_of(fleet) if k != share)
        needed = math.ceil(healthy_gpus / spec.expected_availability_frac / node) * node
        wanted = min(needed, spec.elastic.max_gpus - others)
        missing = wanted - int(elastic[share]) - self.on_order[share]
        if missing > 0:
            self.on_order[share] += missing
            world.note(f"fleet/{fleet}", "elastic_ordered", value=float(missing), detail=pool)
            world.env.process(self._provision(share, missing, spec.elastic.provisioning_delay_s))
        elif wanted < elastic[share]:
            world.rent_elastic(share, wanted - int(elastic[share]), "elastic_released")
        return min(healthy_gpus, wanted * spec.expected_availability_frac)

    def _provision(self, share: int, gpus: int, delay_s: float) -> Generator[Any, Any, None]:
        yield self.world.env.timeout(round(delay_s * SECOND_NS))
        self.on_order[share] -= gpus
        self.world.rent_elastic(share, gpus, "elastic_accepted")
