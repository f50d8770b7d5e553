"""A contract as the ledger rates it: one primitive, and the clauses that act on it."""

from dataclasses import dataclass
from decimal import Decimal

from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.contracts.provider_delay import ProviderDelay
from fleetsim.ledger.contracts.sla_credit import SlaCredit
from fleetsim.ledger.primitives import Pot, Primitive, SpendCommitment


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class RevenueShare:
    """A share of revenue that is due beside a contract's price, month by month."""

    share_frac: Decimal
    streams: tuple[str, ...]
    """Revenue streams; all when empty."""
    floor_usd_per_month: Decimal = Decimal(0)
    cap_usd_per_month: Decimal | None = None


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class Terms:
    """One primitive, and the clauses that act on it."""

    primitive: Primitive
    termination: EarlyTermination | None = None
    sla: SlaCredit | None = None
    delay: ProviderDelay | None = None
    revenue_share: RevenueShare | None = None

    @property
    def fleets(self) -> tuple[str, ...]:
        """The fleets that it bills."""
        match self.primitive:
            case SpendCommitment(rates=rates):
                return tuple(rates)
            case Pot(fleets=fleets):
                return fleets
        return (self.primitive.fleet,)
