"""Dimensions: one row per thing, labels as columns, the calendar."""

from dataclasses import replace
from datetime import UTC, date, datetime

from tiny_run import tiny_scenario

from fleetsim.model.scenario import Horizon
from fleetsim.output.dimension_tables import DIMENSION_TABLES
from fleetsim.output.dimensions import dimension_rows, labelled_tables
from fleetsim.output.run import Run
from fleetsim.output.tables import TABLES


def test_fleets_with_labels(run: Run) -> None:
    azure, lab = run.arrow("dim_fleet").to_pylist()
    assert (azure["fleet"], azure["gpu"], azure["role"], azure["promised_gpus"]) == (
        "azure", "a100", "serving", 100)
    assert (azure["team"], azure["cost_centre"]) == ("serving", "c1")
    assert (lab["team"], lab["node_mtbf_h"], lab["expected_availability_frac"]) == (None, None, 1.0)


def test_pools_and_what_stands_for_the_rest(run: Run) -> None:
    rows = run.arrow("dim_pool").to_pylist()
    assert [(row["pool"], row["kind"], row["fleets"]) for row in rows] == [
        ("chat", "serving", "azure"), ("api", "serving", "azure"), ("training", "training", None),
        ("unassigned", "unassigned", None)]


def test_contracts_with_their_terms(run: Run) -> None:
    rows = run.arrow("dim_contract").to_pylist()
    assert [row["contract"] for row in rows] == ["azure-a100", "azure-extra", "lab-a100"]
    assert (rows[0]["usd_per_gpu_hour"], rows[0]["bills"], rows[0]["terms"]) == (
        1.3, "committed", '{"kind": "reserved"}')


def test_traffic_classes(run: Run) -> None:
    plus, dev, idle = run.arrow("dim_traffic_class").to_pylist()
    assert [name for name, value in idle.items() if value is not None] == ["run_id", "traffic_class"]
    assert (plus["services"], plus["team"], plus["slo_wait_s"]) == ("gpt", "growth", None)
    assert plus["max_retries"] == 0
    assert (dev["pool"], dev["team"], dev["slo_wait_s"]) == ("api", None, 1.0)


def test_run(run: Run) -> None:
    (row,) = run.arrow("dim_run").to_pylist()
    assert (row["scenario"], row["seed"], row["replication"], row["step_s"]) == ("tiny", 7, 0, 300)
    assert (row["start"], row["end"]) == (datetime(2024, 5, 31, tzinfo=UTC), datetime(2024, 6, 2, tzinfo=UTC))


def test_calendar() -> None:
    horizon = Horizon(start=datetime(2023, 12, 30, tzinfo=UTC), end=datetime(2025, 1, 1, tzinfo=UTC),
                      warmup_days=1)
    rows = dimension_rows(replace(tiny_scenario(), horizon=horizon), seed=0, replication=0,
                          resolution="hour")["dim_date"]
    days = {day: parts for day, *parts in zip(*rows.values(), strict=True)}
    # The warm-up is not recorded, and the end is exclusive.
    assert (min(days), max(days), len(days)) == (date(2023, 12, 31), date(2024, 12, 31), 367)
    assert days[date(2023, 12, 31)] == [2023, 4, 12, 31, 2023, 52, 7, True]
    assert days[date(2024, 2, 29)] == [2024, 1, 2, 29, 2024, 9, 4, False]
    assert days[date(2024, 12, 30)] == [2024, 4, 12, 30, 2025, 1, 1, False]


def test_rows_fit_their_tables() -> None:
    tables = {**TABLES, **labelled_tables(tiny_scenario())}
    rows = dimension_rows(tiny_scenario(), seed=0, replication=0, resolution="hour")
    assert rows.keys() == {table.name for table in DIMENSION_TABLES}
    for name, columns in rows.items():
        assert ["run_id", *columns] == [column.name for column in tables[name].columns]
