"""Plots of cost and cash agree with the figures of the run, under contracts with a past."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import fleetsim as fs
from fleetsim.report import plots

RUN = """\
fleetsim: 1
name: money
horizon: {start: 2024-01-01, end: 2024-03-01, step_s: 3600}
fleets:
  main: {gpu: a100-80gb, provider: azure, tranches: [{date: 2024-01-01, gpus: 100}]}
pools:
  chat: {fleets: {main: {share_frac: 1.0}}}
services:
  small: {gpu_s_per_call: 4.0}
traffic:
  users: {pool: chat, service: small, messages_per_day: 1.0e+6, prompt_tokens: {mean: 900, cv: 1},
          output_tokens: {mean: 200, cv: 1}, shape: {kind: consumer, peak_to_mean: 1.3}, patience_s: 30}
finance: {opening_cash_usd: 1.0e+8}
contracts:
  old: {kind: reserved, fleet: main, gpus: 20, usd_per_gpu_hour: 1.1, start: 2023-06-15, term_months: 9,
        payment: {upfront_frac: 0.5}}
  rest: {kind: on_demand, fleet: main, usd_per_gpu_hour: 4.10}
  promise: {kind: enterprise_commitment, fleets: [main], usd: 2.0e+6, start: 2024-01-01, term_months: 1}
"""


def title(figure: Figure) -> str:
    """The only panel's."""
    return figure.axes[0].get_title(loc="left")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> fs.Run:
    folder = tmp_path_factory.mktemp("money")
    (folder / "money.yaml").write_text(RUN)
    return fs.simulate(fs.load(folder / "money.yaml"), results=folder / "runs")


def test_cash_begins_with_what_was_prepaid_before(run: fs.Run) -> None:
    figure = plots.cash(run)
    billed, effective = (line.get_ydata() for line in figure.axes[0].lines)
    opening = 0.5 * 1.1 * 20 * 24 * (31 + 29 + 14)
    assert (billed[0], effective[0]) == (pytest.approx(opening), 0.0)
    left = run.figure("finance.prepaid_usd")
    assert left == pytest.approx(0.5 * 1.1 * 20 * 24 * 14)
    assert billed[-1] - effective[-1] == pytest.approx(left)
    assert title(figure).endswith(" on top of $19,536 prepaid before, $3,696 prepaid at the end")


def test_bars_of_waste_are_the_figure(run: fs.Run) -> None:
    figure = plots.savings(run)
    names = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    heights = dict(zip(names, (bar.get_height() for bar in figure.axes[0].patches), strict=True))
    short = run.sql("select sum(effective_usd) as usd from fact_cost_hourly where clause = 'shortfall'")
    assert short["usd"][0] > 1e6
    assert heights["unused"] == pytest.approx(run.figure("cost.unused_usd"))
    assert "fees, credits" not in heights


def test_a_rounded_invoice_is_at_list_prices(tmp_path: Path) -> None:
    first, last = RUN.index("  old:"), RUN.index("  promise:")
    (tmp_path / "listed.yaml").write_text(
        RUN[:first] + RUN[RUN.index("  rest:"):last].replace("4.10", "4.103717"))
    found = fs.simulate(fs.load(tmp_path / "listed.yaml"), results=tmp_path / "runs")
    cost, at_list = (found.figure(f"cost.{name}_usd") for name in ("total", "list"))
    assert 0 < abs(cost - at_list) < 0.02
    assert title(plots.savings(found)).endswith(", at list prices")


def test_where_matplotlib_keeps_its_fonts_is_not_told(run: fs.Run, tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")
    known = {key: text for key, text in os.environ.items() if not key.startswith(("XDG_", "MPL"))}
    done = subprocess.run(
        [sys.executable, "-m", "fleetsim", "report", run.path, "--plots", tmp_path / "plots"],
        capture_output=True, text=True, check=True, env={**known, "HOME": str(tmp_path / "home")})
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) == len(set(plots.PLOTS) - set(plots.ONLY_WITH))
