"""Published against simulated, and objectives with their verdicts: rows of their fact tables."""

from collections.abc import Callable
from typing import Any

from fleetsim.model.figure import NEVER
from fleetsim.model.scenario import Objective, PublishedFact, Scenario
from fleetsim.output.facts import Facts
from fleetsim.output.figures import Value, compute
from fleetsim.output.window import Window
from fleetsim.units import as_utc

ROUNDING_FRAC = 1e-9
"""Two floats that differ by less are equal."""

FactsOver = Callable[[Window], Facts]
"""The facts over a window; the same object for the same window."""


def published_rows(scenario: Scenario, facts_over: FactsOver, whole: Window) -> list[dict[str, Any]]:
    """One row of `fact_published` per published fact, each over its own window.

    A window of which nothing was recorded (all of it in the warm-up) gives no simulated value.
    """
    rows = []
    for name, fact in scenario.published.items():
        window = whole.part(fact.start, fact.end, fact.days)
        simulated = None if window is None else compute(facts_over(window), fact.figure)
        number = float(simulated) if isinstance(simulated, (int, float)) else None
        difference = None if number is None else difference_frac(fact, number)
        rows.append({
            "fact": name, "what": fact.what, "source": fact.source, "figure": fact.figure, "role": fact.role,
            "value": fact.value, "low": fact.low, "high": fact.high,
            "simulated": number, "difference_frac": difference,
            "agrees": difference is not None and abs(difference) <= fact.tolerance_frac + ROUNDING_FRAC,
            "note": fact.note or None,
        })
    return rows


def difference_frac(fact: PublishedFact, simulated: float) -> float | None:
    """Simulated / published - 1; of a band, from the end that is missed, 0 inside it.

    None when the published value is 0 and the simulated one is not.
    """
    target = fact.value
    if target is None:
        target = simulated if fact.low is None else max(simulated, fact.low)
        target = target if fact.high is None else min(target, fact.high)
    if simulated == target:
        return 0.0
    return None if target == 0 else (simulated - target) / abs(target)


def objective_rows(objectives: tuple[Objective, ...], facts: Facts) -> list[dict[str, Any]]:
    """One row of `fact_objective` per objective, over the whole run."""
    rows = []
    for objective in objectives:
        simulated: Value = compute(facts, objective.name)
        # Limits on times are ISO text with an offset: only what is written alike can be compared.
        compared = as_utc(simulated).isoformat() if isinstance(simulated, str) else simulated
        rows.append({
            "objective": objective.text, "figure": objective.name, "operator": objective.operator,
            "value": as_text(objective.value),
            "simulated": NEVER if simulated is None and objective.figure.unit == "time"
            else as_text(simulated),
            "met": objective.met_by(compared),
        })
    return rows


def as_text(value: Value) -> str | None:
    """A figure's value as text: numbers as Python writes them."""
    return value if value is None or isinstance(value, str) else repr(value)
