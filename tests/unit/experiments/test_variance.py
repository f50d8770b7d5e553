"""Variance: a run against actual costs in a plain file or a FOCUS file."""

from decimal import Decimal
from pathlib import Path

import pytest
from small_run import written

import fleetsim as fs
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


def test_files_that_are_no_actuals(run: fs.Run, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("when,amount\n2024-02-01,3\n")
    with pytest.raises(fs.UsageError, match="need a column"):
        variance(run, wrong)
    with pytest.raises(fs.UsageError, match="no such file"):
        variance(run, tmp_path / "none.csv")
    wrong.write_text("month,billed_usd\nsoon,3\n")
    with pytest.raises(fs.UsageError, match="cannot be read"):
        variance(run, wrong)
