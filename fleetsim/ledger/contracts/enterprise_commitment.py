"""Enterprise commitment: spending at a provider that was promised (MACC, EDP)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.agreement import Agreement, check_term, term_s
from fleetsim.ledger.primitives import Pot
from fleetsim.units import Months, Usd, UtcTime


@dataclass(frozen=True, kw_only=True)
class Pooled(Agreement):
    """Dollars over the charges of other contracts of some fleets."""

    bills: ClassVar[Literal["committed", "allocated"]] = "allocated"
    prepaid: ClassVar[bool]

    fleets_: tuple[str, ...]
    """Fleets whose charges count."""
    contracts: tuple[str, ...] = ()
    """Contracts whose charges count; all of the fleets' by default."""
    usd: Usd
    """Dollars of each period."""
    start: UtcTime
    """First instant."""
    end: UtcTime | None = None
    """Last instant, exclusive; or give `term_months`."""
    term_months: Months | None = None
    """Months from `start`."""
    period_months: Months | None = None
    """The dollars come again after so many months; one period for the whole term by default."""
    drawn_before_usd: Usd | None = None
    """Drawn from the dollars of the period that is open when recording begins, or counted for them, by
    charges before it; needed when the term starts before."""

    def __post_init__(self) -> None:
        check_term(self.start, self.end, self.term_months)
        if not self.fleets_:
            raise ValueError("fleets names no fleet")
        if self.drawn_before_usd is not None and self.drawn_before_usd > self.usd:
            raise ValueError(f"drawn_before_usd is above usd ({self.usd:,.0f})")
        if self.escalator or self.most_favoured or self.sla or self.delay_relief:
            raise ValueError("a pot has no price and no hardware; "
                             "leave escalator, most_favoured, sla and delay_relief out")

    @property
    def fleets(self) -> tuple[str, ...]:
        """The fleets whose charges count."""
        return self.fleets_

    @property
    def fleet(self) -> str:
        """The first of them, where its own charges stand."""
        return self.fleets_[0]

    def primitive(self) -> Pot:
        """A pot."""
        start_s, end_s = term_s(self.start, self.end, self.term_months)
        assert start_s is not None, "a pot has a start"
        return Pot(fleets=self.fleets_, contracts=self.contracts, usd=self.usd, prepaid=self.prepaid,
                   start_s=start_s, end_s=end_s, period_months=self.period_months,
                   drawn_before_usd=self.drawn_before_usd or Decimal(0))


@dataclass(frozen=True, kw_only=True)
class EnterpriseCommitment(Pooled):
    """Charges are invoiced as ever; what is missing from the commitment is due at the end of each period."""

    kind: ClassVar[str] = "enterprise_commitment"
    prepaid: ClassVar[bool] = False
