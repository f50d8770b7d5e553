"""Capacity block: a number of GPUs from one date to another, all paid upfront."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.agreement import FleetAgreement, check_term, term_s
from fleetsim.ledger.contracts.payment_schedule import PaymentSchedule
from fleetsim.ledger.order import Rank
from fleetsim.ledger.primitives import CapacityCommitment
from fleetsim.model.contract import LONGEST_BLOCK_MONTHS
from fleetsim.timebase import add_months
from fleetsim.units import GpuCount, Seconds, UsdPerGpuHour, UtcTime


@dataclass(frozen=True, kw_only=True)
class CapacityBlock(FleetAgreement):
    """Bills a fixed block in advance, used or not; it cannot be cancelled (AWS EC2 Capacity Blocks).

    Instances are ended before the block's end, by 30 minutes; the time is paid for.
    """

    kind: ClassVar[str] = "capacity_block"
    bills: ClassVar[Literal["committed", "allocated"]] = "committed"

    usd_per_gpu_hour: UsdPerGpuHour
    """Price of a GPU-hour of the block."""
    gpus: GpuCount
    """GPUs of the block."""
    start: UtcTime
    """First instant."""
    end: UtcTime
    """Last instant, exclusive, at most six months later."""
    ends_early_s: Seconds = 1800.0
    """Seconds before the end at which instances are ended."""

    def __post_init__(self) -> None:
        check_term(self.start, self.end)
        if self.end > add_months(self.start, LONGEST_BLOCK_MONTHS):
            raise ValueError(f"a capacity block lasts at most {LONGEST_BLOCK_MONTHS} months")
        if self.termination is not None:
            raise ValueError("a capacity block cannot be ended early")

    def primitive(self) -> CapacityCommitment:
        """A capacity commitment of its own capacity."""
        start_s, end_s = term_s(self.start, self.end, None)
        return CapacityCommitment(
            fleet=self.fleet, rank=Rank.OWN_CAPACITY, gpus=self.gpus,
            prices=self.prices(self.usd_per_gpu_hour), start_s=start_s, end_s=end_s,
            payment=PaymentSchedule(upfront_frac=Decimal(1)), unusable_before_end_s=round(self.ends_early_s))
