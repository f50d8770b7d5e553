"""The world: one clock, the kernel's arrays, and the rule that the data plane catches up first."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np

from fleetsim.engine.arrays import make_hourly, make_steps, make_things, make_waits
from fleetsim.engine.demand import Demand
from fleetsim.engine.index import Index
from fleetsim.engine.latency_hours import LatencyHours
from fleetsim.engine.loans import Loans
from fleetsim.engine.shares import divide
from fleetsim.kernel.arrays import Array, Hourly, Inputs, Steps, Things
from fleetsim.kernel.fluid import advance
from fleetsim.ledger.usage import Delivery
from fleetsim.model.scenario import Scenario
from fleetsim.rng import Streams
from fleetsim.timebase import SECOND_NS, epoch_us, ns_between

if TYPE_CHECKING:
    import simpy

    from fleetsim.engine.training import TrainingFleet

Kernel = Callable[[Things, Inputs, Hourly, Steps, int, int], None]
"""Moves the data plane from the start of one step to the start of another: `advance(...)`."""


@dataclass(frozen=True)
class Event:
    """Something that happened to a thing, and when the data plane noticed."""

    time_us: int
    effective_us: int
    thing: str
    kind: str
    gpus: int | None = None
    """Change of the rented GPUs."""
    value: float | None = None
    detail: str = ""


@dataclass
class Block:
    """The steps between two flushes, with everything known beforehand and everything recorded."""

    first: int
    last: int
    inputs: Inputs
    hourly: Hourly
    steps: Steps


@dataclass
class World:
    """What the processes act on. Call `catch_up` before reading or changing anything."""

    env: "simpy.Environment"
    scenario: Scenario
    streams: Streams
    keep_steps: bool = False
    kernel: Kernel = advance
    fixed_gpus: dict[str, int] = field(default_factory=dict)
    """By fleet: accepted GPUs of its tranches."""
    acceptances: dict[str, list[Delivery]] = field(default_factory=dict)
    """By fleet: every tranche, those still to come included."""
    training: "dict[str, TrainingFleet]" = field(default_factory=dict)
    """By fleet: those with jobs."""
    events: list[Event] = field(default_factory=list)
    next_step: int = 0
    block: Block = field(init=False)
    """The block that is open."""

    def __post_init__(self) -> None:
        self.index = Index.of(self.scenario)
        self.things = make_things(self.scenario, self.index)
        self.latency = LatencyHours(self.scenario, self.index)
        self.demand = Demand(self.scenario, self.index, self.streams)
        self.start_us = epoch_us(self.scenario.horizon.start)
        self.step_ns = self.scenario.horizon.step_s * SECOND_NS
        self.loans = Loans(self)
        self._waits = make_waits(self.index)
        self.mover: Callable[[int, int], None] = self.flow
        """Moves the data plane over steps."""
        for name in self.index.fleets:
            self.fixed_gpus[name] = 0
            self.acceptances[name] = []

    @property
    def now_ns(self) -> int:
        """The clock; SimPy keeps it an int when it is given ints."""
        return int(self.env.now)

    def ns_at(self, instant: datetime) -> int:
        """The clock's reading at an instant; 0 for what happened before the start."""
        return max(0, ns_between(self.scenario.horizon.start, instant))

    def step_after(self, now_ns: int) -> int:
        """The step from which on something that happens now acts."""
        return -(-now_ns // self.step_ns)

    def time_us(self, step: int) -> int:
        """When a step starts, microseconds since 1970."""
        return self.start_us + step * self.step_ns // 1_000

    def open_block(self, first: int, last: int) -> None:
        """Prepare the steps from `first` to `last`."""
        uniforms = {what: self._node_uniforms(what, last - first) for what in ("failures", "repairs")}
        per_hour = self.things.steps_per_hour
        inputs = Inputs(first, self.demand.expected(first, last), self.demand.noise(first, last),
                        *self.demand.mix(first, last), uniforms["failures"], uniforms["repairs"])
        if self.next_step > 0:
            self._waits[: len(self.block.hourly.waited)][self.block.hourly.waited] = 0.0
        hourly = make_hourly(self.index, first // per_hour, (last - first) // per_hour, self._waits,
                             self.things.load_grid.shape[1] + 1)
        keeps = self.keep_steps or any(each.reserve_gpus for each in self.training.values())
        self.block = Block(first, last, inputs, hourly, make_steps(self.index, last - first if keeps else 0))

    def _node_uniforms(self, what: str, steps: int) -> Array:
        """One uniform per step and fleet with failures, (N, F)."""
        uniforms = np.full((steps, len(self.index.fleets)), 0.5)
        for f, name in enumerate(self.index.fleets):
            if self.scenario.fleets[name].node_mtbf_h is not None:
                uniforms[:, f] = self.streams.uniforms(f"fleet/{name}/{what}", steps)
        return uniforms

    def catch_up(self) -> int:
        """Bring the data plane to the step at which a change made now will act; returns it."""
        step = min(self.step_after(self.now_ns), self.block.last)
        if step > self.next_step:
            self.mover(self.next_step, step)
            for training in self.training.values():
                training.follow(self, self.next_step, step)
            self.next_step = step
        return self.next_step

    def flow(self, first: int, last: int) -> None:
        """The fluid model moves the data plane from the start of step `first` to the start of step `last`."""
        self.kernel(self.things, self.block.inputs, self.block.hourly, self.block.steps, first, last)

    def note(self, thing: str, kind: str, *, gpus: int | None = None, value: float | None = None,
             detail: str = "") -> None:
        """Record an event that happens now."""
        self.events.append(Event(self.start_us + self.now_ns // 1_000, self.time_us(self.next_step),
                                 thing, kind, gpus, value, detail))

    def rent(self, fleet: str, gpus: int, kind: str) -> None:
        """Change a fleet's accepted GPUs from the next step on, and divide them between its pools."""
        self.catch_up()
        self.fixed_gpus[fleet] += gpus
        owners = self.index.owners_of(fleet)
        asked = [self.scenario.pools[self.index.shares[k][1]].fleets[fleet] for k in owners[:-1]]
        shares = self.things.shares
        there = max(0, self.fixed_gpus[fleet])  # GPUs may be handed back while they are interrupted
        shares["rented"][owners] = shares["elastic"][owners] + divide(there, asked)
        self.note(f"fleet/{fleet}", kind, gpus=gpus)
        if fleet in self.training:
            self.training[fleet].rent(gpus, self.next_step * self.step_ns)
            self.loans.settle()

    def rent_elastic(self, share: int, gpus: int, kind: str) -> None:
        """Change the elastic GPUs that a pool has of a fleet, from the next step on."""
        self.catch_up()
        fleet, pool = self.index.shares[share]
        self.things.shares["elastic"][share] += gpus
        self.things.shares["rented"][share] += gpus
        self.note(f"fleet/{fleet}", kind, gpus=gpus, detail=pool)
