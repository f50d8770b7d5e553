"""What can be signed: one kind of contract per file, each a thin constructor of one primitive.

A kind names what a provider calls it and holds the terms as they stand in a scenario file;
`primitive()` says how the ledger rates it (`fleetsim.ledger.primitives`).
"""

from fleetsim.ledger.contracts.on_demand import OnDemand
from fleetsim.ledger.contracts.reserved import Reserved
from fleetsim.ledger.contracts.take_or_pay import TakeOrPay

CONTRACTS: dict[str, type] = {
    "reserved": Reserved,
    "on_demand": OnDemand,
    "take_or_pay": TakeOrPay,
}
"""The registry: the value of `kind` in a scenario file, and the class it makes."""

__all__ = ["CONTRACTS", "OnDemand", "Reserved", "TakeOrPay"]
