"""A service's replicas on a pool's shares at request level: how many are up, in which cell, and who asks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fleetsim.engine.cell_group import Act, Cell
from fleetsim.model.replica import ReplicaGroup, RequestClass
from fleetsim.model.service import Service
from fleetsim.rng import Streams

BEFORE = -1
"""Attempt of the requests of the warm-up, which are not counted."""


@dataclass(frozen=True)
class Row:
    """A class of the request kernel: messages of a traffic class in a service slot at an attempt."""

    class_: int
    slot: int
    attempt: int
    requests_per_message: float
    """Simulated ones, so less when requests are sampled."""
    prompt_tokens: float
    """Mean of a request."""
    output_tokens: float


@dataclass(frozen=True)
class Change:
    """What a step begins with: replicas that are lost, and how many are to be up then."""

    failed: int
    wanted: int
    abrupt: bool
    """Whether those above `wanted` fail, or drain."""


class Deployment:
    """The cells of one service, and which of their replicas are up.

    Replicas of each share are spread evenly over the cells, and requests by the replicas that are up.
    """

    def __init__(self, place: int, name: str, service: Service, gpus: Sequence[str], most: Sequence[int],
                 cell_replicas: int | None, rows: Sequence[Row]) -> None:
        """`most` replicas on each share, whose gpu type `gpus` says; in cells of at most `cell_replicas`."""
        self.place, self.name, self.service, self.rows = place, name, service, rows
        self.gpus = gpus
        total = sum(most)
        cells = 1 if cell_replicas is None else max(1, -(-total // cell_replicas))
        self.sizes = [[part(count, cells, k) for count in most] for k in range(cells)]
        """[cell][share]: replicas that there may be."""
        self.up: list[list[set[int]]] = [[set() for _ in most] for _ in range(cells)]
        """[cell][share]: those that take requests, by their number in the cell."""

    @property
    def replicas(self) -> int:
        """Replicas that take requests."""
        return sum(len(numbers) for cell in self.up for numbers in cell)

    def cells(self, classes: Sequence[RequestClass], scope: str, start_ns: int, rate_row_s: float,
              streams: Streams) -> list[Cell]:
        """What to start the cells from, with the replicas that are up now."""
        return [
            Cell(
                service=self.place, scope=f"{scope}/cell-{k}/",
                groups=tuple(ReplicaGroup(size, self.service.laws[gpu], self.service.gpus_per_replica,
                                          self.service.batching)
                             for size, gpu in zip(sizes, self.gpus, strict=True)),
                classes=tuple(classes), routing=self.service.routing,
                down=tuple(sorted(set(range(sum(sizes))).difference(*up))), start_ns=start_ns,
                rate_row_s=rate_row_s, seed=streams.seed, replication=streams.replication)
            for k, (sizes, up) in enumerate(zip(self.sizes, self.up, strict=True))]

    def change(self, share: int, change: Change, uniforms: np.ndarray) -> list[list[Act]]:
        """Lose and bring back replicas of a share; what each cell is told. A uniform chooses each loss."""
        acts: list[list[Act]] = [[] for _ in self.up]
        for u in uniforms[: min(change.failed, sum(len(cell[share]) for cell in self.up))]:
            ends = np.cumsum([len(cell[share]) for cell in self.up])
            place = int(u * ends[-1])
            k = int(np.searchsorted(ends, place, side="right"))
            number = sorted(self.up[k][share])[place - int(ends[k])]  # from the end of the cell
            self.up[k][share].remove(number)
            acts[k].append(("fail", (number,)))
        missing = change.wanted - sum(len(cell[share]) for cell in self.up)
        for _ in range(-missing):  # from the fullest cell
            k = max(range(len(self.up)), key=lambda k: len(self.up[k][share]))
            number = max(self.up[k][share])
            self.up[k][share].remove(number)
            acts[k].append(("fail" if change.abrupt else "drain", (number,)))
        free = [self._free(k, share, acts[k]) for k in range(len(self.up))] if missing > 0 else []
        for _ in range(min(missing, sum(map(len, free)))):  # to the emptiest one that has room
            k = min((k for k, numbers in enumerate(free) if numbers), key=lambda k: len(self.up[k][share]))
            number = free[k].pop()
            self.up[k][share].add(number)
            acts[k].append(("restore", (number,)))
        return acts

    def _free(self, k: int, share: int, acts: Sequence[Act]) -> list[int]:
        """Replicas of a cell that are not up, the one to take next at the end: not one that just failed."""
        first = sum(self.sizes[k][:share])
        failed = {number for name, (number,) in acts if name == "fail"}
        return sorted(set(range(first, first + self.sizes[k][share])) - self.up[k][share],
                      key=lambda number: (number in failed, number), reverse=True)

    def parts(self) -> list[float]:
        """Share of the requests that each cell gets: by replicas that are up, evenly when none is."""
        up = [sum(len(numbers) for numbers in cell) for cell in self.up]
        return [count / sum(up) if sum(up) else 1 / len(up) for count in up]


def part(count: int, parts: int, k: int) -> int:
    """The k-th of so many even whole parts; the first ones are larger."""
    return count // parts + (k < count % parts)
