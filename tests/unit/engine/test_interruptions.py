"""Interruptions take only GPUs that run on spot at that moment."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleetsim.engine import simulate
from fleetsim.output.sink import TableSink
from fleetsim.spec import load

SCENARIO = """
fleetsim: 1
name: spot
horizon: {{start: 2024-01-01, end: 2024-01-11, step_s: 900}}
fleets:
  f: {{gpu: a100-80gb, provider: x, tranches: [{{date: 2024-01-01, gpus: 100{ends}}}]}}
pools: {{p: {{fleets: {{f: {{share_frac: 1.0}}}}}}}}
services: {{m: {{gpu_s_per_call: 10}}}}
traffic:
  t: {{pool: p, service: m, messages_per_day: 400_000, prompt_tokens: {{mean: 1}},
      output_tokens: {{mean: 1}}}}
contracts:
  spot: {{kind: spot, fleet: f, usd_per_gpu_hour: 1, interruption_mtbf_h: 6, interruption_h: {hours}{terms}}}
  {others}
"""


def simulated(tmp_path: Path, terms: str = "", others: str = "", ends: str = "",
              hours: float = 0.25) -> TableSink:
    file = tmp_path / "scenario.yaml"
    file.write_text(SCENARIO.format(terms=terms, others=others, ends=ends, hours=hours))
    sink = TableSink()
    simulate(load(file).scenario, seed=1, sink=sink)
    return sink


def taken(sink: TableSink) -> dict[int, set[int]]:
    """By day of January: how many GPUs interruptions took. The seed has one on most days."""
    found: dict[int, set[int]] = {}
    for row in sink.table("fact_event").to_pylist():
        if row["kind"] == "interrupted":
            found.setdefault(row["time"].day, set()).add(-row["gpus"])
    return found


def before_and_after(sink: TableSink, day: int) -> tuple[set[int], set[int]]:
    """What interruptions took before a day and from it on, when none was going on."""
    found = taken(sink)
    earlier = {gpus for at, each in found.items() if at < day for gpus in each}
    return earlier, {gpus for at, each in found.items() if at >= day for gpus in each}


def test_without_commitments_all_gpus_are_on_spot(tmp_path: Path) -> None:
    earlier, later = before_and_after(simulated(tmp_path), 6)
    assert earlier == later == {100}


@pytest.mark.parametrize(("terms", "earlier", "later"), [
    (", start: 2024-01-06", set(), {100}),
    (", end: 2024-01-06", {100}, set()),
    (", termination: {date: 2024-01-06}", {100}, set()),
])
def test_nothing_is_taken_outside_the_contracts_term(tmp_path: Path, terms: str, earlier: set[int],
                                                     later: set[int]) -> None:
    assert before_and_after(simulated(tmp_path, terms), 6) == (earlier, later)


@pytest.mark.parametrize(("others", "earlier", "later"), [
    ("c: {kind: reserved, fleet: f, usd_per_gpu_hour: 1, gpus: 60}", {40}, {40}),
    ("c: {kind: reserved, fleet: f, usd_per_gpu_hour: 1, gpus: 60, end: 2024-01-06}", {40}, {100}),
    ("c: {kind: reserved, fleet: f, usd_per_gpu_hour: 1, end: 2024-01-06}", set(), {100}),
    ("c: {kind: reserved, fleet: f, usd_per_gpu_hour: 1, gpus: 60, start: 2023-01-01, term_months: 36,"
     " termination: {date: 2024-01-06}}", {40}, {100}),
    ("c: {kind: lease, fleet: f, usd_per_gpu_hour: 1, term_months: 12}", set(), set()),
    ("c: {kind: take_or_pay, fleet: f, usd_per_gpu_hour: 1, gpus: 25,"
     " start: 2024-01-01}", {75}, {75}),
    ("c: {kind: savings_plan, usd_per_hour: 30, rates: {f: {on_demand_usd_per_gpu_hour: 2,"
     " usd_per_gpu_hour: 1.5}}}", {80}, {80}),
])
def test_what_a_commitment_covers_is_not_taken(tmp_path: Path, others: str, earlier: set[int],
                                               later: set[int]) -> None:
    assert before_and_after(simulated(tmp_path, others=others), 6) == (earlier, later)


def test_a_share_of_the_fleet_on_spot(tmp_path: Path) -> None:
    others = "c: {kind: on_demand, fleet: f, usd_per_gpu_hour: 2}"
    found = taken(simulated(tmp_path, ", share_frac: 0.25", others))
    assert max(gpus for each in found.values() for gpus in each) == 25


def test_a_second_interruption_takes_what_the_first_left(tmp_path: Path) -> None:
    found = taken(simulated(tmp_path, ", interrupted_frac: 0.5", hours=4))
    assert {gpus for each in found.values() for gpus in each} >= {50, 25}
    assert max(gpus for each in found.values() for gpus in each) == 50


def test_gpus_may_be_handed_back_while_they_are_interrupted(tmp_path: Path) -> None:
    sink = simulated(tmp_path, ends=", end: 2024-01-06", hours=48)
    events = sink.table("fact_event").to_pylist()
    assert any(row["kind"] == "returned" and row["time"].day > 6 for row in events)
    rows = sink.table("fact_capacity_hourly").to_pylist()
    assert min(row["rented_gpu_hours"] for row in rows) >= 0
    last = datetime(2024, 1, 7, tzinfo=UTC)
    assert {row["rented_gpu_hours"] for row in rows if row["hour"] >= last} == {0.0}


@pytest.mark.parametrize("terms", [", end: 2024-01-06", ", termination: {date: 2024-01-06}"])
def test_nothing_of_an_interruption_outlasts_its_contract(tmp_path: Path, terms: str) -> None:
    sink = simulated(tmp_path, f"{terms}, restart_s: 36000", hours=30,
                     others="d: {kind: on_demand, fleet: f, usd_per_gpu_hour: 2, start: 2024-01-06}")
    end = datetime(2024, 1, 6, tzinfo=UTC)
    own = [row for row in sink.table("fact_event").to_pylist() if row["thing"] == "fleet/f"]
    assert any(row["kind"] == "interrupted" and row["time"].day == 5 for row in own), "one is open at the end"
    assert max(row["time"] for row in own if row["kind"] == "returned") == end
    assert not [row for row in own if row["kind"] == "restart_start" and row["time"] >= end]
    later = [row for row in sink.table("fact_capacity_hourly").to_pylist() if row["hour"] >= end]
    assert {(row["rented_gpu_hours"], row["healthy_gpu_hours"]) for row in later} == {(100.0, 100.0)}


def test_a_restart_ends_with_its_contract(tmp_path: Path) -> None:
    sink = simulated(tmp_path, ", end: 2024-01-06, restart_s: 500000",
                     others="d: {kind: on_demand, fleet: f, usd_per_gpu_hour: 2, start: 2024-01-06}")
    end = datetime(2024, 1, 6, tzinfo=UTC)
    restarts = [row for row in sink.table("fact_event").to_pylist() if row["kind"].startswith("restart")]
    assert {row["time"] for row in restarts if row["kind"] == "restart_end"} == {end}
    assert all(row["time"] < end for row in restarts if row["kind"] == "restart_start")
