"""Windows at request level within a run: which steps they are, and who moves the data plane in them."""

from collections.abc import Callable, Iterator
from functools import partial
from types import TracebackType

from fleetsim.engine.request_window import PoolWindow
from fleetsim.engine.world import World
from fleetsim.kernel.arrays import Hourly, Inputs
from fleetsim.kernel.fluid_reference import Model
from fleetsim.model.fidelity import RequestWindow


class RequestLevel:
    """The windows of a scenario. Cells run on `workers` processes, with the same results on any number."""

    def __init__(self, world: World, workers: int = 1,
                 progress: Callable[[int, int], None] | None = None) -> None:
        self.world, self.workers, self.progress = world, workers, progress
        self.windows = sorted(world.scenario.fidelity.windows, key=lambda each: each.start)
        self.pools: dict[int, PoolWindow] = {}
        """By place: those of the window that is open."""
        world.mover = self.move

    def __enter__(self) -> "RequestLevel":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        for pool in self.pools.values():
            pool.close()

    def move(self, first: int, last: int) -> None:
        """Move the data plane over steps, each stretch by what moves it then."""
        for begin, end, window in self.stretches(first, last):
            if window is None:
                self.world.flow(begin, end)
            else:
                self.advance(window, begin, end)

    def stretches(self, first: int, last: int) -> Iterator[tuple[int, int, RequestWindow | None]]:
        """The steps from `first` to `last`, divided where a window begins or ends."""
        for window in self.windows:
            begin, end = (self.world.ns_at(each) // self.world.step_ns for each in (window.start, window.end))
            if first < begin < last:
                yield first, begin, None
                first = begin
            if begin <= first < min(end, last):
                yield first, min(end, last), window
                first = min(end, last)
        if first < last:
            yield first, last, None

    def advance(self, window: RequestWindow, first: int, last: int) -> None:
        """Move on step by step; the fluid model serves the pools that are not in the window."""
        world, block = self.world, self.world.block
        if first * world.step_ns == world.ns_at(window.start):
            self.pools = {world.index.pools.index(pool): PoolWindow(world, pool, window, self.workers)
                          for pool in window.pools or world.index.pools}
        for n in range(first, last):
            model = Model(world.things)
            failed_before = [fleet.failures for fleet in model.fleets]
            model.step(block.inputs, block.hourly, block.steps, n, {
                place: partial(serve, pool, model, failed_before) for place, pool in self.pools.items()})
            model.store(world.things)
            if self.progress is not None:
                self.progress((n + 1) * world.step_ns, world.ns_at(world.scenario.horizon.end))


def serve(pool: PoolWindow, model: Model, failed_before: list[int], inputs: Inputs, hourly: Hourly, n: int,
          hour: int) -> None:
    """One step of a pool's service; nodes have failed and come back by now."""
    failures = [fleet.failures - before for fleet, before in zip(model.fleets, failed_before, strict=True)]
    pool.serve(model, failures, inputs, hourly, n, hour)
