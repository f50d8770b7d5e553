"""Comparisons: one simulation for what differs in contracts only, differences, break-even, formats."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from small_run import SCENARIO, written

import fleetsim as fs
from fleetsim.experiments.comparison import BREAK_EVEN, PAYBACK, Comparison, Row
from fleetsim.report.comparison import (
    LABEL,
    comparison_csv,
    comparison_markdown,
    comparison_text,
    folded,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("compare")).parent


@pytest.fixture(scope="module")
def comparison(folder: Path) -> Comparison:
    return fs.compare([folder / "small.yaml"], results=folder / "runs", seed=3)


def test_contracts_share_a_run_unless_they_take_capacity(comparison: Comparison) -> None:
    assert comparison.names == ("small", "list", "mix", "spot", "lease")
    assert [each.how for each in comparison.alternatives] == [
        "simulated", "re-billed", "re-billed", "simulated again", "re-billed"]
    assert [each.bound for each in comparison.alternatives] == [[], ["main"], ["main"], ["main"], []]
    assert comparison.notes[0].startswith("* list, mix, spot: a bound")
    assert comparison.notes[1].startswith("spot: simulated again")


def test_hours_in_a_make_up_bank_are_told(folder: Path, tmp_path: Path) -> None:
    """What is paid short of the minimum and not taken yet is no cost, which the total alone would hide."""
    file = tmp_path / "banked.yaml"
    file.write_text("fleetsim: 1\nname: banked\ncontracts:\n  pay: {kind: take_or_pay, fleet: main, "
                    "usd_per_gpu_hour: 1.5, minimum_frac: 0.95, make_up_months: 6}\n")
    compared = fs.compare([folder / "small.yaml", file], results=folder / "runs", seed=3)
    banked = compared.alternatives[-1].banked_usd
    assert float(banked) == pytest.approx(compared.row("cost.prepaid_usd").values[-1], abs=0.01)
    assert banked > 0
    assert f"banked: ${banked:,.0f} of what was billed is for make-up hours" in " ".join(compared.notes)


def test_spot_is_billed_on_what_was_required(comparison: Comparison) -> None:
    spot = comparison.alternatives[3].result
    rows = spot.sql("""
        select sum(required_gpu_hours) as required from fact_capacity_hourly where fleet = 'main'""")
    assert spot.figure("contracts.market.gpu_hours") == pytest.approx(rows["required"][0], abs=0.1)
    rented, base = (comparison.row("fleets.main.rented_gpus").values[k] for k in (3, 0))
    assert isinstance(rented, float)
    assert isinstance(base, float)
    assert rented < base


def test_differences_are_to_the_first(comparison: Comparison) -> None:
    row = comparison.row("cost.total_usd")
    assert comparison.rows[-1] is row
    first, *others = (value for value in row.values if isinstance(value, float))
    assert row.differences() == (0.0, *(value - first for value in others))
    assert row.relative()[1] == pytest.approx(others[0] / first - 1)


def test_a_larger_loss_is_worse_by_so_many_percent() -> None:
    row = Row("finance.net_result_usd", "USD", "higher", (-4.0, -7.0, -3.0, None))
    assert row.relative() == (0.0, -0.75, 0.25, None)


def test_break_even_is_the_use_at_which_by_the_hour_costs_the_same(comparison: Comparison) -> None:
    row = comparison.row(BREAK_EVEN)
    assert row.values[0] == pytest.approx(1.30 / 4.10)
    assert row.values[1] is None
    assert row.values[4] == pytest.approx(1.10 / 4.10)


def test_cash_paid_ahead_does_not_come_back_in_a_month(comparison: Comparison) -> None:
    row = comparison.row(PAYBACK)
    assert row.values[0] is None
    assert row.values[4] == "never"


def test_the_same_cash_flow_has_no_payback(folder: Path) -> None:
    (folder / "same.yaml").write_text(
        "fleetsim: 1\nname: same\ncontracts:\n"
        "  other-name: {kind: reserved, fleet: main, usd_per_gpu_hour: 1.30, list_usd_per_gpu_hour: 9}\n")
    files = [folder / name for name in ("small.yaml", "same.yaml", "lease.yaml")]
    found = fs.compare(files, results=folder / "runs", seed=3, scenarios=["list"])
    assert found.row(PAYBACK).values == (None, "never", None, "never")


def test_gpu_hours_without_a_contract_are_said(folder: Path) -> None:
    (folder / "part.yaml").write_text(
        "fleetsim: 1\nname: part\ncontracts:\n"
        "  part: {kind: reserved, fleet: main, gpus: 40, usd_per_gpu_hour: 1.0, start: 2024-02-20, "
        "term_months: 12}\n")
    files = [folder / name for name in ("small.yaml", "part.yaml", "lease.yaml")]
    found = fs.compare(files, results=folder / "runs", seed=3, scenarios=["list"])
    assert found.names == ("small", "list", "part", "lease")
    bare = 60 * 19 * 24
    assert found.row("fleets.main.uncovered_gpu_hours").values == (0.0, 0.0, bare, 0.0)
    assert found.row(BREAK_EVEN).values[2] is None
    assert found.row(PAYBACK).values[2] is None
    data = found.as_dict()
    assert f"! part: {bare:,} GPU-hours without a contract" in found.notes[-1]
    total = next(line for line in comparison_text(data, width=160).splitlines() if "cost.total_usd" in line)
    assert total.count("!") == 1
    assert comparison_markdown(data).count("!") == 2


def test_what_was_required_and_no_contract_bills_is_said(folder: Path) -> None:
    (folder / "share.yaml").write_text(
        "fleetsim: 1\nname: share\ncontracts:\n"
        "  share: {kind: spot, fleet: main, usd_per_gpu_hour: 1.0, share_frac: 0.25}\n")
    found = fs.compare([folder / "small.yaml", folder / "share.yaml"], results=folder / "runs", seed=3,
                       scenarios=["list"], figures=["fleets.main.uncovered_gpu_hours"])
    run = found.alternatives[0].run
    required = run.sql("select sum(required_gpu_hours) as r from fact_capacity_hourly where fleet = 'main'")
    assert found.rows[0].values[:2] == (0.0, 0.0)
    assert found.rows[0].values[2] == pytest.approx(0.75 * required["r"][0], rel=1e-4)


def test_only_the_same_hours_are_compared(folder: Path) -> None:
    (folder / "longer.yaml").write_text(
        SCENARIO.replace("name: small", "name: longer").replace("2024-03-10", "2024-03-11"))
    with pytest.raises(fs.UsageError, match="only the same hours can be compared"):
        fs.compare([folder / "small.yaml", folder / "longer.yaml"], results=folder / "runs", seed=3)
    assert not (folder / "runs" / "longer").exists()
    runs = [fs.simulate(fs.load(folder / f"{name}.yaml"), seed=3, results=folder / "runs")
            for name in ("small", "longer")]
    with pytest.raises(fs.UsageError, match="2024-03-11"):
        fs.compare(runs)


@pytest.mark.parametrize("changed", [
    {"seed": 1}, {"scenarios": ["list"]}, {"overrides": ["fleets.main.gpu=h100-80gb"]}])
def test_a_run_stays_as_it_is(folder: Path, changed: dict[str, Any]) -> None:
    run = fs.simulate(fs.load(folder / "small.yaml"), seed=3, results=folder / "runs")
    for things in ([run.path, folder / "list.yaml"], [run, run]):
        with pytest.raises(fs.UsageError, match="a finished run stays as it is"):
            fs.compare(things, results=folder / "runs", **changed)


def test_chosen_figures_only(folder: Path) -> None:
    found = fs.compare([folder / "small.yaml"], results=folder / "runs", seed=3, scenarios=["list"],
                       figures=["fleets.*.rented_gpus", "cost.total_usd"])
    assert [row.figure for row in found.rows] == [
        "fleets.main.rented_gpus", "fleets.lab.rented_gpus", "cost.total_usd"]
    assert found.names == ("small", "list")


def test_training_is_compared_by_its_work(folder: Path, tmp_path: Path) -> None:
    """The same job, saved every hour or every day."""
    scenario = fs.override(fs.load(folder / "small.yaml"), {
        "fleets.lab.node_mtbf_h": 100,
        "training_jobs": {"run": {"fleet": "lab", "gpus": 8, "start": "2024-02-21", "duration_h": 415,
                                  "checkpoint": {"rule": "fixed", "interval_s": 3600, "write_s": 60}}}})
    rare = fs.override(scenario, {"training_jobs.run.checkpoint.interval_s": 86_400})
    found = fs.compare([scenario, rare], results=tmp_path)
    names = [row.figure for row in found.rows]
    for name in ("fleets.lab.productive_frac", "fleets.lab.usd_per_productive_gpu_hour",
                 "training_jobs.run.end", "training_jobs.run.cost_usd"):
        assert name in names
        assert names.index(name) < names.index("cost.total_usd")


def test_contract_files_and_runs(folder: Path) -> None:
    run = fs.simulate(fs.load(folder / "small.yaml"), seed=3, results=folder / "runs")
    found = fs.compare([run.path, folder / "list.yaml"], results=folder / "runs")
    whole = fs.compare([folder / "small.yaml"], results=folder / "runs", seed=3, scenarios=["list"])
    assert found.row("cost.total_usd").values == whole.row("cost.total_usd").values
    with pytest.raises(fs.UsageError, match="name a scenario or a run"):
        fs.compare([folder / "list.yaml", run.path])
    with pytest.raises(fs.UsageError, match="nothing to compare"):
        fs.compare([run.path])
    with pytest.raises(fs.UsageError, match="no figure"):
        fs.compare([run.path, folder / "list.yaml"], figures=["cost.totals"])


def test_the_same_numbers_in_every_format(comparison: Comparison) -> None:
    data = json.loads(json.dumps(comparison.as_dict(), allow_nan=False))
    rows = {row["figure"]: row for row in data["rows"]}
    table = list(csv.DictReader(io.StringIO(comparison_csv(data))))
    assert [row["figure"] for row in table] == list(rows)
    for row in table:
        for name in comparison.names:
            value = rows[row["figure"]]["values"][name]
            assert row[name] == ("" if value is None else str(value))
    frame = comparison.table()
    assert frame.loc["cost.total_usd", "list"] == rows["cost.total_usd"]["values"]["list"]
    markdown = comparison_markdown(data)
    assert markdown.count("\n| ") == len(rows)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_text_keeps_to_its_width_and_to_whole_words(comparison: Comparison, width: int) -> None:
    data = comparison.as_dict()
    text = comparison_text(data, width=width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert "list*" in text
    words = " ".join(lines).split()
    for note in (*data["notes"], *(row["meaning"] for row in data["rows"] if "." not in row["figure"])):
        assert note in " ".join(words)
    for row in data["rows"]:
        assert folded(row["figure"], LABEL).split("\n")[0] in words


def test_long_names_go_on_after_a_point_or_a_dash() -> None:
    name = "fleets.azure-inference.usd_per_required_gpu_hour"
    assert folded(name, 34).split("\n") == ["fleets.azure-inference.usd_per_", "required_gpu_hour"]
    assert folded("short", 34) == "short"
    assert folded("azure-reserved-3y-upfront", 18).split("\n") == ["azure-reserved-3y-", "upfront"]
    assert folded("a" * 40, 18) == "a" * 40


BANK = "  bank: {kind: take_or_pay, fleet: main, usd_per_gpu_hour: 1, make_up_months: 2"


@pytest.mark.parametrize(("terms", "bare"), [("}", 0.0), (", gpus: 40, start: 2024-02-20}", 60 * 19 * 24)])
def test_what_goes_into_a_make_up_bank_has_a_contract(folder: Path, terms: str, bare: float) -> None:
    (folder / "bank.yaml").write_text(f"fleetsim: 1\nname: bank\ncontracts:\n{BANK}{terms}\n")
    found = fs.compare([folder / name for name in ("small.yaml", "bank.yaml")], results=folder / "runs",
                       seed=3, scenarios=["list"])
    bank, run = found.alternatives[2], found.alternatives[0].run
    capacity = run.sql("select sum(rented_gpu_hours - allocated_gpu_hours) as idle from fact_capacity_hourly "
                       "where fleet = 'main'")
    idle = capacity["idle"][0]
    assert idle > 1, "some paid GPU-hours are not taken"
    assert bank.uncovered_gpu_hours == pytest.approx(bare and bare - idle)
    assert (found.row(BREAK_EVEN).values[2] is None) == (bare > 0)
