"""Outages and maintenance: healthy GPUs that a fleet loses for a while."""

from collections.abc import Generator
from datetime import timedelta
from typing import Any

from fleetsim.engine.world import World
from fleetsim.model.fleet import Fleet, Window


class Losses:
    """The windows that are open on one fleet, and what they leave."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.place = world.index.fleets.index(name)
        self.open: list[Window] = []

    def run(self, window: Window, kind: str, label: str) -> Generator[Any, Any, None]:
        """Open and close a window, as often as it comes back."""
        env, horizon_end = self.world.env, self.world.scenario.horizon.end
        start, length = window.start, window.end - window.start
        while start < horizon_end:
            if start + length > self.world.scenario.horizon.start:
                yield env.timeout(max(0, self.world.ns_at(start) - self.world.now_ns))
                self.change(window, opens=True, kind=f"{kind}_start", label=label)
                yield env.timeout(self.world.ns_at(start + length) - self.world.now_ns)
                self.change(window, opens=False, kind=f"{kind}_end", label=label)
            if window.repeat_days is None:
                return
            start += timedelta(days=window.repeat_days)

    def change(self, window: Window, *, opens: bool, kind: str, label: str) -> None:
        """Open or close a window now."""
        step = self.world.catch_up()
        lost = window.share_frac if window.gpus is None else float(window.gpus)
        self.world.note(f"fleet/{self.name}", kind, value=lost, detail=label)
        if self.name in self.world.training:
            training = self.world.training[self.name]
            training.change(window, kind.startswith("maintenance"), opens, step * self.world.step_ns)
            if not training.reserve_gpus:
                return
        if opens:
            self.open.append(window)
        else:
            self.open.remove(window)
        keep, gpus = 1.0, 0
        for current in self.open:
            keep *= 1.0 - (current.share_frac or 0.0)
            gpus += current.gpus or 0
        self.world.things.fleets["keep_frac"][self.place] = keep
        self.world.things.fleets["out_gpus"][self.place] = gpus


def windows(world: World, name: str, fleet: Fleet) -> Losses:
    """Start a process for each outage and maintenance window of a fleet; returns what they act on."""
    losses = Losses(world, name)
    for label, window in fleet.outages.items():
        world.env.process(losses.run(window, "outage", label))
    for label, window in fleet.maintenance.items():
        world.env.process(losses.run(window, "maintenance", label))
    return losses
