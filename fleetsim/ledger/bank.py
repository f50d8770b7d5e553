"""The make-up bank: what a minimum paid for and nobody took, oldest deposit first."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.money import half_even

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


@dataclass
class Deposit:
    """GPU-seconds paid for and not taken, and the last month in which they can be."""

    last_month: int
    """Months since January 1970."""
    gpu_s: int
    micro_usd: int

    def take(self, gpu_s: int) -> int:
        """Take so many of its GPU-seconds; returns what was paid for them."""
        cost = half_even(self.micro_usd * gpu_s, self.gpu_s)
        self.gpu_s -= gpu_s
        self.micro_usd -= cost
        return cost


@dataclass
class Bank:
    """Deposits of one contract, oldest first."""

    deposits: list[Deposit] = field(default_factory=list)

    @property
    def gpu_s(self) -> int:
        """GPU-seconds in it."""
        return sum(each.gpu_s for each in self.deposits)

    def draw(self, wanted_gpu_s: "Int64") -> "Int64":
        """Take GPU-seconds hour by hour, oldest deposit first; returns what was paid for them."""
        cost = np.zeros_like(wanted_gpu_s)
        for hour in np.flatnonzero(wanted_gpu_s):
            wanted = int(wanted_gpu_s[hour])
            while wanted > 0:
                oldest = self.deposits[0]
                part = min(wanted, oldest.gpu_s)
                cost[hour] += oldest.take(part)
                wanted -= part
                if oldest.gpu_s == 0:
                    del self.deposits[0]
        return cost

    def lapse(self, month: int, *, everything: bool = False) -> tuple[int, int]:
        """Drop what could last be taken in `month`, or all; returns GPU-seconds and what was paid."""
        gone = [each for each in self.deposits if everything or each.last_month <= month]
        self.deposits = [each for each in self.deposits if each not in gone]
        return sum(each.gpu_s for each in gone), sum(each.micro_usd for each in gone)
