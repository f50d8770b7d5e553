"""Reserved: GPUs paid for every hour of the term, used or not."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.agreement import FleetAgreement, check_term, term_s
from fleetsim.ledger.contracts.payment_schedule import MONTHLY, PaymentSchedule
from fleetsim.ledger.primitives import CapacityCommitment
from fleetsim.model.base import Dated
from fleetsim.units import GpuCount, Months, UsdPerGpuHour, UtcTime


@dataclass(frozen=True, kw_only=True)
class Reserved(FleetAgreement):
    """Bills reserved GPU-hours whatever happens (AWS RI, Azure reservation, GCP resource CUD).

    An hour's commitment is split in a used part (allocated GPU-hours) and an unused one. With `gpus` it is
    that number from `start` to `end`, whether the fleet has them or not; without, all GPUs accepted.
    """

    kind: ClassVar[str] = "reserved"
    bills: ClassVar[Literal["committed", "allocated"]] = "committed"

    usd_per_gpu_hour: Dated[UsdPerGpuHour]
    """Price of a reserved GPU-hour, what is paid ahead of it included."""
    gpus: GpuCount | None = None
    """Reserves so many GPUs; all accepted ones by default."""
    start: UtcTime | None = None
    """First instant of the term; from acceptance by default."""
    end: UtcTime | None = None
    """Last instant of the term, exclusive; until the GPUs are handed back by default."""
    term_months: Months | None = None
    """Months from `start`, or from each tranche's acceptance; or give `end`."""
    payment: PaymentSchedule = MONTHLY
    """No, partial or all upfront; month by month by default."""

    def __post_init__(self) -> None:
        check_term(self.start, self.end, self.term_months)
        if self.payment.ahead and self.end is None and self.term_months is None:
            raise ValueError("what is paid upfront needs a term: give term_months or end")
        if self.gpus is not None and self.term_months is not None and self.start is None:
            raise ValueError("term_months of a number of GPUs needs start")
        if self.payment.ahead and self.gpus is not None and self.start is None:
            raise ValueError("what is paid upfront for a number of GPUs needs start")

    def primitive(self) -> CapacityCommitment:
        """A capacity commitment."""
        start_s, end_s = term_s(self.start, self.end, self.term_months)
        return CapacityCommitment(
            fleet=self.fleet,
            prices=self.prices(self.usd_per_gpu_hour),
            gpus=self.gpus,
            start_s=start_s,
            end_s=end_s,
            term_months=self.term_months if self.gpus is None and self.start is None else None,
            payment=self.payment,
        )
