"""Chance in the training oracle: uniforms by number, and events that come at a rate which changes."""

import math

from fleetsim.kernel.arrays import NEVER
from fleetsim.timebase import HOUR_NS

MASK = 2**64 - 1
GAP = 0
"""Draws of an event: the gap before it, and three for what happens then."""


def uniform(key: int, number: int) -> float:
    """splitmix64 in whole numbers."""
    bits = (key + (number + 1) * 0x9E3779B97F4A7C15) & MASK
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    bits ^= bits >> 31
    return ((bits >> 11) + 0.5) * 2.0**-53


class Hazard:
    """An exponential with mean 1 that is spent at the rate of the moment."""

    def __init__(self, key: int) -> None:
        self.key, self.number, self.rate, self.next_ns = key, 0, 0.0, NEVER
        self.renew(0)

    def draw(self, what: int) -> float:
        return uniform(self.key, (4 * self.number + what) & MASK)

    def renew(self, now: int) -> None:
        self.left, self.since_ns = -math.log(self.draw(GAP)), now
        self._aim()

    def tune(self, rate: float, now: int) -> None:
        if rate != self.rate:
            self.left = max(0.0, self.left - self.rate * float(now - self.since_ns))
            self.since_ns, self.rate = now, rate
            self._aim()

    def _aim(self) -> None:
        never = not self.left < self.rate * float(NEVER // 2)
        self.next_ns = NEVER if never else self.since_ns + int(self.left / self.rate) + 1


def per_ns(mtbf_h: float | None, gpus: int) -> float:
    """Failures per GPU and ns."""
    return 0.0 if mtbf_h is None else 1.0 / (mtbf_h * HOUR_NS * gpus)
