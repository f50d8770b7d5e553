"""GPU-hours charged to a fleet, where one contract charges two."""

from datetime import UTC, datetime

from fleetsim.output.facts import Facts, Things
from fleetsim.output.window import Window


def test_a_plan_over_two_fleets_charges_each_its_own() -> None:
    things = Things(roles={"a": "serving", "b": "serving"}, pools=[], classes={}, metered=frozenset(),
                    contracts={"plan": "a", "rest": "b"})
    facts = Facts(None, things, Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)))
    charged = {("plan", "a", "used"): 30.0, ("plan", "b", "used"): 12.0, ("rest", "b", "on_demand"): 5.0}
    facts.__dict__["clauses"] = {key: {"gpu_hours": hours} for key, hours in charged.items()}
    assert facts.charged_to("a") == 30.0
    assert facts.charged_to("b") == 17.0
    assert facts.charged_gpu_hours == {"plan": 42.0, "rest": 5.0}
