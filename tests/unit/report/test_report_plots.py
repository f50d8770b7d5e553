"""Plots: they say what the tables say, name their units, and give the same bytes every time."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up_run import MadeUpRun
from matplotlib.figure import Figure

from fleetsim.errors import UsageError
from fleetsim.report import plots
from fleetsim.report.plots.style import ALARM, THINGS, colours, compact, save


@pytest.fixture(scope="module")
def year() -> Any:
    return MadeUpRun(90)


@pytest.fixture(scope="module")
def week() -> Any:
    return MadeUpRun(7)


def line(figure: Figure, panel: int, label: str) -> np.ndarray:
    """The heights of a labelled line."""
    found = next(line for line in figure.axes[panel].lines if line.get_label() == label)
    return np.asarray(found.get_ydata(), dtype=float)


@pytest.mark.parametrize("name", [name for name in plots.PLOTS if not name.startswith("training_")])
def test_every_plot_has_a_title_and_units(year: Any, name: str) -> None:
    figure = plots.PLOTS[name](MadeUpRun(7, latency=True) if name in plots.ONLY_WITH else year)
    for ax in figure.axes:
        if ax.get_label() != "<colorbar>":
            assert ax.get_title(loc="left")
        assert ax.get_ylabel()


def test_capacity_shows_demand_over_healthy_gpus(week: Any) -> None:
    figure = plots.capacity(week)
    rows = week.query("""
        select sum(load_offered_gpu_hours) as offered, sum(healthy_gpu_hours) as healthy
        from fact_capacity_hourly where pool = 'chatgpt' group by hour order by hour""").to_pandas()
    demand, healthy = line(figure, 0, "demand"), line(figure, 0, "healthy GPUs")
    np.testing.assert_allclose(demand[:-1], rows["offered"])
    np.testing.assert_allclose(healthy[:-1], rows["healthy"])
    assert demand[-1] == demand[-2], "the last hour is drawn to its end"
    assert figure.axes[0].get_title(loc="left") == (
        "chatgpt: short in 87 hours, first on 2024-03-13 15:00 UTC by 102 GPUs; peak load 109.8 %")
    assert figure.axes[1].get_title(loc="left").startswith("api: never short")


def test_loans_are_in_what_is_there() -> None:
    run: Any = MadeUpRun(days=7)
    rows = run.tables["fact_capacity_hourly"]
    run.connection.register("fact_capacity_hourly", rows.assign(
        lent_gpu_hours=np.where(rows.pool == "api", 100.0, 0.0)))
    chatgpt, api = ([str(line.get_label()) for line in axis.get_lines()]
                    for axis in plots.capacity(run).axes)
    assert "healthy GPUs" in chatgpt
    assert "GPUs there (loans in and out)" in api


def test_capacity_stacks_the_work_of_the_classes(week: Any) -> None:
    figure = plots.capacity(week)
    stacks = {str(area.get_label()): area for area in figure.axes[0].collections}
    assert {"plus", "free_text"} <= set(stacks)
    top = max(point[1] for path in stacks["free_text"].get_paths() for point in path.vertices)
    assert top == pytest.approx(20_000 + 7_840)


def test_a_long_horizon_is_drawn_by_the_fullest_hour_of_each_day(year: Any) -> None:
    demand = line(plots.capacity(year), 0, "demand")
    rows = year.query("""select max(load_offered_gpu_hours) as peak from fact_capacity_hourly
                         where pool = 'chatgpt' group by date_trunc('day', hour) order by 1""").to_pandas()
    assert len(demand) == 90
    np.testing.assert_allclose(np.sort(demand), rows["peak"])


@pytest.mark.parametrize(("days", "period", "points"), [(45, "hour", 45 * 24 + 1), (46, "day", 46),
                                                        (551, "week", 79)])
def test_the_longer_the_horizon_the_longer_the_period(days: int, period: str, points: int) -> None:
    figure = plots.capacity(MadeUpRun(days), pool="api")
    assert len(line(figure, 0, "demand")) == points
    assert period in figure.axes[0].get_ylabel()


def test_a_run_of_one_day_fills_its_axis() -> None:
    for draw in plots.PLOTS.values():
        draw(MadeUpRun(1))
    low, high = plots.capacity(MadeUpRun(1)).axes[0].get_xlim()
    assert high - low == pytest.approx(1.0)


def test_the_plot_of_latency_shows_the_classes_that_are_known_and_is_written_for_them_alone(
        week: Any, tmp_path: Path) -> None:
    known = MadeUpRun(7, latency=True)
    figure = plots.latency(known)
    ttft, tpot = figure.axes
    assert {each.get_text() for each in ttft.get_legend().get_texts()} == {"api_gpt4, p99", "api_gpt4, p50"}
    assert line(figure, 0, "api_gpt4, p50").max() == pytest.approx(0.1)
    longest = [line(figure, panel, "api_gpt4, p99").max() for panel in (0, 1)]
    assert longest[1] == pytest.approx(0.1 * longest[0])
    assert "api_gpt4" in ttft.get_title(loc="left")
    assert tpot.get_ylabel() == "time per output token, s"
    names = [{path.stem for path in plots.write_all(run, tmp_path / name)}
             for name, run in (("known", known), ("unknown", week))]
    assert names[0] - names[1] == {"latency"}


def test_the_plot_of_latency_spans_the_known_hours_and_has_gaps_between_them() -> None:
    run = MadeUpRun(60, latency=True)
    rows = run.tables["fact_latency_hourly"]
    first = pd.Timestamp("2024-01-20T06:00Z")
    at = (rows["hour"] - first) / pd.Timedelta(hours=1)
    run.connection.register("fact_latency_hourly", rows[at.isin([0, 1, 2, 5])])
    figure = plots.latency(run)
    for panel in (0, 1):
        known = line(figure, panel, "api_gpt4, p99")
        assert np.isfinite(known).tolist() == [True] * 3 + [False] * 2 + [True]
        low, high = figure.axes[panel].get_xlim()
        assert high - low == pytest.approx(6 / 24)
    drawn = next(each for each in figure.axes[0].get_lines() if each.get_label() == "api_gpt4, p99")
    assert np.flatnonzero(drawn.get_markevery()).tolist() == [5]  # an hour alone makes no line


def test_surges_are_marked(week: Any) -> None:
    assert [text.get_text() for text in plots.capacity(week).axes[0].texts] == ["apple"]


def test_the_four_counts_never_cross(year: Any) -> None:
    figure = plots.gpu_counts(year)
    for panel in range(2):
        rented, healthy, allocated, busy = (line(figure, panel, name)
                                            for name in ("rented", "healthy", "allocated", "busy"))
        assert (rented >= healthy).all()
        assert (healthy >= allocated).all()
        assert (allocated >= busy).all()


def test_training_has_a_panel_of_its_own_and_no_busy_line(year: Any) -> None:
    axes = plots.gpu_counts(year).axes
    assert [ax.get_title(loc="left").split()[0] for ax in axes] == ["chatgpt", "api", "training"]
    assert "busy" not in {str(found.get_label()) for found in axes[2].lines}


def test_the_heat_map_has_a_cell_per_hour(year: Any) -> None:
    image = plots.utilisation(year).axes[0].images[0].get_array()
    assert image is not None
    assert image.shape == (24, 90)
    row = year.query("""select 100 * busy_gpu_hours / healthy_gpu_hours as percent from fact_capacity_hourly
                        where pool = 'chatgpt' and hour = '2024-02-10 13:00:00+00'""").to_pandas()
    assert image[13, 40] == pytest.approx(row["percent"].iloc[0])


def test_waits_and_losses_are_those_of_the_tables(year: Any) -> None:
    figure = plots.waits(year)
    assert line(figure, 0, "plus").max() == 0
    assert line(figure, 0, "free_text").max() > 1
    totals = year.query("""select sum(messages_abandoned) as lost, sum(messages_arrived) as arrived
                           from fact_traffic_hourly""").to_pandas().iloc[0]
    assert f"{int(totals['lost']):,} of" in figure.axes[1].get_title(loc="left")


def test_savings_go_down_from_list_prices_to_cost(year: Any) -> None:
    figure = plots.savings(year)
    names = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert names == ["list prices", "negotiated", "commitments", "effective cost"]
    tops = [bar.get_y() + bar.get_height() for bar in figure.axes[0].patches]
    listed, negotiated, committed, cost = tops
    assert (negotiated / listed, committed / listed, cost / listed) == pytest.approx(
        (1.50 / 4.10, 1.30 / 4.10, 1.30 / 4.10))
    assert figure.axes[0].get_title(loc="left") == "Effective cost $132.0M, 68.3 % below list prices"


def test_cash_runs_ahead_of_cost_by_what_is_prepaid(year: Any) -> None:
    figure = plots.cash(year)
    billed, effective = (line.get_ydata() for line in figure.axes[0].lines)
    assert billed[-1] == pytest.approx(2 * effective[-1])
    assert figure.axes[0].get_title(loc="left") == "Billed $264.0M, $132.0M prepaid at the end"


def test_cost_adds_up(year: Any) -> None:
    figure = plots.cost(year)
    heights = sum(bar.get_height() for bar in figure.axes[0].patches)
    assert heights == pytest.approx(47_000 * 1.30 * 24 * 90)
    assert figure.axes[0].get_title(loc="left") == "Effective cost $132.0M, 74.5 % of it azure-a100"


def test_a_plot_draws_into_the_callers_axes(week: Any) -> None:
    mine = Figure()
    ax = mine.subplots()
    assert plots.cost(week, ax) is mine
    assert ax.patches


def test_the_same_run_gives_the_same_bytes(week: Any, tmp_path: Path) -> None:
    first = plots.write_all(week, tmp_path / "first")
    second = plots.write_all(week, tmp_path / "second")
    assert [path.name for path in first] == [f"{name}.png" for name in plots.PLOTS
                                           if name not in plots.ONLY_WITH]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()


def test_svg_files_are_the_same_too(week: Any, tmp_path: Path) -> None:
    for name in ("first.svg", "second.svg"):
        save(plots.cost(week), tmp_path / name, "svg")
    assert (tmp_path / "first.svg").read_bytes() == (tmp_path / "second.svg").read_bytes()
    assert b"<svg" in (tmp_path / "first.svg").read_bytes()


def test_nothing_is_written_into_a_run(week: Any) -> None:
    with pytest.raises(UsageError, match="inside the run"):
        plots.write_all(week, week.path / "plots")


def test_colours_are_the_ones_that_everybody_tells_apart() -> None:
    assert len(set(THINGS)) == 8
    assert ALARM not in THINGS


def test_a_class_keeps_its_colour_whatever_its_size() -> None:
    assert colours(["a", "b"])["a"] == colours(["a", "b", "c"])["a"]
    assert len(colours(f"class{index}" for index in range(20))) == 20


@pytest.mark.parametrize(("value", "written"), [(0, "0"), (500, "500"), (290_000, "290k"), (1.25e6, "1.25M"),
                                                (4e9, "4B")])
def test_ticks_are_short(value: float, written: str) -> None:
    assert compact(value) == written
