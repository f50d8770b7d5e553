"""How a fleet's GPUs are divided between its pools."""

import math
from collections.abc import Sequence

from fleetsim.model.pool import Share


def largest_remainder(total: int, weights: Sequence[float]) -> list[int]:
    """Whole parts of `total` in proportion to the weights; the first wins a tie."""
    whole = sum(weights)
    if whole <= 0:
        return [0] * len(weights)
    exact = [total * weight / whole for weight in weights]
    parts = [math.floor(part) for part in exact]
    by_remainder = sorted(range(len(parts)), key=lambda i: parts[i] - exact[i])
    for i in by_remainder[: total - sum(parts)]:
        parts[i] += 1
    return parts


def divide(fixed: int, shares: Sequence[Share]) -> list[int]:
    """GPUs of the tranches for each share, and last those that no pool has.

    Shares by number get their number; while the fleet is smaller than their sum they share in
    proportion. Shares by fraction take it of what is rented.
    """
    if all(share.share_frac is not None for share in shares):
        fractions = [share.share_frac or 0.0 for share in shares]
        return largest_remainder(fixed, [*fractions, max(0.0, 1.0 - sum(fractions))])
    asked = [share.gpus or 0 for share in shares]
    if sum(asked) > fixed:
        return [*largest_remainder(fixed, asked), 0]
    return [*asked, fixed - sum(asked)]

