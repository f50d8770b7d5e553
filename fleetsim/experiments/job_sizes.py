"""Classes of jobs by their GPUs, as tables show them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleetsim.kernel.arrays import Array

LOWEST = (1, 2, 8, 9, 64, 512, 4_096)
"""Fewest GPUs of each class: one GPU, part of a node of 8, such a node, and up."""


def size_names() -> tuple[str, ...]:
    """`1`, `2-7`, `8`, ... and the last one, which is open."""
    ends = [low - 1 for low in LOWEST[1:]]
    names = [f"{low}" if low == end else f"{low}-{end}" for low, end in zip(LOWEST, ends, strict=False)]
    return (*names, f"{LOWEST[-1]}+")


def size_index(gpus: "Array") -> "Array":
    """The place of each job's class among them."""
    import numpy as np

    return np.searchsorted(LOWEST, gpus, side="right") - 1
