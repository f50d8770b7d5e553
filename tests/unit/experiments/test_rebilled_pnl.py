"""The P&L of a finished run under other charges."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from fleetsim.experiments.pnl import rebilled_pnl
from fleetsim.ledger.charges import Charges, Line
from fleetsim.output.run import Run
from fleetsim.output.sink import TableSink
from fleetsim.runner import simulate
from fleetsim.spec import load
from fleetsim.timebase import epoch_us

TEXT = """\
extends: plan.yaml
name: with-pnl
horizon: {start: 2024-01-30, end: 2024-02-02, step_s: 3600}
surges: null
objectives: null
finance:
  opening_cash_usd: 1e6
  opening_credits_usd: 30_000
  revenue:
    plus: {kind: subscription, subscribers: 40_000, usd_per_month: 20}
    api:
      kind: tokens
      traffic_classes: [free]
      usd_per_million_prompt_tokens: 1
      usd_per_million_output_tokens: 2
  costs:
    staff: {kind: staff, headcount: 40, usd_per_head_per_year: 300_000}
  funding:
    bridge: {date: 2024-02-01, usd: 2e6, as_credits_frac: 0.5}
"""


@pytest.fixture
def run(tmp_path: Path) -> Run:
    from fleetsim.cli.template import TEMPLATE

    (tmp_path / "plan.yaml").write_text(TEMPLATE.replace("{name}", "plan"), encoding="utf-8")
    (tmp_path / "pnl.yaml").write_text(TEXT, encoding="utf-8")
    return simulate(load(tmp_path / "pnl.yaml").scenario, results=tmp_path / "results")


def charged(run: Run, factor: int) -> Charges:
    """The run's charges, each so many times."""
    rows = run.arrow("fact_cost_hourly").to_pylist()
    micro = {name: np.array([int(row[f"{name}_usd"].scaleb(6)) * factor for row in rows], dtype=np.int64)
             for name in ("list", "contracted", "billed", "effective")}
    lines = tuple({Line(*(str(row[name]) for name in Line._fields)): None for row in rows})
    return Charges(
        lines=lines, line=np.array([lines.index(Line(*(str(row[name]) for name in Line._fields)))
                                    for row in rows], dtype=np.int32),
        hour_us=np.array([epoch_us(row["hour"]) for row in rows], dtype=np.int64),
        gpu_s=np.zeros(len(rows), dtype=np.int64),
        **{f"{name}_micro_usd": values for name, values in micro.items()})


def table(run: Run, factor: int) -> list[dict[str, object]]:
    scenario = load(run.path.parents[2] / "pnl.yaml").scenario
    columns = rebilled_pnl(run, scenario, charged(run, factor))
    assert columns is not None
    sink = TableSink(run.run_id)
    sink.write("fact_pnl_monthly", columns)
    rows: list[dict[str, object]] = sink.table("fact_pnl_monthly").to_pylist()
    return rows


def test_with_its_own_charges_it_is_the_runs_own(run: Run) -> None:
    assert table(run, 1) == run.arrow("fact_pnl_monthly").to_pylist()


def test_twice_the_charges_change_compute_credits_and_cash_alone(run: Run) -> None:
    before, after = run.arrow("fact_pnl_monthly").to_pylist(), table(run, 2)
    for old, new in zip(before, after, strict=True):
        if str(old["line"]).startswith("compute/"):
            assert new["accrual_usd"] == 2 * old["accrual_usd"] < 0
            assert new["cash_usd"] == 2 * old["cash_usd"]
        elif str(old["line"]).startswith(("revenue/", "cost/", "funding/")):
            assert new == old
    for rows in (before, after):
        end = [row["cash_balance_usd"] for row in rows if row["line"] == "balance"][-1]
        assert end == Decimal(1_000_000) + sum(row["cash_usd"] for row in rows)


def test_without_finance_there_is_none(run: Run) -> None:
    scenario = replace(load(run.path.parents[2] / "pnl.yaml").scenario, finance=None)
    assert rebilled_pnl(run, scenario, charged(run, 1)) is None
