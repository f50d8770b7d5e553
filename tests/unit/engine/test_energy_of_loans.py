"""Electricity when a pool works on another one's GPUs: they add up to the fleet and its power bill."""

from pathlib import Path

import pytest

import fleetsim as fs
from fleetsim.output.run import Run

BORROW = Path(__file__).parents[3] / "workloads" / "examples" / "borrow.yaml"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    scenario = fs.load(BORROW)
    owned = fs.override(scenario, {"contracts.azure": None, "contracts.own": {
        "kind": "owned", "fleet": "azure", "capex_usd_per_gpu": 10_000, "usd_per_kwh": 0.10}})
    return fs.simulate(owned, seed=1, results=tmp_path_factory.mktemp("loans") / "results")


def test_idle_gpus_are_counted_once_however_they_are_lent(run: Run) -> None:
    """100 GPUs: what is busy draws the rated power, the rest idles, whoever works on them."""
    fleet = run.query("select sum(rented_gpu_hours) as rented, sum(busy_gpu_hours) as busy, "
                      "sum(energy_kwh) as kwh from fact_capacity_hourly").to_pylist()[0]
    scenario = fs.load(BORROW)
    spec, gpu = scenario.fleets["azure"], scenario.gpus["a100-80gb"]
    watts = fleet["busy"] * gpu.prefill_w + (fleet["rented"] - fleet["busy"]) * gpu.idle_w
    assert fleet["kwh"] == pytest.approx(watts * spec.pue / 1_000, rel=1e-9)


def test_a_pool_that_borrows_draws_what_its_work_adds(run: Run) -> None:
    rows = {row["pool"]: row for row in run.query(
        "select pool::varchar as pool, sum(rented_gpu_hours) as rented, sum(busy_gpu_hours) as busy, "
        "sum(energy_kwh) as kwh from fact_capacity_hourly group by pool").to_pylist()}
    assert rows["chat"]["busy"] > rows["chat"]["rented"]
    scenario = fs.load(BORROW)
    spec, gpu = scenario.fleets["azure"], scenario.gpus["a100-80gb"]
    for row in rows.values():
        watts = row["rented"] * gpu.idle_w + row["busy"] * (gpu.prefill_w - gpu.idle_w)
        assert row["kwh"] == pytest.approx(watts * spec.pue / 1_000, rel=1e-9)


def test_the_power_bill_is_the_energy_of_the_table(run: Run) -> None:
    kwh = run.query("select sum(energy_kwh) as kwh from fact_capacity_hourly").to_pylist()[0]["kwh"]
    due = run.query("select sum(billed_usd) as usd from fact_cost_hourly where clause = 'power'").to_pylist()
    assert float(due[0]["usd"]) == pytest.approx(0.10 * kwh, abs=1e-4)  # whole watt-hours
