"""Loads of the plain fluid model: how full the GPUs were that served a message with known latency."""

from bisect import bisect_right
from collections.abc import Sequence

from fleetsim.kernel.arrays import Array, Things
from fleetsim.kernel.reference_fleet import Share, added
from fleetsim.kernel.reference_queue import TrafficClass


class Unit:
    """One service slot of a class on one share, with the loads of its latency table."""

    def __init__(self, things: Things, klass: int, slot: int, place: int, share: int) -> None:
        self.klass, self.slot = klass, slot
        self.share = share
        """Place in the pool's spill-over order."""
        self.place = int(things.load_unit[klass, slot, place])
        points = int(things.load_points[self.place])
        self.grid: list[float] = things.load_grid[self.place, :points].tolist()
        self.messages = 0.0
        """Served in the step at hand."""

    def note(self, share: Share, classes: Sequence[TrafficClass], served: Array) -> None:
        """Divide the step's messages between the two loads next to the share's; ends take what is beyond.

        Those of a class without a queue, while others of the pool have one, stand after the last load.
        """
        messages, self.messages = self.messages, 0.0
        if messages <= 0:
            return
        waiting = {each.place for each in classes if added(each.waiting) > 0}
        if waiting and self.klass not in waiting:
            served[self.place, len(self.grid)] += messages
            return
        capacity = share.allocated * share.step_s
        load = 1.0 - share.room_gpu_s / capacity if capacity > 0 else 0.0
        below = max(0, bisect_right(self.grid, load) - 1)
        above = 0.0
        if below + 1 < len(self.grid):
            low, high = self.grid[below : below + 2]
            above = max(0.0, (load - low) / (high - low))
        served[self.place, below] += messages * (1.0 - above)
        if above > 0:
            served[self.place, below + 1] += messages * above
