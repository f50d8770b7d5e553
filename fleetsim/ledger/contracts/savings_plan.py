"""Savings plan: a commitment in dollars an hour that buys GPU-hours at plan prices."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.agreement import Agreement, check_term, discounted, term_s
from fleetsim.ledger.contracts.payment_schedule import MONTHLY, PaymentSchedule
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import SpendCommitment, SpendRate
from fleetsim.model.base import FILE_CONFIG, Dated
from fleetsim.units import ExactFraction, Months, UsdPerGpuHour, UsdPerHour, UtcTime


@dataclass(frozen=True)
class PlanRate:
    """What one fleet's GPU-hours cost under the plan and without it."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    on_demand_usd_per_gpu_hour: Dated[UsdPerGpuHour]
    """Price without the plan."""
    usd_per_gpu_hour: Dated[UsdPerGpuHour] | None = None
    """Price under the plan; or give the plan's `discount_frac`."""
    list_usd_per_gpu_hour: Dated[UsdPerGpuHour] | None = None
    """Public price; the price without the plan by default."""


@dataclass(frozen=True, kw_only=True)
class SavingsPlan(Agreement):
    """Dollars an hour, used or lost each hour; usage they do not cover falls to the next contract.

    AWS Savings Plans and Azure savings plans commit dollars at plan prices (`usd_per_hour`), GCP's
    spend-based commitments dollars at on-demand prices less a discount (`on_demand_usd_per_hour` and
    `discount_frac`).
    """

    kind: ClassVar[str] = "savings_plan"
    bills: ClassVar[Literal["committed", "allocated"]] = "allocated"

    rates: Mapping[str, PlanRate]
    """By fleet: its prices. With one fleet the plan applies before general ones."""
    usd_per_hour: Dated[UsdPerHour] | None = None
    """Committed dollars an hour at plan prices; or give `on_demand_usd_per_hour`."""
    on_demand_usd_per_hour: UsdPerHour | None = None
    """Committed dollars an hour at on-demand prices."""
    discount_frac: ExactFraction | None = None
    """Share off the on-demand price, where a fleet has no plan price of its own."""
    start: UtcTime | None = None
    """First instant of the term; from the beginning by default."""
    end: UtcTime | None = None
    """Last instant of the term, exclusive; to the end by default."""
    term_months: Months | None = None
    """Months from `start`; or give `end`."""
    payment: PaymentSchedule = MONTHLY
    """No, partial or all upfront; month by month by default."""

    def __post_init__(self) -> None:
        check_term(self.start, self.end, self.term_months)
        if not self.rates:
            raise ValueError("rates names no fleet")
        if (self.usd_per_hour is None) == (self.on_demand_usd_per_hour is None):
            raise ValueError("give usd_per_hour or on_demand_usd_per_hour, one of the two")
        bare = [fleet for fleet, rate in self.rates.items() if rate.usd_per_gpu_hour is None]
        if self.discount_frac is None and (bare or self.on_demand_usd_per_hour is not None):
            raise ValueError("without a plan price for every fleet the plan needs discount_frac")
        if self.term_months is not None and self.start is None:
            raise ValueError("term_months needs start")
        if self.payment.ahead and (self.start is None or (self.end is None and self.term_months is None)):
            raise ValueError("what is paid upfront needs start and term_months or end")
        if self.payment.upfront_usd_per_gpu:
            raise ValueError("a savings plan commits dollars, not GPUs: give upfront_frac")

    @property
    def fleets(self) -> tuple[str, ...]:
        """The fleets that it bills."""
        return tuple(self.rates)

    @property
    def fleet(self) -> str:
        """The first of them."""
        return self.fleets[0]

    def primitive(self) -> SpendCommitment:
        """A spend commitment."""
        start_s, end_s = term_s(self.start, self.end, self.term_months)
        committed = self.usd_per_hour
        if committed is None:
            assert self.on_demand_usd_per_hour is not None, "checked when it was made"
            assert self.discount_frac is not None, "checked when it was made"
            committed = self.on_demand_usd_per_hour * (1 - self.discount_frac)
        return SpendCommitment(
            usd_per_hour=Price.of(committed), rates={name: self._rate(name) for name in self.rates},
            start_s=start_s, end_s=end_s, payment=self.payment)

    def _rate(self, fleet: str) -> SpendRate:
        rate = self.rates[fleet]
        public, own = rate.on_demand_usd_per_gpu_hour, rate.usd_per_gpu_hour
        if own is None:
            assert self.discount_frac is not None, "checked when it was made"
            own = discounted(public, self.discount_frac)
        listed = rate.list_usd_per_gpu_hour
        return SpendRate(own=self.price(own), on_demand=Price.of(public),
                         list=None if listed is None else Price.of(listed))
