"""Replicas in cells: who fails, who drains, who comes, and the numbers of each."""

import numpy as np

from fleetsim.engine.cell_group import Act
from fleetsim.engine.deployment import Change, Deployment, part
from fleetsim.model.service import Service


def deployment(most: tuple[int, ...], cell_replicas: int | None) -> Deployment:
    return Deployment(0, "s", Service(gpu_s_per_call=1.0), ["a100-80gb"] * len(most), most, cell_replicas, [])


def names(acts: list[list[Act]]) -> list[str]:
    return [name for cell in acts for name, _ in cell]


def test_replicas_are_spread_evenly_and_found_where_they_are() -> None:
    cells = deployment((10, 7), 6)
    assert [sum(sizes) for sizes in cells.sizes] == [7, 5, 5]
    assert [part(10, 3, k) for k in range(3)] == [4, 3, 3]
    cells.change(0, Change(0, 8, False), np.zeros(0))
    cells.change(1, Change(0, 5, False), np.zeros(0))
    assert [len(cell[0]) for cell in cells.up] == [3, 3, 2]
    assert [len(cell[1]) for cell in cells.up] == [2, 2, 1]
    assert cells.up[1][1] == {3, 4}  # numbers of the second share follow those of the first
    assert sum(cells.parts()) == 1.0


def test_one_failure_takes_one_replica() -> None:
    """Its place is empty afterwards, or taken by another; nobody else is lost for it."""
    cells = deployment((6,), 2)
    cells.change(0, Change(0, 6, False), np.zeros(0))
    acts = cells.change(0, Change(1, 5, True), np.array([0.4]))
    assert names(acts) == ["fail"]
    assert cells.replicas == 5
    acts = cells.change(0, Change(1, 5, False), np.array([0.4]))
    assert sorted(names(acts)) == ["fail", "restore"]
    failed, restored = (next(values for cell in acts for name, values in cell if name == act)
                        for act in ("fail", "restore"))
    cell_of = {act: next(k for k, cell in enumerate(acts) if act in [name for name, _ in cell])
               for act in ("fail", "restore")}
    assert (cell_of["fail"], failed) != (cell_of["restore"], restored)


def test_fewer_and_more_but_no_more_than_there_are() -> None:
    cells = deployment((4,), None)
    assert names(cells.change(0, Change(0, 4, False), np.zeros(0))) == ["restore"] * 4
    assert names(cells.change(0, Change(0, 1, False), np.zeros(0))) == ["drain"] * 3
    assert names(cells.change(0, Change(0, 0, True), np.zeros(0))) == ["fail"]
    assert names(cells.change(0, Change(3, 9, True), np.zeros(3))) == ["restore"] * 4
