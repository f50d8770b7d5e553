"""Basis: what counts as a fleet's use when its contracts are others than the run's.

A run bills what was allocated. Under other contracts, what bills use would have been given back when it was
not needed: there use is what was required, a bound. A fleet with an elastic part gives GPUs back in the
simulation, and training has no requirement of its own: both stay as they were metered.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace
from decimal import Decimal

from fleetsim.experiments.usage import Basis
from fleetsim.ledger.contracts import Spot
from fleetsim.ledger.primitives import Pot
from fleetsim.model.contract import Contract
from fleetsim.model.scenario import Scenario


def fleets_with_other_contracts(scenario: Scenario, before: Scenario) -> frozenset[str]:
    """Fleets whose GPU-hours other contracts bill; what these are called does not matter."""
    return frozenset(fleet for fleet in scenario.fleets
                     if _differ(_billing(fleet, scenario), _billing(fleet, before)))


def bases(scenario: Scenario, other: Collection[str]) -> dict[str, Basis]:
    """By fleet: `required` for those in `other` where a contract's bill moves with use."""
    return {fleet: "required" if fleet in other and _by_use(fleet, scenario) else "metered"
            for fleet in scenario.fleets}


def given_back(contract: Contract, basis: Mapping[str, Basis]) -> Contract:
    """A contract as it bills a fleet whose use is what was required: spot GPUs are given back, too."""
    if isinstance(contract, Spot) and contract.share_frac is None and basis[contract.fleet] == "required":
        return replace(contract, share_frac=Decimal(1))
    return contract


def _by_use(fleet: str, scenario: Scenario) -> bool:
    spec = scenario.fleets[fleet]
    return spec.role == "serving" and spec.elastic is None and any(
        contract.bills_use for contract in _billing(fleet, scenario))


def _billing(fleet: str, scenario: Scenario) -> list[Contract]:
    """The contracts that bill a fleet's GPU-hours. Pots only pay other charges."""
    return [contract for contract in scenario.contracts.values()
            if fleet in contract.fleets and not isinstance(contract.terms().primitive, Pot)]


def _differ(one: list[Contract], other: list[Contract]) -> bool:
    return len(one) != len(other) or any(one.count(each) != other.count(each) for each in one)
