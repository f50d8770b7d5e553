"""What decides everything but money: two scenarios that agree in it can share a simulation."""

import json
from typing import Any

from fleetsim.ledger.primitives import Pot
from fleetsim.model.scenario import Scenario

ONLY_BILLED = ("name", "description", "contracts", "offers", "objectives", "published", "budgets")
"""Sections of a scenario that change nothing of what is simulated, but for interruptions."""
MONEY = frozenset({
    "usd_per_gpu_hour", "list_usd_per_gpu_hour", "contracted_usd_per_gpu_hour", "price_cv_frac",
    "price_correlation_h", "escalator", "most_favoured", "payment", "sla", "delay_relief"})
"""Keys of a contract that say what its GPUs cost, and not how many they are."""


def physics(scenario: Scenario) -> str:
    """What is simulated when no contract takes capacity away."""
    return json.dumps({key: value for key, value in scenario.source.items() if key not in ONLY_BILLED},
                      default=str)


def interruptions(scenario: Scenario) -> dict[str, Any]:
    """By contract that takes capacity away: all that decides when, and how many GPUs.

    These are its own terms and those of the contracts that are applied beside it, without prices that only
    say what GPUs cost.
    """
    written: Any = scenario.source.get("contracts", {})
    billing = {name: contract for name, contract in scenario.contracts.items()
               if not isinstance(contract.terms().primitive, Pot)}
    found: dict[str, Any] = {}
    for name, contract in billing.items():
        if getattr(contract, "changes_capacity", False):
            near = {fleet for other in billing.values() if contract.fleets[0] in other.fleets
                    for fleet in other.fleets}
            found[name] = {other: _counts(written[other]) for other in billing
                           if near.intersection(billing[other].fleets)}
    return found


def _counts(terms: dict[str, Any]) -> dict[str, Any]:
    """What of a contract decides a number of GPUs. Dollars buy GPUs at a price; shares go to the cheaper."""
    if "rates" in terms or "share_frac" in terms:
        return terms
    return {key: value for key, value in terms.items() if key not in MONEY}
