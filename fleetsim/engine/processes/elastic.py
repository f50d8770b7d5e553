"""Elastic parts: GPUs ordered when a policy asks for them, serving after the provisioning delay."""

import math
from collections.abc import Generator
from typing import Any

from fleetsim.engine.world import World
from fleetsim.timebase import SECOND_NS


class ElasticParts:
    """What is on order for each fleet's elastic part, and what each pool asks of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.on_order = {name: 0 for name, fleet in world.scenario.fleets.items() if fleet.elastic}
        self.asked: dict[tuple[str, str], int] = {}

    def healthy_part(self, share: int) -> int:
        """Healthy GPUs of a share that belong to the elastic part, in proportion."""
        record = self.world.things.shares[share]
        rented = int(record["rented"])
        return int(record["healthy"]) * int(record["elastic"]) // rented if rented else 0

    def aim(self, fleet: str, pool: str, healthy_gpus: float) -> float:
        """Bring the elastic part to what the pools ask, in healthy GPUs; returns what it can give.

        Orders are whole nodes, sized by the expected availability. What is no longer needed is given
        back at once; what is on order arrives.
        """
        spec = self.world.scenario.fleets[fleet]
        if spec.elastic is None:
            return 0.0
        node = self.world.scenario.gpus[spec.gpu].gpus_per_node
        rented = healthy_gpus / spec.expected_availability_frac
        self.asked[fleet, pool] = math.ceil(rented / node) * node
        wanted = min(spec.elastic.max_gpus, sum(gpus for (of, _), gpus in self.asked.items() if of == fleet))
        missing = wanted - self.world.elastic_gpus[fleet] - self.on_order[fleet]
        if missing > 0:
            self.on_order[fleet] += missing
            self.world.note(f"fleet/{fleet}", "elastic_ordered", value=float(missing))
            self.world.env.process(self._provision(fleet, missing, spec.elastic.provisioning_delay_s))
        elif wanted < self.world.elastic_gpus[fleet]:
            self.world.rent(fleet, elastic=wanted - self.world.elastic_gpus[fleet], kind="elastic_released")
        return min(healthy_gpus, wanted * spec.expected_availability_frac)

    def _provision(self, fleet: str, gpus: int, delay_s: float) -> Generator[Any, Any, None]:
        yield self.world.env.timeout(round(delay_s * SECOND_NS))
        self.on_order[fleet] -= gpus
        self.world.rent(fleet, elastic=gpus, kind="elastic_accepted")
