"""The summary: decision, verdicts, totals; and the manifest beside it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from tiny_run import START, objective, tiny_blocks, tiny_scenario, write_run

from fleetsim.model.contract import Offer
from fleetsim.model.figure import FIGURES
from fleetsim.model.scenario import PublishedFact
from fleetsim.output.decision import order
from fleetsim.output.run import Run
from fleetsim.output.verdicts import difference_frac, objective_rows

SHORT_AT = datetime(2024, 8, 10, 6, tzinfo=UTC)
OFFER = Offer("a100", Decimal("1.5"), lead_time_days=120)


def test_decision(run: Run) -> None:
    chat = run.summary["pools"]["chat"]
    offers = chat.pop("offers")
    assert chat == {
        "gpu": "a100", "mixed_gpus": False,
        "peak_load_frac": 96 / 72, "peak_load_hour": "2024-06-01T07:00:00Z", "work_without_gpus": False,
        "stock_out_hours": 2, "first_stock_out": "2024-06-01T06:00:00Z",
        "short_gpus_at_first_stock_out": 16.0, "peak_required_gpus": 120.0,
        "peak_required_minus_rented_gpus": 40.0,
    }
    assert offers.keys() == {"soon", "late"}
    assert offers["soon"]["order_by"] == "2024-05-31T18:00:00Z"
    assert run.summary["pools"]["api"]["offers"]["soon"]["order_by"] is None
    assert run.summary["pools"]["api"]["peak_load_hour"] == "2024-05-31T00:00:00Z"


def test_order_in_time() -> None:
    found = order(OFFER, SHORT_AT, START - timedelta(days=100))
    assert found["order_by"] == "2024-04-12T06:00:00Z"
    assert (found["order_by_before_start"], found["expired_by_then"], found["reason"]) == (False, False, None)


def test_order_before_the_start() -> None:
    found = order(OFFER, SHORT_AT, START)
    assert found["order_by_before_start"] is True
    assert found["reason"] == "it had to be signed before the horizon starts"


@pytest.mark.parametrize(("expires", "expired"), [
    (datetime(2024, 4, 11, tzinfo=UTC), True), (datetime(2024, 4, 12, tzinfo=UTC), False),
    (datetime(2024, 4, 12, 6, tzinfo=UTC), True), (datetime(2024, 4, 12, 7, tzinfo=UTC), False),
])
def test_order_after_the_offer_expired(expires: datetime, expired: bool) -> None:
    found = order(replace(OFFER, expires=expires), SHORT_AT, START - timedelta(days=100))
    assert found["expired_by_then"] is expired
    assert (found["reason"] == "the offer has expired by then") is expired


def test_no_order_without_a_shortage() -> None:
    found = order(OFFER, None, START)
    assert (found["order_by"], found["reason"]) == (None, "the pool never runs short")


def test_contracts(run: Run) -> None:
    contract = run.summary["contracts"]["azure-a100"]
    assert contract == {
        "kind": "reserved", "fleet": "azure", "provider": "microsoft", "list_usd": "12480.000000",
        "contracted_usd": "6240.000000", "billed_usd": "6240.000048", "effective_usd": "6240.000000",
        "gpu_hours": 4800.0, "usd_per_gpu_hour": pytest.approx(1.3, rel=1e-15),
    }


def test_totals(run: Run) -> None:
    totals = run.summary["totals"]
    assert totals == run.manifest["totals"]
    assert totals == {
        "rows": str(sum(run.arrow(name).num_rows for name in run.tables)), "billed_usd": "7200.000048",
        "contracted_usd": "7200.000000", "effective_usd": "7200.000000", "list_usd": "14400.000000",
        "rented_gpu_hours": "5280.000",
    }


def test_published(run: Run) -> None:
    rent, saturday = run.arrow("fact_published").to_pylist()
    assert (rent["simulated"], rent["difference_frac"], rent["agrees"]) == (100.0, 0.0, True)
    # Weekends alone: 240 messages a day on 1 June, far above the band of 10 to 20.
    assert (saturday["simulated"], saturday["difference_frac"], saturday["agrees"]) == (240.0, 11.0, False)
    assert [{"run_id": run.run_id, **row} for row in run.summary["published"]] == [rent, saturday]


@pytest.mark.parametrize(("value", "low", "high", "simulated", "expected"), [
    (200, None, None, 210, 0.05), (200, None, None, 190, -0.05), (0, None, None, 0, 0.0),
    (0, None, None, 1, None), (-100, None, None, -110, -0.1), (None, 10, 20, 15, 0.0),
    (None, 10, 20, 9, -0.1), (None, 10, 20, 25, 0.25), (None, None, 20, -5, 0.0), (None, 10, None, 500, 0.0),
    (None, None, 20, 25, 0.25), (None, 10, None, 9, -0.1),
])
def test_difference(value: float | None, low: float | None, high: float | None, simulated: float,
                    expected: float | None) -> None:
    fact = PublishedFact("", "", "cost.total_usd", "input", value=value, low=low, high=high)
    found = difference_frac(fact, simulated)
    assert found == (None if expected is None else pytest.approx(expected, rel=1e-12, abs=0))


def test_objectives(run: Run) -> None:
    assert run.arrow("fact_objective").drop_columns(["run_id"]).to_pylist() == run.summary["objectives"]
    missed, never = run.summary["objectives"]
    assert (missed["value"], missed["simulated"], missed["met"]) == ("0", "2", False)
    assert (never["simulated"], never["met"]) == ("never", True)
    assert run.summary["objectives_met"] is False


@pytest.mark.parametrize(("operator", "met"), [(">=", True), (">", True), ("==", False), ("<=", False),
                                                ("<", False)])
def test_what_never_comes_is_later_than_any_date(run: Run, operator: str, met: bool) -> None:
    wanted = objective("pools.api.first_stock_out", operator, "2024-06-01T00:00:00+00:00")
    (row,) = objective_rows((wanted,), run._facts(run.window))
    assert (row["simulated"], row["met"]) == ("never", met)


def test_another_figure_without_a_value_meets_no_objective(run: Run) -> None:
    wanted = objective("traffic.plus.slo_met_frac", ">=", 0.0)
    (row,) = objective_rows((wanted,), run._facts(run.window))
    assert (row["simulated"], row["met"]) == (None, False)


def test_gpu_hours_without_a_contract_are_said(tmp_path: Path) -> None:
    scenario = tiny_scenario()
    blocks = tiny_blocks()
    gpus = blocks.gpus + np.array([0.0, 3.0, 0.0])
    summary = write_run(tmp_path, scenario, replace(blocks, gpus=gpus)).summary
    assert summary["fleets"] == {"azure": {"uncovered_gpu_hours": 48 * 3.0},
                                 "lab": {"uncovered_gpu_hours": 0.0}}
    assert summary["uncovered_gpu_hours"] == 48 * 3.0


@pytest.mark.parametrize(("operator", "limit", "met"), [
    ("==", "2024-06-01T06:00:00+00:00", True), ("<=", "2024-06-01T06:00:00+00:00", True),
    ("<", "2024-06-01T06:00:00+00:00", False), (">=", "2024-06-01T00:00:00+00:00", True),
    (">", "2024-12-01T00:00:00+00:00", False),
])
def test_objectives_on_times(run: Run, operator: str, limit: str, met: bool) -> None:
    rows = objective_rows((objective("pools.chat.first_stock_out", operator, limit),), run._facts(run.window))
    assert rows[0]["met"] is met


def test_manifest(run: Run) -> None:
    manifest = run.manifest
    assert [metric["name"] for metric in manifest["metrics"]] == [figure.name for figure in FIGURES]
    assert manifest["inputs"] == tiny_scenario().inputs
    assert (manifest["scenario"], manifest["seed"], manifest["currency"]) == ("tiny", 7, "USD")
    cost = next(table for table in manifest["tables"] if table["name"] == "fact_cost_hourly")
    assert cost["primary_key"] == ["run_id", "hour", "fleet", "contract", "charge_category", "clause"]
    assert cost["columns"][-1] == {
        "name": "effective_usd", "type": "decimal128(20,6)", "unit": "USD", "nullable": True,
        "additive": True, "description": "What the hour cost, prepayments spread over what they bought.",
    }
    fleet = next(table for table in manifest["tables"] if table["name"] == "dim_fleet")
    assert [column["name"] for column in fleet["columns"]][-2:] == ["cost_centre", "team"]
