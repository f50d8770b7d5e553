"""Dedicated lease: tranches of one's own at a provider, billed from acceptance."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.agreement import FleetAgreement
from fleetsim.ledger.contracts.payment_schedule import MONTHLY, PaymentSchedule
from fleetsim.ledger.order import Rank
from fleetsim.ledger.primitives import CapacityCommitment
from fleetsim.model.base import Dated
from fleetsim.timebase import epoch_s
from fleetsim.units import Months, Usd, UsdPerGpuHour, UtcTime


@dataclass(frozen=True, kw_only=True)
class Lease(FleetAgreement):
    """Bills each tranche from its acceptance for its term, so that a late delivery shifts the bill.

    Either a price, or a total that is divided among the tranches by GPUs x time.
    """

    kind: ClassVar[str] = "lease"
    bills: ClassVar[Literal["committed", "allocated"]] = "committed"

    usd_per_gpu_hour: Dated[UsdPerGpuHour] | None = None
    """Price of a leased GPU-hour; or give `total_usd`."""
    total_usd: Usd | None = None
    """What is paid over all terms; the price per GPU-hour follows."""
    term_months: Months
    """Term of each tranche, from its acceptance."""
    fixed_end: UtcTime | None = None
    """The lease ends here however late the delivery was, which cuts what is owed in proportion."""
    payment: PaymentSchedule = MONTHLY
    """What is paid at each acceptance; month by month by default."""

    def __post_init__(self) -> None:
        if (self.usd_per_gpu_hour is None) == (self.total_usd is None):
            raise ValueError("give usd_per_gpu_hour or total_usd, one of the two")
        if self.payment.ahead and self.fixed_end is not None:
            raise ValueError("what is paid upfront is paid for the whole term; leave fixed_end out")

    def primitive(self) -> CapacityCommitment:
        """A capacity commitment of its own capacity."""
        return CapacityCommitment(
            fleet=self.fleet, rank=Rank.OWN_CAPACITY, prices=self.prices(self.usd_per_gpu_hour),
            total_usd=self.total_usd, term_months=self.term_months, payment=self.payment,
            end_s=None if self.fixed_end is None else epoch_s(self.fixed_end))
