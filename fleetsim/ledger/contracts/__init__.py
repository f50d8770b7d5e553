"""What can be signed: one kind of contract per file, each a thin constructor of one primitive.

A kind names what a provider calls it and holds the terms as they stand in a scenario file; `terms()` says
how the ledger rates it (`fleetsim.ledger.primitives`). Clauses that any kind may carry: `agreement.py`.
A kind is imported when a file first uses it, so that checking a file stays quick.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fleetsim.ledger.contracts.agreement import Agreement
    from fleetsim.ledger.contracts.capacity_block import CapacityBlock
    from fleetsim.ledger.contracts.cost_pass_through import CostPassThrough
    from fleetsim.ledger.contracts.credits import Credits
    from fleetsim.ledger.contracts.enterprise_commitment import EnterpriseCommitment
    from fleetsim.ledger.contracts.lease import Lease
    from fleetsim.ledger.contracts.negotiated import Negotiated
    from fleetsim.ledger.contracts.on_demand import OnDemand
    from fleetsim.ledger.contracts.owned import Owned
    from fleetsim.ledger.contracts.reserved import Reserved
    from fleetsim.ledger.contracts.savings_plan import SavingsPlan
    from fleetsim.ledger.contracts.spot import Spot
    from fleetsim.ledger.contracts.take_or_pay import TakeOrPay
    from fleetsim.ledger.contracts.volume_tiers import VolumeTiers

__all__ = ["CONTRACTS", "Agreement", "CapacityBlock", "CostPassThrough", "Credits", "EnterpriseCommitment",
           "Lease", "Negotiated", "OnDemand", "Owned", "Reserved", "SavingsPlan", "Spot", "TakeOrPay",
           "VolumeTiers"]

_HOMES = {
    "Reserved": "reserved", "OnDemand": "on_demand", "TakeOrPay": "take_or_pay", "Spot": "spot",
    "SavingsPlan": "savings_plan", "VolumeTiers": "volume_tiers", "Lease": "lease",
    "CapacityBlock": "capacity_block", "Negotiated": "negotiated",
    "EnterpriseCommitment": "enterprise_commitment", "Credits": "credits",
    "CostPassThrough": "cost_pass_through", "Owned": "owned",
}
"""Class: its kind, which is also its file."""


class _Kinds(Mapping[str, type]):
    """Classes by kind."""

    def __getitem__(self, kind: str) -> type:
        name = next((name for name, home in _HOMES.items() if home == kind), None)
        if name is None:
            raise KeyError(kind)
        found: type = __getattr__(name)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(_HOMES.values())

    def __len__(self) -> int:
        return len(_HOMES)


CONTRACTS: Mapping[str, type] = _Kinds()
"""The registry: the value of `kind` in a scenario file, and the class it makes."""


def __getattr__(name: str) -> Any:
    home = "agreement" if name == "Agreement" else _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)
