"""What a contract carries from one block of hours to the next."""

from dataclasses import dataclass, field
from fractions import Fraction

from fleetsim.ledger.bank import Bank


@dataclass
class Account:
    """One contract's state. Billing block by block with one account equals billing the whole."""

    bank: Bank = field(default_factory=Bank)
    """The make-up bank."""
    quantity_gpu_s: int = 0
    """Charged in the current period, for tiers."""
    settled_micro_usd: int = 0
    """Charged in the current period, for tiers settled at its end."""
    tier_micro_usd: list[Fraction] = field(default_factory=list)
    """What the current period costs at the price of each tier, exact."""
    period: int | None = None
    """The pot's current period."""
    left_micro_usd: int = 0
    """In the pot, or of the commitment still to be reached."""
    eligible_micro_usd: int = 0
    """Charged in the pot's current period: more than it holds, or less than nothing after credits."""
    most_micro_usd: int = 0
    """What the pot held when its current period began."""
    level: float = 0.0
    """State of a market price."""
    started: bool = False
    """Whether a market price has a state."""
