"""The random scenarios are worth their name: together they reach every mechanism, idle and overloaded."""

from collections import Counter

from hypothesis import given, settings
from random_scenarios import scenarios

from fleetsim.engine import simulate
from fleetsim.model.scenario import Scenario
from fleetsim.output.sink import TableSink
from fleetsim.policies import POLICIES, SCHEDULING

COLUMNS = {
    "fact_traffic_hourly": [
        "messages_arrived", "messages_served", "messages_degraded", "messages_shed", "messages_abandoned",
        "messages_retried", "messages_waiting", "messages_in_retry", "slo_met_count"],
    "fact_capacity_hourly": [
        "busy_gpu_hours", "lent_gpu_hours", "failed_gpu_hours", "draining_gpu_hours", "outage_gpu_hours",
        "elastic_gpu_hours", "elastic_allocated_gpu_hours", "node_failures", "node_repairs"],
}
EVENTS = {"accepted", "handed_back", "outage_start", "maintenance_end", "lent", "elastic_ordered",
          "elastic_accepted", "elastic_released", "surge_start", "surge_end", "service_move_start",
          "efficiency"}


def test_the_random_scenarios_reach_every_mechanism() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=120)
    @given(scenarios(most_days=1))
    def look(scenario: Scenario) -> None:
        sink = TableSink()
        simulate(scenario, seed=5, sink=sink)
        for table, columns in COLUMNS.items():
            rows = sink.table(table)
            for column in columns:
                seen[column] += any(value for value in rows[column].to_pylist())
        capacity = sink.table("fact_capacity_hourly").to_pandas()
        load = capacity["load_offered_gpu_hours"] / capacity["load_capacity_gpu_hours"].where(
            capacity["load_capacity_gpu_hours"] > 0)
        seen["overload"] += bool((load > 1).any())
        seen["idle"] += bool((load < 0.1).any())
        seen["spill-over"] += any(len(pool.fleets) > 1 for pool in scenario.pools.values())
        seen.update(set(sink.table("fact_event")["kind"].to_pylist()))
        seen.update({type(policy).__name__ for policy in scenario.policies.values()})

    look()
    # Training jobs have random fleets of their own.
    policies = {policy.__name__ for policy in POLICIES.values() if policy not in SCHEDULING}
    wanted = {*(column for columns in COLUMNS.values() for column in columns), "overload", "idle",
              "spill-over", *EVENTS, *policies}
    assert wanted - set(+seen) == set()
