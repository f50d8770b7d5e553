"""On demand: GPU-hours paid for when they are allocated."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.agreement import FleetAgreement, check_term, term_s
from fleetsim.ledger.primitives import RateCard
from fleetsim.model.base import Dated
from fleetsim.units import UsdPerGpuHour, UtcTime


@dataclass(frozen=True, kw_only=True)
class OnDemand(FleetAgreement):
    """Bills the allocated GPU-hours that no commitment covers, and a fleet's elastic part.

    The elastic part of a fleet is billed by the contract that `elastic.contract` names.
    """

    kind: ClassVar[str] = "on_demand"
    bills: ClassVar[Literal["committed", "allocated"]] = "allocated"

    usd_per_gpu_hour: Dated[UsdPerGpuHour]
    """Price of an allocated GPU-hour."""
    start: UtcTime | None = None
    """First instant at which it bills; from the beginning by default."""
    end: UtcTime | None = None
    """Last instant, exclusive; to the end by default."""

    def __post_init__(self) -> None:
        check_term(self.start, self.end)

    def primitive(self) -> RateCard:
        """A rate card."""
        start_s, end_s = term_s(self.start, self.end, None)
        return RateCard(fleet=self.fleet, prices=self.prices(self.usd_per_gpu_hour), start_s=start_s,
                        end_s=end_s)
