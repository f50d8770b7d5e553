"""Forecast: how much work the usual day and week bring next, from the traffic without its surges."""

import math
from dataclasses import replace

import numpy as np

from fleetsim.engine.demand import Demand
from fleetsim.engine.world import World
from fleetsim.kernel.arrays import Array


class Forecast:
    """What an operator expects: growth, the shape of the day and of the week; no surge, no noise."""

    def __init__(self, world: World) -> None:
        self.world = world
        usual = replace(world.scenario, surges={})
        self._demand = Demand(usual, world.index, world.streams)
        self._first = self._last = 0
        self._rates = np.zeros((0, len(world.index.classes)))

    def growth(self, since: int, now: int, until: int) -> dict[str, float]:
        """By pool: most work of a step up to `until` / mean of the steps from `since` to `now`; at least 1;
        infinite where there was none before.

        Work at what a message costs now on the pool's first fleet.
        """
        rates = self._between(since, until)
        found = {}
        for name, shares, classes in zip(self.world.index.pools, self.world.index.pool_shares,
                                         self.world.index.pool_classes, strict=True):
            cost_gpu_s = self.world.things.cost_gpu_s[list(classes), shares[0]]
            work = rates[:, list(classes)] @ cost_gpu_s
            before, most = float(work[: now - since].mean()), float(work[now - since :].max())
            found[name] = 1.0 if most <= before else most / before if before > 0.0 else math.inf
        return found

    def _between(self, first: int, last: int) -> Array:
        """Messages per second of each class in these steps; drawn up a day ahead."""
        steps = self.world.scenario.horizon.steps
        last = min(last, steps)
        if not self._first <= first < last <= self._last:
            per_hour = self.world.things.steps_per_hour
            self._first = first // per_hour * per_hour
            self._last = min(steps, -(-(last + 24 * per_hour) // per_hour) * per_hour)
            self._rates = self._demand.expected(self._first, self._last)
        return self._rates[first - self._first : last - self._first]
