"""What every kind of contract is made of. The rating pipeline knows these and no kind by name.

A primitive states terms; it computes nothing. `rank` is its place in the order of application in
one hour: a GPU-hour goes to the first contract that covers it and is billed once.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class CapacityCommitment:
    """GPUs paid for every hour of a term, used or not; nothing carries over to the next hour."""

    rank: ClassVar[int] = 2

    usd_per_gpu_hour: Decimal
    list_usd_per_gpu_hour: Decimal | None = None
    gpus: int | None = None
    """At most so many; all accepted GPUs that no earlier contract has when None."""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Minimum:
    """A minimum of the committed GPU-hours of each calendar month, taken or paid.

    The price is given, or follows from a total that is spread over each tranche's term.
    """

    rank: ClassVar[int] = 3

    usd_per_gpu_hour: Decimal | None = None
    total_usd: Decimal | None = None
    term_months: int | None = None
    list_usd_per_gpu_hour: Decimal | None = None
    minimum_frac: float = 1.0
    overage_usd_per_gpu_hour: Decimal | None = None
    fixed_end: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RateCard:
    """A price per allocated GPU-hour, for what no commitment covers."""

    rank: ClassVar[int] = 5

    usd_per_gpu_hour: Decimal
    list_usd_per_gpu_hour: Decimal | None = None


Primitive = CapacityCommitment | Minimum | RateCard
