"""What training fleets did, for the summary: GPU-hours by state, jobs by outcome, the named jobs."""

from typing import Any

from fleetsim.model.scenario import Scenario
from fleetsim.output.facts import Facts
from fleetsim.output.figures import finite
from fleetsim.output.training_tables import HELD
from fleetsim.timebase import iso

STATES = (*HELD, "idle", "spare", "repair", "maintenance")
"""Columns `<state>_gpu_hours` of fact_capacity_hourly."""
WAITS_H = "epoch(coalesce(start_time, submit_time) - submit_time) / 3600"


def training_summary(scenario: Scenario, facts: Facts) -> dict[str, Any]:
    """By fleet with jobs: GPU-hours by state, jobs by outcome, waits to the first start, and named jobs."""
    return {fleet: _fleet(scenario, facts, fleet)
            for fleet in scenario.fleets if fleet in scenario.fleets_with_jobs}


def _fleet(scenario: Scenario, facts: Facts, fleet: str) -> dict[str, Any]:
    sums = facts.training[fleet]
    jobs, done, started, failures, preemptions, usd, p50, p99 = facts.query(f"""
        select count(*), count(*) filter (outcome = 'done'), count(start_time), sum(failures),
               sum(preemptions), sum(effective_usd), median({WAITS_H}) filter (start_time is not null),
               quantile_cont({WAITS_H}, 0.99) filter (start_time is not null)
        from fact_training_job where fleet = '{fleet}'""")[0]
    return {
        "gpu_hours": {state: finite(sums[f"{state}_gpu_hours"]) for state in STATES},
        "rented_gpu_hours": finite(sums["rented_gpu_hours"]),
        "lent_gpu_hours": finite(sums["lent_gpu_hours"]),
        "borrowed_gpu_hours": finite(sums["borrowed_gpu_hours"]),
        "node_failures": int(sums["node_failures"] or 0),
        "jobs": jobs, "jobs_done": done, "jobs_started": started, "failures": int(failures or 0),
        "preemptions": int(preemptions or 0), "jobs_usd": str(usd or 0),
        "wait_p50_h": finite(p50), "wait_p99_h": finite(p99),
        "named": {name: found for name, job in scenario.training_jobs.items()
                  if job.fleet == fleet and (found := _job(facts, name))},
    }


def _job(facts: Facts, name: str) -> dict[str, Any] | None:
    row = facts.named_jobs.get(name)
    if row is None:
        return None
    texts = ("outcome", "team", "fleet", "effective_usd")
    found: dict[str, Any] = {column: str(value) if column in texts else value
                             for column, value in row.items() if column != "job"}
    for column in ("submit_time", "start_time", "end_time", "deadline"):
        found[column] = iso(found[column]) if found[column] else None
    return found
