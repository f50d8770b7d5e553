"""Take or pay: a minimum of the committed GPU-hours is paid, taken or not."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.agreement import FleetAgreement, check_term, term_s
from fleetsim.ledger.primitives import Minimum
from fleetsim.model.base import Dated
from fleetsim.units import Fraction, GpuCount, Months, Usd, UsdPerGpuHour, UtcTime


@dataclass(frozen=True, kw_only=True)
class TakeOrPay(FleetAgreement):
    """Per calendar month: price x max(minimum x committed, min(use, committed)) + overage.

    With an overage price use is all that the fleet has allocated in the term and no other commitment covers.
    Without one it is in each hour at most what is committed, and the rest falls to the next contract.

    Either `usd_per_gpu_hour`, or `total_usd` over `term_months` from each tranche's acceptance, so that a
    late delivery shifts the bill and leaves the total as it is.
    """

    kind: ClassVar[str] = "take_or_pay"
    bills: ClassVar[Literal["committed", "allocated"]] = "committed"

    usd_per_gpu_hour: Dated[UsdPerGpuHour] | None = None
    """Price of a committed GPU-hour; or give `total_usd`."""
    total_usd: Usd | None = None
    """What is paid over the term in total; the price per GPU-hour follows."""
    gpus: GpuCount | None = None
    """Commits so many GPUs; all accepted ones by default."""
    start: UtcTime | None = None
    """First instant of the term; from acceptance by default."""
    term_months: Months | None = None
    """Term of each tranche, from its acceptance, or of `gpus` from `start`; until it is handed back by
    default."""
    minimum_frac: Fraction = 1.0
    """Share of a month's committed GPU-hours that is paid even when it is not taken."""
    overage_usd_per_gpu_hour: Dated[UsdPerGpuHour] | None = None
    """Whole price of a GPU-hour taken above the month's commitment. None by default: the provider has no more
    than what is committed."""
    fixed_end: UtcTime | None = None
    """The contract ends here however late the delivery was, which cuts the total in proportion."""
    make_up_months: Months | None = None
    """GPU-hours paid and not taken can be taken later, above the minimum of one of so many months after;
    they are lost by default."""

    def __post_init__(self) -> None:
        if (self.usd_per_gpu_hour is None) == (self.total_usd is None):
            raise ValueError("give usd_per_gpu_hour or total_usd, one of the two")
        if self.total_usd is not None and self.term_months is None:
            raise ValueError("total_usd needs term_months")
        if self.total_usd is not None and self.minimum_frac != 1.0:
            raise ValueError("total_usd is owed in full; minimum_frac needs usd_per_gpu_hour")
        check_term(self.start, self.fixed_end)
        if self.gpus is not None and self.start is None:
            raise ValueError("a number of GPUs needs start")
        if self.gpus is not None and self.total_usd is not None:
            raise ValueError("a total is divided among tranches; a number of GPUs needs usd_per_gpu_hour")
        if self.start is not None and self.gpus is None:
            raise ValueError("start needs gpus; tranches start at their acceptance")
        if self.total_usd is not None and self.make_up_months is not None:
            raise ValueError("a total is owed by the clock; make_up_months needs usd_per_gpu_hour")

    def primitive(self) -> Minimum:
        """A minimum."""
        over = self.overage_usd_per_gpu_hour
        start_s, last_s = term_s(self.start, None, self.term_months)
        _, end_s = term_s(None, self.fixed_end, None)
        ends = [second for second in (last_s, end_s) if second is not None]
        return Minimum(
            fleet=self.fleet,
            prices=self.prices(self.usd_per_gpu_hour),
            total_usd=self.total_usd,
            gpus=self.gpus,
            start_s=start_s,
            term_months=self.term_months if self.gpus is None else None,
            minimum_frac=self.minimum_frac,
            overage=None if over is None else self.price(over),
            end_s=min(ends, default=None),
            make_up_months=self.make_up_months or 0,
        )
