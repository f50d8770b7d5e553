"""Take or pay: a minimum of the committed GPU-hours is paid, taken or not."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.ledger.primitives import Minimum
from fleetsim.model.base import FILE_CONFIG
from fleetsim.units import Fraction, Months, Usd, UsdPerGpuHour, UtcTime


@dataclass(frozen=True, kw_only=True)
class TakeOrPay:
    """Per calendar month: price x max(minimum x committed, min(use, committed)) + overage.

    Use is allocated GPU-hours. Either `usd_per_gpu_hour`, or `total_usd` over `term_months` from each
    tranche's acceptance, so that a late delivery shifts the bill and leaves the total as it is.
    """

    __pydantic_config__: ClassVar = FILE_CONFIG
    kind: ClassVar[str] = "take_or_pay"
    bills: ClassVar[Literal["committed", "allocated"]] = "committed"

    fleet: str
    """Fleet whose accepted GPUs are committed."""
    usd_per_gpu_hour: UsdPerGpuHour | None = None
    """Price of a committed GPU-hour; or give `total_usd`."""
    total_usd: Usd | None = None
    """What is paid over the term in total; the price per GPU-hour follows."""
    term_months: Months | None = None
    """Term of each tranche, from its acceptance; until it is handed back by default."""
    list_usd_per_gpu_hour: UsdPerGpuHour | None = None
    """Public price, for comparison; the price itself by default."""
    minimum_frac: Fraction = 1.0
    """Share of a month's committed GPU-hours that is paid even when it is not taken."""
    overage_usd_per_gpu_hour: UsdPerGpuHour | None = None
    """Whole price of a GPU-hour taken above the commitment; the price by default."""
    fixed_end: UtcTime | None = None
    """The contract ends here however late the delivery was, which cuts the total in proportion."""

    def __post_init__(self) -> None:
        if (self.usd_per_gpu_hour is None) == (self.total_usd is None):
            raise ValueError("give usd_per_gpu_hour or total_usd, one of the two")
        if self.total_usd is not None and self.term_months is None:
            raise ValueError("total_usd needs term_months")
        if self.total_usd is not None and self.minimum_frac != 1.0:
            raise ValueError("total_usd is owed in full; minimum_frac needs usd_per_gpu_hour")

    def primitive(self) -> Minimum:
        """How the ledger rates it."""
        return Minimum(
            usd_per_gpu_hour=self.usd_per_gpu_hour,
            total_usd=self.total_usd,
            term_months=self.term_months,
            list_usd_per_gpu_hour=self.list_usd_per_gpu_hour,
            minimum_frac=self.minimum_frac,
            overage_usd_per_gpu_hour=self.overage_usd_per_gpu_hour,
            fixed_end=self.fixed_end,
        )
