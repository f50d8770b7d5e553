"""Comparisons: one simulation for what differs in contracts only, differences, break-even, formats."""

import csv
import io
import json
from pathlib import Path

import pytest
from small_run import written

import fleetsim as fs
from fleetsim.experiments.comparison import BREAK_EVEN, PAYBACK, Comparison
from fleetsim.report.comparison import comparison_csv, comparison_markdown, comparison_text


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("compare")).parent


@pytest.fixture(scope="module")
def comparison(folder: Path) -> Comparison:
    return fs.compare([folder / "small.yaml"], results=folder / "runs", seed=3)


def test_contracts_share_a_run_unless_they_take_capacity(comparison: Comparison) -> None:
    assert comparison.names == ("small", "list", "mix", "spot", "lease")
    assert [each.how for each in comparison.alternatives] == [
        "simulated", "re-billed", "re-billed", "simulated", "re-billed"]
    assert [each.bound for each in comparison.alternatives] == [[], ["main"], ["main"], [], []]


def test_differences_are_to_the_first(comparison: Comparison) -> None:
    row = comparison.row("cost.total_usd")
    assert comparison.rows[-1] is row
    first, *others = row.values
    assert row.differences() == (0.0, *(value - first for value in others))  # type: ignore[operator]  # numbers
    assert row.relative()[1] == pytest.approx(others[0] / first - 1)  # type: ignore[operator]  # numbers


def test_break_even_is_the_use_at_which_by_the_hour_costs_the_same(comparison: Comparison) -> None:
    row = comparison.row(BREAK_EVEN)
    assert row.values[0] == pytest.approx(1.30 / 4.10)
    assert row.values[1] is None
    assert row.values[4] == pytest.approx(1.10 / 4.10)


def test_cash_paid_ahead_does_not_come_back_in_a_month(comparison: Comparison) -> None:
    row = comparison.row(PAYBACK)
    assert row.values[0] is None
    assert row.values[4] == "never"


def test_chosen_figures_only(folder: Path) -> None:
    found = fs.compare([folder / "small.yaml"], results=folder / "runs", seed=3, scenarios=["list"],
                       figures=["fleets.*.rented_gpus", "cost.total_usd"])
    assert [row.figure for row in found.rows] == [
        "fleets.main.rented_gpus", "fleets.lab.rented_gpus", "cost.total_usd"]
    assert found.names == ("small", "list")


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
    text = comparison_text(data)
    assert "list*" in text
    assert "a bound" in text
    assert max(map(len, text.splitlines())) <= 130
    assert text.count("cost.total_usd") >= 1
