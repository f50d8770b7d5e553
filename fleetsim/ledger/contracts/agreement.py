"""What every kind may carry, and how it becomes terms that the ledger rates.

The clauses, one per file: `escalator.py`, `most_favoured.py`, `early_termination.py`, `sla_credit.py`,
`provider_delay.py`; what is paid ahead: `payment_schedule.py`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.contracts.escalator import Escalator
from fleetsim.ledger.contracts.most_favoured import MostFavoured
from fleetsim.ledger.contracts.moved_price import moved
from fleetsim.ledger.contracts.provider_delay import ProviderDelay
from fleetsim.ledger.contracts.sla_credit import SlaCredit
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import (
    CapacityCommitment,
    Minimum,
    OwnedCost,
    Pot,
    Prices,
    Primitive,
    RateCard,
    SpendCommitment,
)
from fleetsim.ledger.terms import RevenueShare, Terms
from fleetsim.model.base import FILE_CONFIG, Dated
from fleetsim.timebase import add_months, earliest, epoch_s, instant_of
from fleetsim.units import UsdPerGpuHour


@dataclass(frozen=True, kw_only=True)
class Agreement(ABC):
    """Clauses that any kind of contract may carry."""

    __pydantic_config__: ClassVar = FILE_CONFIG
    kind: ClassVar[str]
    bills: ClassVar[Literal["committed", "allocated"]]

    escalator: Escalator | None = None
    """A yearly rise of the price."""
    most_favoured: MostFavoured | None = None
    """Resets of the price to a declining market's."""
    termination: EarlyTermination | None = None
    """An end before its time."""
    sla: SlaCredit | None = None
    """Credits for missed uptime."""
    delay_relief: ProviderDelay | None = None
    """Credits for late delivery."""

    @property
    @abstractmethod
    def fleets(self) -> tuple[str, ...]:
        """The fleets that it bills."""

    @property
    def commits(self) -> str:
        """What it commits: gpu_hours, usd or nothing."""
        match self.primitive():
            case CapacityCommitment() | Minimum():
                return "gpu_hours"
            case SpendCommitment() | Pot():
                return "usd"
        return "nothing"

    @property
    def committed_gpus(self) -> int | None:
        """The number of GPUs that it commits; None where it commits none or all of a fleet's."""
        match self.primitive():
            case CapacityCommitment(gpus=gpus) | Minimum(gpus=gpus):
                return gpus
        return None

    @property
    def bills_use(self) -> bool:
        """Whether the bill moves with the GPU-hours that are used, so that less use costs less."""
        match self.primitive():
            case RateCard() | SpendCommitment():
                return True
            case Minimum(minimum_frac=minimum, overage=overage):
                return minimum < 1 or overage is not None
        return False

    @property
    def term(self) -> tuple[datetime | None, datetime | None]:
        """First and last instant as far as it has its own, an early end included; None is without bound."""
        primitive = self.primitive()
        start_s, end_s = ((None, None) if isinstance(primitive, OwnedCost)
                          else (primitive.start_s, primitive.end_s))
        end_s = earliest(end_s, self.termination.at_s if self.termination else None)
        return (None if start_s is None else instant_of(start_s),
                None if end_s is None else instant_of(end_s))

    @property
    def tranche_months(self) -> int | None:
        """Months for which each tranche is committed from its acceptance; None where it has no such term."""
        match self.primitive():
            case CapacityCommitment(term_months=months) | Minimum(term_months=months):
                return months
        return None

    @property
    def capital_charge_usd_per_gpu_hour(self) -> float | None:
        """Cost of capital beyond depreciation; None where no hardware is bought."""
        return None

    @abstractmethod
    def primitive(self) -> Primitive:
        """The primitive that the kind is made of."""

    def revenue_share_terms(self) -> RevenueShare | None:
        """A share of revenue that is due beside the price; none by default."""
        return None

    def terms(self) -> Terms:
        """How the ledger rates it."""
        return Terms(primitive=self.primitive(), termination=self.termination, sla=self.sla,
                     delay=self.delay_relief, revenue_share=self.revenue_share_terms())

    def price(self, dated: "Dated[Decimal]") -> Price:
        """A price with the clauses that move it."""
        return moved(Price.of(dated), self.escalator, self.most_favoured)


@dataclass(frozen=True, kw_only=True)
class FleetAgreement(Agreement):
    """A contract for the GPU-hours of one fleet."""

    fleet: str
    """Fleet whose GPU-hours are billed."""
    list_usd_per_gpu_hour: Dated[UsdPerGpuHour] | None = None
    """Public price, for comparison; the contracted price by default."""
    contracted_usd_per_gpu_hour: Dated[UsdPerGpuHour] | None = None
    """Negotiated price without a commitment, which savings are measured against; the public price, or the
    price itself, by default."""

    @property
    def fleets(self) -> tuple[str, ...]:
        """The fleet that it bills."""
        return (self.fleet,)

    def prices(self, own: "Dated[Decimal] | None") -> Prices:
        """Own, public and negotiated price."""
        public, negotiated = self.list_usd_per_gpu_hour, self.contracted_usd_per_gpu_hour
        return Prices(
            own=None if own is None else self.price(own),
            list=None if public is None else Price.of(public),
            contracted=None if negotiated is None else Price.of(negotiated),
        )


def discounted(dated: "Dated[Decimal]", discount_frac: Decimal) -> "Dated[Decimal]":
    """A price less a share of it, at every date."""
    if isinstance(dated, Mapping):
        return {date: value * (1 - discount_frac) for date, value in dated.items()}
    return dated * (1 - discount_frac)


def term_s(start: datetime | None, end: datetime | None, months: int | None) -> tuple[int | None, int | None]:
    """First and last second of a term with a start and an end, or so many months from the start."""
    if end is None and start is not None and months is not None:
        end = add_months(start, months)
    return (None if start is None else epoch_s(start), None if end is None else epoch_s(end))


def check_term(start: datetime | None, end: datetime | None, months: int | None = None) -> None:
    """ValueError when a term ends before it starts, or has two ends."""
    if start is not None and end is not None and end <= start:
        raise ValueError("the term ends before it starts")
    if end is not None and months is not None:
        raise ValueError("give end or term_months, one of the two")
