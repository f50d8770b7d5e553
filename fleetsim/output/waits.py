"""Percentiles of a wait histogram."""

from collections.abc import Sequence

Bucket = tuple[float, float, int]
"""Shortest wait, longest wait (exclusive), messages."""


def percentile(histogram: Sequence[Bucket], q: float) -> float | None:
    """The wait below which a share `q` of the messages lies, seconds; None when there are none.

    Buckets come shortest wait first. Inside its bucket the percentile is interpolated geometrically
    (the buckets are logarithmic), linearly in one that starts at 0; the bucket of no wait gives exactly 0.
    """
    rank, below = q * sum(messages for _, _, messages in histogram), 0
    held = None
    for low, high, messages in histogram:
        if messages == 0:
            continue
        inside = min(1.0, (rank - below) / messages)
        held = low * (high / low) ** inside if low > 0 else high * inside
        below += messages
        if below >= rank:
            break
    return held
