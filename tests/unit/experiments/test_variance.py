"""Variance: a run against actual costs in a plain file or a FOCUS file."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_run import written

import fleetsim as fs
from fleetsim.experiments.actuals import read_actuals
from fleetsim.experiments.variance import variance
from fleetsim.report.variance import variance_text


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> fs.Run:
    folder = written(tmp_path_factory.mktemp("variance")).parent
    return fs.simulate(fs.load(folder / "small.yaml"), results=folder / "runs")


def test_a_plain_file_by_provider(run: fs.Run, tmp_path: Path) -> None:
    actuals = tmp_path / "actuals.csv"
    actuals.write_text("month,provider,billed_usd\n2024-02-01,azure,40000.50\n2024-03-01,azure,30000\n"
                       "2024-03-01,oracle,12.25\n")
    found = variance(run, actuals)
    assert found.keys == ("provider",)
    months = {(f"{row.month:%Y-%m}", *row.key): (row.simulated_usd, row.actual_usd) for row in found.rows}
    february = Decimal(10 * 24 * 116) * Decimal("1.30")
    assert months["2024-02", "azure"] == (february, Decimal("40000.50"))
    assert months["2024-03", "oracle"] == (0, Decimal("12.25"))
    assert found.total("billed_usd").actual_usd == Decimal("70012.75")
    assert found.total("billed_usd").simulated_usd == Decimal(19 * 24 * 116) * Decimal("1.30")


def test_a_focus_file_has_its_own_names(run: fs.Run, tmp_path: Path) -> None:
    actuals = tmp_path / "focus.csv"
    actuals.write_text("BillingPeriodStart,ProviderName,BilledCost,EffectiveCost\n"
                       "2024-02-01T00:00:00Z,azure,1,2\n2024-03-01T00:00:00Z,azure,3,4\n")
    found = variance(run, actuals)
    assert found.amounts == ["billed_usd", "effective_usd"]
    assert [found.total(amount).actual_usd for amount in found.amounts] == [4, 6]
    text = variance_text(found.as_dict())
    assert "2024-02" in text
    assert "Simulated and actual, billed" in text


def test_months_as_year_and_month_and_names_in_any_case(run: fs.Run, tmp_path: Path) -> None:
    actuals = tmp_path / "actuals.csv"
    actuals.write_text("\ufeffMonth ; Provider;BILLED_USD\n2024-02; Azure ;1.50\n\n"
                       "2024-02-29T23:30:00-01:00;AZURE;2\n", encoding="utf-8")
    found = variance(run, actuals)
    assert {(f"{row.month:%Y-%m}", *row.key): row.actual_usd for row in found.rows} == {
        ("2024-02", "azure"): Decimal("1.50"), ("2024-03", "azure"): Decimal(2)}


def test_what_cannot_be_compared_is_noted(run: fs.Run, tmp_path: Path) -> None:
    actuals = tmp_path / "actuals.csv"
    actuals.write_text("month,provider,billed_usd\n2024-01,azure,10\n2024-02,azurr,20\n2024-03,azure,0\n"
                       "2024-04,azure,5.25\n")
    found = variance(run, actuals)
    assert found.total("billed_usd").actual_usd == 20
    left, *parts, unknown = found.notes
    assert left == ("2 of the 4 rows left out, of months outside the run (2024-02 to 2024-03): "
                    "billed_usd 15.25")
    assert parts == ["the run has 240 of the 696 hours of 2024-02",
                     "the run has 216 of the 744 hours of 2024-03"]
    assert unknown == "the run has no provider 'azurr' (did you mean 'azure'?)"
    assert all(note in variance_text(found.as_dict(), width=200) for note in found.notes)
    actuals.write_text("month,billed_usd\n2023-02,3\n")
    with pytest.raises(fs.UsageError, match="no row is of a month of the run, 2024-02 to 2024-03"):
        variance(run, actuals)


def test_a_month_that_was_not_told_did_not_cost_nothing(run: fs.Run, tmp_path: Path) -> None:
    actuals = tmp_path / "actuals.csv"
    actuals.write_text("month,provider,billed_usd\n2024-02,azure,40000\n")
    found = variance(run, actuals)
    assert [(f"{row.month:%Y-%m}", row.actual_usd, row.difference_usd is None) for row in found.rows] == [
        ("2024-02", 40_000, False), ("2024-03", None, True)]
    february = Decimal(10 * 24 * 116) * Decimal("1.30")
    total = found.total("billed_usd")
    assert (total.simulated_usd, total.difference_usd) == (february, 40_000 - february)
    assert found.notes[0] == "the actuals have no row of 2024-03: left out of the total"
    data = found.as_dict()
    assert [data["rows"][1][f"{name}_usd"] for name in ("actual", "difference")] == [None, None]
    march = next(line.split() for line in variance_text(data).splitlines() if line.startswith("2024-03"))
    assert march[-3:] == ["-", "-", "-"]


def test_a_provider_without_a_row_in_a_month_that_was_told_cost_nothing(run: fs.Run, tmp_path: Path) -> None:
    actuals = tmp_path / "actuals.csv"
    actuals.write_text("month,provider,billed_usd\n2024-02,azure,40000\n2024-03,oracle,5\n")
    found = variance(run, actuals)
    assert {row.key: row.actual_usd for row in found.rows if row.month.month == 3} == {
        ("azure",): 0, ("oracle",): 5}


def test_the_runs_own_focus_file_has_no_variance(run: fs.Run, tmp_path: Path) -> None:
    fs.export(run, "focus", tmp_path / "focus.parquet")
    found = variance(run, tmp_path / "focus.parquet")
    assert found.keys == ("provider", "fleet", "contract")
    assert {row.key for row in found.rows} == {("azure", "main", "rent"), ("azure", "lab", "lab-rent")}
    assert all(row.difference_usd == 0 for row in found.rows)
    assert found.total("effective_usd").actual_usd == Decimal(19 * 24 * 116) * Decimal("1.30")


def test_a_commitment_of_a_focus_file_is_no_contract(run: fs.Run, tmp_path: Path) -> None:
    actuals = tmp_path / "focus.csv"
    actuals.write_text("BillingPeriodStart,BilledCost,CommitmentDiscountName\n2024-02-01,1,anything\n")
    assert variance(run, actuals).keys == ()


@pytest.mark.parametrize(("text", "message"), [
    ("", "paid.csv: is empty"),
    ("\n  \n", "paid.csv: is empty"),
    ("month,billed_usd\n", "paid.csv: has a heading and no rows"),
    ("when,amount\n2024-02-01,3\n", "paid.csv:1: actuals need a column"),
    ("month,Month ,billed_usd\n2024-02,2024-02,3\n", "paid.csv:1: columns 'month' and 'Month ' are both"),
    ("month,billed_usd,BilledCost\n2024-02,2,3\n", "paid.csv:1: columns 'billed_usd' and 'BilledCost'"),
    ("month,billed_usd\n2024-02,1\n01/02/2024,3\n", "paid.csv:3: '01/02/2024' is no month"),
    ("month,billed_usd\nsoon,3\n", "paid.csv:2: 'soon' is no month"),
    ("month,billed_usd\n2024-13,3\n", "paid.csv:2: '2024-13' is no month"),
    ("month,billed_usd\n2024-02,$3\n", "paid.csv:2: billed_usd '$3' is no number"),
    ("month,billed_usd\n2024-02,\n", "paid.csv:2: billed_usd is empty"),
    ("month,billed_usd\n2024-02,nan\n", "paid.csv:2: billed_usd 'nan' is no number"),
    ("month,billed_usd\n2024-02,1,234\n", "paid.csv:2: 3 cells under 2 columns"),
    ("BillingPeriodStart,BilledCost,BillingCurrency\n2024-02-01,1,EUR\n", "paid.csv:2: BillingCurrency is"),
])
def test_a_fault_of_a_file_has_its_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "paid.csv").write_text(text)
    with pytest.raises(fs.UsageError) as caught:
        read_actuals(tmp_path / "paid.csv")
    assert str(caught.value).startswith(f"{tmp_path}/{message}")


def test_all_faults_of_a_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "paid.csv").write_text("month,billed_usd\n" + "x,1\n" * 12)
    with pytest.raises(fs.UsageError) as caught:
        read_actuals(tmp_path / "paid.csv")
    lines = str(caught.value).splitlines()
    assert [line.split(":")[1] for line in lines[:-1]] == [str(number) for number in range(2, 12)]
    assert lines[-1] == "and 2 more"


def test_a_table_of_dates_and_floats(tmp_path: Path) -> None:
    path = tmp_path / "paid.parquet"
    pq.write_table(pa.table({"month": [date(2024, 2, 1), None], "billed_usd": [0.1, 0.2], "list": [[1], []]}),
                   path)
    with pytest.raises(fs.UsageError, match=r"paid.parquet: row 2: '' is no month"):
        read_actuals(path)
    pq.write_table(pa.table({"month": [date(2024, 2, 9)], "billed_usd": [0.1]}), path)
    assert read_actuals(path).rows[0].amounts == (Decimal("0.1"),)
    path.write_text("no table")
    with pytest.raises(fs.UsageError, match="cannot be read as Parquet"):
        read_actuals(path)


def test_a_file_that_is_not_there(run: fs.Run, tmp_path: Path) -> None:
    with pytest.raises(fs.UsageError, match="no such file"):
        variance(run, tmp_path / "none.csv")
