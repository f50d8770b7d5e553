"""Figures of lending: what pools could lend and lent, and what training jobs gained by it."""

from collections.abc import Callable, Mapping

from fleetsim.output.contract_figures import ratio
from fleetsim.output.facts import Facts


def _gained(facts: Facts, fleet: str) -> float | None:
    """Work that counts on GPUs that a serving fleet's pools lent; None where no job may borrow them."""
    if facts.things.roles[fleet] != "serving":
        return None
    return facts.training.get(fleet, {}).get("productive_gpu_hours")


def _cost_per_gained(facts: Facts, fleet: str) -> float | None:
    gained, rented = _gained(facts, fleet), facts.of_fleet(fleet, "rented_gpu_hours")
    if not gained or not rented:
        return None
    return facts.cost_usd(fleet=fleet) * facts.training[fleet]["borrowed_gpu_hours"] / rented / gained


def _lendable(facts: Facts, pool: str) -> float | None:
    night = facts.lending.nights.get(pool)
    return None if night is None else night.lendable_gpu_hours


def _lent_of_lendable(facts: Facts, pool: str) -> float | None:
    night = facts.lending.nights.get(pool)
    return None if night is None else ratio(night.lent_gpu_hours, night.lendable_gpu_hours)


LENDING_COMPUTATIONS: Mapping[str, Callable[[Facts, str], float | str | None]] = {
    "pools.{pool}.lent_gpu_hours": lambda f, pool: f.of_pool(pool, "lent_gpu_hours"),
    "pools.{pool}.lendable_gpu_hours": _lendable,
    "pools.{pool}.lent_of_lendable_frac": _lent_of_lendable,
    "fleets.{fleet}.gained_gpu_hours": _gained,
    "fleets.{fleet}.usd_per_gained_gpu_hour": _cost_per_gained,
    "fleets.{fleet}.slowest_reclaim_s": lambda f, fleet: f.lending.slowest_reclaim_s.get(fleet),
}
"""By registered name."""
