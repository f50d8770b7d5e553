"""`summary.json`: figures, the decision per pool, cost per contract, published facts, objectives."""

from typing import Any

from fleetsim.model.scenario import Scenario
from fleetsim.output.decision import pool_decision
from fleetsim.output.facts import Facts
from fleetsim.output.figures import Value, compute_all, finite
from fleetsim.output.pnl import pnl_summary
from fleetsim.output.totals import Totals
from fleetsim.output.training_facts import training_summary
from fleetsim.timebase import iso

MONEY_COLUMNS = ("list_usd", "contracted_usd", "billed_usd", "effective_usd")


def summary(scenario: Scenario, facts: Facts, totals: Totals, rows: int, *, identity: dict[str, Any],
            published: list[dict[str, Any]], objectives: list[dict[str, Any]]) -> dict[str, Any]:
    """Everything a planner reads first. Amounts to reconcile are decimal strings, figures are numbers."""
    figures = compute_all(facts)
    return {
        **identity,
        "horizon": {"start": iso(scenario.horizon.start), "recorded_from": iso(facts.window.start),
                    "end": iso(scenario.horizon.end), "hours": facts.window.hours,
                    "step_s": scenario.horizon.step_s},
        "pools": {pool: pool_decision(scenario, facts, pool) for pool in scenario.pools},
        "fleets": {fleet: {"uncovered_gpu_hours": finite(hours)}
                   for fleet, hours in facts.uncovered_gpu_hours.items()},
        "training": training_summary(scenario, facts),
        "uncovered_gpu_hours": finite(sum(facts.uncovered_gpu_hours.values())),
        "contracts": {name: _contract(scenario, facts, figures, name) for name in scenario.contracts},
        "finance": pnl_summary(scenario, facts.pnl) if scenario.finance else None,
        "published": published,
        "objectives": objectives,
        "objectives_met": all(row["met"] for row in objectives),
        "figures": figures,
        "totals": totals.as_strings(rows),
    }


def _contract(scenario: Scenario, facts: Facts, figures: dict[str, Value], name: str) -> dict[str, Any]:
    contract = scenario.contracts[name]
    rows = [row for (of, _), row in sorted(facts.cost.items()) if of == name]
    amounts = {column: str(sum((row[column] for row in rows), start=0)) for column in MONEY_COLUMNS}
    return {
        "kind": contract.kind,
        "fleet": contract.fleets[0],
        "provider": scenario.fleets[contract.fleets[0]].provider,
        **amounts,
        "gpu_hours": figures[f"contracts.{name}.gpu_hours"],
        "usd_per_gpu_hour": figures[f"contracts.{name}.usd_per_gpu_hour"],
    }
