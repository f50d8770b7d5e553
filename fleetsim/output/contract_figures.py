"""Figures of contracts: what they cost, save and waste, what a message costs, what electricity it took."""

from collections.abc import Callable, Mapping

from fleetsim.output.facts import Facts

Value = float | str | None
KG_PER_T = 1_000.0
WASTE = ("unused", "shortfall")
"""Clauses of what a commitment paid for and nobody used."""


def ratio(numerator: float | None, denominator: float | None) -> float | None:
    """Their quotient; None when the denominator is 0 or a part is missing."""
    return float(numerator) / float(denominator) if numerator is not None and denominator else None


def amount(facts: Facts, column: str, *, contract: str | None = None, fleet: str | None = None) -> float:
    """Dollars of a column of the hourly charges: of a contract, a fleet, or all."""
    return float(sum(row[column] for (name, of), row in sorted(facts.cost.items())
                     if contract in (None, name) and fleet in (None, of)))


def usage(facts: Facts, column: str, clauses: tuple[str, ...] | None = None, *,
          contract: str | None = None, fleet: str | None = None) -> float:
    """GPU-hours or effective dollars of usage: of some clauses or all."""
    return float(sum(row[column] for (name, of, clause), row in sorted(facts.clauses.items())
                     if contract in (None, name) and fleet in (None, of)
                     and (clauses is None or clause in clauses)))


def savings_rate(facts: Facts, against: str, contract: str | None = None) -> float | None:
    """(what usage would have cost - what it cost) / what it would have cost."""
    would = amount(facts, against, contract=contract)
    return ratio(would - amount(facts, "effective_usd", contract=contract), would)


def utilisation(facts: Facts, contract: str) -> float | None:
    """Used / committed in the commitment's own unit."""
    sums = facts.commitments.get(contract)
    if sums is None:
        return None
    unit = "gpu_hours" if sums["committed_gpu_hours"] else "usd"
    return ratio(sums[f"used_{unit}"], sums[f"committed_{unit}"])


def break_even(facts: Facts, contract: str) -> float | None:
    """Cost per committed GPU-hour / contracted price per used GPU-hour.

    A commitment in dollars buys at plan prices: there it is used dollars / contracted price of what they
    covered, which a full use of the commitment would reach.
    """
    sums = facts.commitments.get(contract)
    if sums is None:
        return None
    contracted = amount(facts, "contracted_usd", contract=contract)
    if not sums["committed_gpu_hours"]:
        return ratio(sums["used_usd"], contracted)
    return ratio(ratio(sums["committed_usd"], sums["committed_gpu_hours"]),
                 ratio(contracted, sums["used_gpu_hours"]))


def covered(facts: Facts, fleet: str) -> float | None:
    """GPU-hours used under commitments / all GPU-hours used."""
    under = usage(facts, "gpu_hours", ("used", "made_up", "depreciation", "past_life"), fleet=fleet)
    every = usage(facts, "gpu_hours", fleet=fleet) - usage(facts, "gpu_hours", ("unused",), fleet=fleet)
    return ratio(under, every)


def per(facts: Facts, fleet: str, column: str) -> float | None:
    """A fleet's effective cost per GPU-hour of one count."""
    return ratio(facts.cost_usd(fleet=fleet), facts.of_fleet(fleet, column))


def class_cost(facts: Facts, name: str, column: str = "effective_usd") -> float:
    """Dollars allocated to a class, or to what was idle."""
    return float(facts.allocation.get(name, {}).get(column) or 0.0)


def per_thousand(facts: Facts, name: str) -> float | None:
    """Shared cost per 1,000 served messages."""
    served = facts.traffic.get(name, {}).get("messages_served")
    return ratio(1_000 * class_cost(facts, name, "shared_usd"), served)


def per_million(facts: Facts, name: str) -> float | None:
    """Shared cost per million tokens."""
    row = facts.traffic.get(name, {})
    tokens = (row.get("prompt_tokens") or 0.0) + (row.get("output_tokens") or 0.0)
    return ratio(1e6 * class_cost(facts, name, "shared_usd"), tokens)


def budgeted(facts: Facts, name: str, column: str) -> float:
    """Dollars of a budget over its months: allowed or spent."""
    return float(sum(row[column == "spent_usd"] for row in facts.budgets.get(name, [])))


def energy(facts: Facts, column: str, fleet: str | None = None) -> float:
    """Kilowatt-hours or kilograms of a fleet, or of all."""
    return sum(float(row[column] or 0.0) for name, row in sorted(facts.energy.items())
               if fleet in (None, name))


def capital_charge(facts: Facts, contract: str) -> float | None:
    """Cost of capital beyond depreciation, for the GPU-hours that were written off."""
    price = facts.capital_charges.get(contract)
    if price is None:
        return None
    return price * usage(facts, "gpu_hours", ("depreciation",), contract=contract)


def levelised(facts: Facts, contract: str) -> float | None:
    """Cost and cost of capital of owned hardware per GPU-hour that there was."""
    capital = capital_charge(facts, contract)
    if capital is None:
        return None
    return ratio(facts.cost_usd(contract=contract) + capital, facts.charged_gpu_hours.get(contract))


CONTRACT_COMPUTATIONS: Mapping[str, Callable[[Facts, str], Value]] = {
    "contracts.{contract}.billed_usd": lambda f, name: amount(f, "billed_usd", contract=name),
    "contracts.{contract}.list_usd": lambda f, name: amount(f, "list_usd", contract=name),
    "contracts.{contract}.contracted_usd": lambda f, name: amount(f, "contracted_usd", contract=name),
    "contracts.{contract}.unused_usd":
        lambda f, name: usage(f, "effective_usd", WASTE, contract=name),
    "contracts.{contract}.utilisation_frac": utilisation,
    "contracts.{contract}.savings_rate_frac": lambda f, name: savings_rate(f, "contracted_usd", name),
    "contracts.{contract}.list_savings_rate_frac": lambda f, name: savings_rate(f, "list_usd", name),
    "contracts.{contract}.break_even_frac": break_even,
    "contracts.{contract}.remaining_usd": lambda f, name: f.remaining_usd.get(name),
    "contracts.{contract}.capital_charge_usd": capital_charge,
    "contracts.{contract}.levelised_usd_per_gpu_hour": levelised,
    "fleets.{fleet}.billed_usd": lambda f, fleet: amount(f, "billed_usd", fleet=fleet),
    "fleets.{fleet}.usd_per_rented_gpu_hour": lambda f, fleet: per(f, fleet, "rented_gpu_hours"),
    "fleets.{fleet}.usd_per_required_gpu_hour": lambda f, fleet: per(f, fleet, "required_gpu_hours"),
    "fleets.{fleet}.usd_per_busy_gpu_hour": lambda f, fleet: per(f, fleet, "busy_gpu_hours"),
    "fleets.{fleet}.covered_frac": covered,
    "fleets.{fleet}.energy_kwh": lambda f, fleet: energy(f, "energy_kwh", fleet),
    "fleets.{fleet}.emissions_t_co2e": lambda f, fleet: energy(f, "emissions_kg_co2e", fleet) / KG_PER_T,
    "fleets.{fleet}.peak_power_mw": lambda f, fleet: f.peak_kw.get(fleet, 0.0) / 1_000.0,
    "traffic.{class}.cost_usd": class_cost,
    "traffic.{class}.shared_cost_usd": lambda f, name: class_cost(f, name, "shared_usd"),
    "traffic.{class}.cost_usd_per_1000_messages": per_thousand,
    "traffic.{class}.cost_usd_per_million_tokens": per_million,
    "cost.idle_usd": lambda f, _: class_cost(f, "idle"),
    "cost.list_usd": lambda f, _: amount(f, "list_usd"),
    "cost.contracted_usd": lambda f, _: amount(f, "contracted_usd"),
    "cost.unused_usd": lambda f, _: usage(f, "effective_usd", WASTE),
    "cost.savings_rate_frac": lambda f, _: savings_rate(f, "contracted_usd"),
    "cost.list_savings_rate_frac": lambda f, _: savings_rate(f, "list_usd"),
    "cost.capital_charge_usd":
        lambda f, _: sum(capital_charge(f, name) or 0.0 for name in sorted(f.capital_charges)),
    "cost.billed_usd": lambda f, _: amount(f, "billed_usd"),
    "cost.prepaid_usd": lambda f, _: amount(f, "billed_usd") - amount(f, "effective_usd"),
    "cost.remaining_usd": lambda f, _: sum(f.remaining_usd.values()),
    "budgets.{budget}.budget_usd": lambda f, name: budgeted(f, name, "budget_usd"),
    "budgets.{budget}.spent_usd": lambda f, name: budgeted(f, name, "spent_usd"),
    "budgets.{budget}.used_frac":
        lambda f, name: ratio(budgeted(f, name, "spent_usd"), budgeted(f, name, "budget_usd")),
    "budgets.{budget}.months_over":
        lambda f, name: sum(spent > allowed for allowed, spent in f.budgets.get(name, [])),
    "energy.total_kwh": lambda f, _: energy(f, "energy_kwh"),
    "energy.emissions_t_co2e": lambda f, _: energy(f, "emissions_kg_co2e") / KG_PER_T,
}
"""By registered name: the value from the facts, for the thing that the name names."""
