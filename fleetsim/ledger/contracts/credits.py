"""Credits: a pot that charges are drawn from; bought in advance, or an investment paid as cloud credits."""

from dataclasses import dataclass
from typing import ClassVar

from fleetsim.ledger.contracts.enterprise_commitment import Pooled


@dataclass(frozen=True, kw_only=True)
class Credits(Pooled):
    """Paid at the start of each period, then charges are drawn from it; what is left lapses.

    OCI Universal Credits lapse at the period's end. An investment that arrives as credits is the same,
    with a funding round of the same amount beside it.
    """

    kind: ClassVar[str] = "credits"
    prepaid: ClassVar[bool] = True
