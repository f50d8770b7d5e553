"""Re-billing: a run's own contracts give its own bill, others need no simulation unless capacity changes."""

from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from small_run import SCENARIO, written

import fleetsim as fs
from fleetsim.experiments.metered_run import REPLACED, MeteredRun
from fleetsim.experiments.rebill import rebill
from fleetsim.output.figures import compute_all


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("rebill")).parent


@pytest.fixture(scope="module")
def run(folder: Path) -> fs.Run:
    return fs.simulate(fs.load(folder / "small.yaml"), seed=3, results=folder / "runs")


def total(rows: pa.Table, column: str) -> Decimal:
    return Decimal(pc.sum(rows.column(column)).as_py() or 0)


def test_its_own_contracts_give_its_own_tables(run: fs.Run, folder: Path) -> None:
    again = rebill(run, fs.load(folder / "small.yaml"))
    assert not again.simulated_again
    assert set(again.basis.values()) == {"metered"}
    for name in REPLACED:
        assert again.arrow(name).equals(run.arrow(name)), name
    assert again.figures == run.summary["figures"]


@pytest.mark.parametrize("name", ["list", "mix", "lease", "spot"])
def test_every_figure_is_that_of_the_new_tables(run: fs.Run, folder: Path, name: str) -> None:
    found = rebill(run, folder / f"{name}.yaml")
    _ = found.sql("select 1")
    assert found.figures == compute_all(found._facts)


@pytest.mark.filterwarnings("ignore:.*unassigned-gpus")
def test_parts_of_a_fleet_that_come_later_are_billed_from_then_on(tmp_path: Path) -> None:
    text = SCENARIO.replace("name: small", "name: later")
    for old, new in (
        ("[{date: 2024-02-20, gpus: 100}]", "[{date: 2024-02-20, gpus: 40}, {date: 2024-03-05, gpus: 60}]"),
        ("[{date: 2024-02-20, gpus: 16}]", "[{date: 2024-03-03, gpus: 16}]"),
        ("main: {share_frac: 1.0}", "main: {gpus: 40}"),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "later.yaml").write_text(text)
    own = fs.simulate(fs.load(tmp_path / "later.yaml"), results=tmp_path / "runs")
    rows = own.table("fact_capacity_hourly").groupby(["fleet", "pool"], observed=True)["hour"].count()
    assert rows.nunique() > 1, "some part has fewer rows than there are hours"
    again = rebill(own, fs.load(tmp_path / "later.yaml"))
    for name in REPLACED:
        assert again.arrow(name).equals(own.arrow(name)), name


def test_on_demand_pays_for_what_was_required(run: fs.Run, folder: Path) -> None:
    found = rebill(run, folder / "list.yaml")
    assert found.basis == {"main": "required", "lab": "metered"}
    capacity = run.table("fact_capacity_hourly")
    required = capacity[capacity["fleet"] == "main"]["required_gpu_hours"]
    due = sum(round(Fraction(round(hours * 3_600)) * Fraction("4.10") * 1_000_000 / 3_600)
              for hours in required)
    cost = found.sql("select sum(effective_usd)::decimal(20,6)::varchar as usd from fact_cost_hourly "
                     "where contract = 'by-the-hour' and clause = 'on_demand'")["usd"][0]
    assert Decimal(cost) * 1_000_000 == due
    assert found.figure("fleets.main.usd_per_required_gpu_hour") == pytest.approx(4.10, rel=1e-6)
    assert found.figure("contracts.lab-rent.cost_usd") == run.figure("contracts.lab-rent.cost_usd")


def test_the_table_functions_agree(run: fs.Run, folder: Path) -> None:
    found = rebill(run, folder / "mix.yaml")
    charges = found.arrow("fact_cost_hourly")
    assert total(charges, "billed_usd") == total(found.arrow("fact_invoice_monthly"), "billed_usd")
    assert total(charges, "effective_usd") == total(found.arrow("fact_invoice_monthly"), "effective_usd")
    assert float(total(charges, "effective_usd")) == pytest.approx(found.figure("cost.total_usd"), rel=1e-12)
    serving = found.sql("select sum(effective_usd) as usd from fact_cost_hourly where fleet = 'main'")
    allocated = total(found.arrow("fact_cost_allocation_hourly"), "effective_usd")
    assert float(allocated) == pytest.approx(serving["usd"][0], rel=1e-12)
    assert set(found.table("dim_contract")["contract"]) == {"base", "rest", "lab-rent"}


def test_interruptions_are_simulated_again(run: fs.Run, folder: Path) -> None:
    found = rebill(run, folder / "spot.yaml")
    assert found.simulated_again
    assert found.run.path != run.path
    taken = found.sql("select count(*) as n from fact_event where kind = 'interrupted'")["n"][0]
    assert taken > 0
    rented = found.figure("fleets.main.rented_gpus")
    assert isinstance(rented, float)
    assert rented < 100


SPOT = """\
fleetsim: 1
contracts:
  base: {{kind: reserved, fleet: main, gpus: {gpus}, usd_per_gpu_hour: {usd}, start: 2024-02-20,
         term_months: 1}}
  market: {{kind: spot, fleet: main, usd_per_gpu_hour: 1.0, interruption_mtbf_h: 24, interruption_h: 3}}
"""


def test_what_decides_the_gpus_on_spot_decides_what_is_simulated(run: fs.Run, folder: Path) -> None:
    found = {}
    meter = MeteredRun(run)
    for name, gpus, usd in (("half", 50, 2), ("dearer", 50, 3), ("most", 90, 2)):
        (folder / f"{name}.yaml").write_text(SPOT.format(gpus=gpus, usd=usd))
        found[name] = rebill(run, folder / f"{name}.yaml", meter=meter)
    assert found["half"].run.path == found["dearer"].run.path != found["most"].run.path
    lowest = {name: each.sql("select min(rented_gpu_hours) as low from fact_capacity_hourly "
                             "where fleet = 'main'")["low"][0] for name, each in found.items()}
    assert lowest["half"] < 90 <= lowest["most"]


def test_the_run_keeps_its_name(run: fs.Run, folder: Path) -> None:
    found = rebill(run, folder / "spot.yaml")
    assert found.run.path.parent.name == "small-spot"
    assert found.run.path.parent.parent == run.path.parent.parent
    assert [path.name for path in run.path.parent.iterdir()] == [run.path.name]


def test_a_run_does_not_hold_its_traffic_files(tmp_path: Path) -> None:
    written(tmp_path)
    (tmp_path / "volume.csv").write_text("time,value\n2024-02-20,1.2e6\n2024-03-01,1.3e6\n")
    text = SCENARIO.replace("1.2e6", "{file: volume.csv, time: time, value: value}")
    (tmp_path / "measured.yaml").write_text(f"{text}scenarios: {{spot: {{contracts: spot.yaml}}}}\n")
    own = fs.simulate(fs.load(tmp_path / "measured.yaml"), results=tmp_path / "runs")
    with pytest.raises(fs.UsageError, match="does not hold its traffic files"):
        rebill(own, tmp_path / "spot.yaml")
    found = fs.compare([tmp_path / "measured.yaml"], results=tmp_path / "runs",
                       figures=["traffic.users.messages"])
    first, second = found.rows[0].values
    assert first == second
    assert isinstance(first, int | float)
    assert first > 1e6


def test_a_prepaid_lease_is_cash_now_and_cost_later(run: fs.Run, folder: Path) -> None:
    found = rebill(run, folder / "lease.yaml", meter=MeteredRun(run))
    hours = (366 * 24) * 100
    assert found.figure("contracts.lease.billed_usd") == pytest.approx(1.10 * hours)
    assert found.figure("contracts.lease.cost_usd") == pytest.approx(1.10 * 19 * 24 * 100)
    assert found.figure("cost.prepaid_usd") == pytest.approx(1.10 * (hours - 19 * 24 * 100), rel=1e-9)


def test_another_fleet_needs_a_simulation(run: fs.Run, folder: Path) -> None:
    other = fs.override(fs.load(folder / "small.yaml"), {"fleets.main.tranches.0.gpus": 200})
    with pytest.raises(fs.UsageError, match="other fleets"):
        rebill(run, other)


def test_budgets_stand_beside_what_each_bill_spends(run: fs.Run, folder: Path) -> None:
    own = run.table("fact_budget_monthly").set_index(["budget", "month"])["budget_usd"]
    assert own["compute"].tolist() == pytest.approx([100_000 * 10 / 29, 120_000 * 9 / 31], abs=1e-6)
    spent = run.figure("budgets.compute.spent_usd")
    assert spent == pytest.approx(19 * 24 * 100 * 1.30)
    prepaid = rebill(run, folder / "lease.yaml")
    assert prepaid.figure("budgets.compute.spent_usd") == pytest.approx(19 * 24 * 100 * 1.10)
    assert prepaid.figure("budgets.cash.months_over") == 1
    assert run.figure("budgets.cash.months_over") == 0
