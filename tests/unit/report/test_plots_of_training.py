"""Plots of training fleets: they say what the tables say, and runs without jobs do not get them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_up_run import MadeUpRun
from matplotlib.figure import Figure

import fleetsim as fs
from fleetsim.report import plots
from fleetsim.report.plots.training_jobs import size_label

TRAINING = [name for name in plots.PLOTS if name.startswith("training_")]
RUN = """\
fleetsim: 1
name: jobs
horizon: {start: 2024-01-01, end: 2024-01-08, step_s: 3600}
fleets:
  lab: {gpu: a100-80gb, provider: azure, role: training, node_mtbf_h: 500, repair_h: 24,
          tranches: [{date: 2024-01-01, gpus: 200}, {date: 2024-01-04, gpus: 60}],
          reliability: {spare_nodes: 1, domain_nodes: 2, domain_mtbf_h: 200}}
  quiet: {gpu: a100-80gb, provider: azure, role: training, node_mtbf_h: null,
          tranches: [{date: 2024-01-01, gpus: 80}]}
contracts:
  rent: {kind: reserved, fleet: lab, usd_per_gpu_hour: 1.30}
  gift: {kind: reserved, fleet: quiet, usd_per_gpu_hour: 0}
training_jobs:
  large: {fleet: lab, gpus: 160, start: 2024-01-03, duration_h: 60, priority: 0, preemptible: false,
          waits_for_repair: true, deadline: 2024-01-07}
  small: {fleet: lab, gpus: 96, start: 2024-01-01, duration_h: 80, priority: 2, software_mtbf_h: 300}
  tiny: {fleet: lab, gpus: 4, start: 2024-01-01, duration_h: 30}
  first: {fleet: quiet, gpus: 80, start: 2024-01-01, duration_h: 48}
  second: {fleet: quiet, gpus: 80, start: 2024-01-02, duration_h: 400}
  never: {fleet: quiet, gpus: 80, start: 2024-01-04, duration_h: 30}
policies:
  p: {kind: priority, fleet: lab}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> fs.Run:
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "jobs.yaml").write_text(RUN)
    return fs.simulate(fs.load(folder / "jobs.yaml"), results=folder / "runs")


def title(figure: Figure, panel: int = 0) -> str:
    return figure.axes[panel].get_title(loc="left")


def one(run: fs.Run, query: str) -> Any:
    """The only value of the query's answer."""
    return run.query(query).column(0)[0].as_py()


@pytest.mark.parametrize("name", TRAINING)
def test_every_plot_has_a_title_and_units(run: fs.Run, name: str) -> None:
    for ax in plots.PLOTS[name](run).axes:
        assert ax.get_title(loc="left")
        assert ax.get_ylabel()


def test_only_runs_with_jobs_get_them(run: fs.Run, tmp_path: Path) -> None:
    assert len(TRAINING) == 4
    with_jobs, without = ({path.stem for path in plots.write_all(each, tmp_path / name)}
                          for each, name in ((run, "with"), (MadeUpRun(3), "without")))
    assert set(TRAINING) <= with_jobs
    assert not set(TRAINING) & without


@pytest.mark.parametrize("name", TRAINING)
def test_a_run_without_jobs_says_so(name: str) -> None:
    texts = [text.get_text() for text in plots.PLOTS[name](MadeUpRun(3)).axes[0].texts]
    assert texts == ["no fleet has training jobs in this run"]


@pytest.mark.parametrize("name", TRAINING)
def test_a_plot_draws_into_the_callers_axes(run: fs.Run, name: str) -> None:
    mine = Figure()
    ax = mine.subplots()
    assert plots.PLOTS[name](run, ax) is mine
    assert ax.get_title(loc="left")


def test_states_are_stacked_up_to_the_rented_gpus(run: fs.Run) -> None:
    figure = plots.training_states(run)
    assert [ax.get_title(loc="left").split(":")[0] for ax in figure.axes] == ["lab", "quiet"]
    areas = figure.axes[0].collections
    assert {"productive", "repair", "spare", "idle"} <= {str(area.get_label()) for area in areas}
    corners = np.concatenate([path.vertices for area in areas for path in area.get_paths()])
    assert corners[:, 1].max() == pytest.approx(260)
    assert corners[:, 0].max() - corners[:, 0].min() == pytest.approx(7)
    useful = run.figure("fleets.lab.productive_frac")
    assert title(figure).startswith(f"lab: {100 * useful:.1f} % of the rented GPU-hours productive; ")


def test_bars_by_state_add_up_to_hours_and_cost(run: fs.Run) -> None:
    figure = plots.training_cost(run)
    widths = {label.get_text(): bar.get_width() for label, bar in
              zip(figure.axes[0].get_yticklabels(), figure.axes[0].patches, strict=True)}
    assert sum(widths.values()) == pytest.approx(100)
    assert widths["lost"] == pytest.approx(100 * run.figure("fleets.lab.lost_frac"))
    cost = 1.30 * 24 * (7 * 200 + 4 * 60)
    each = run.figure("fleets.lab.usd_per_productive_gpu_hour")
    assert title(figure) == f"lab: ${cost:,.0f}, ${each:.4f} per productive GPU-hour"
    productive = next(text.get_text() for text in figure.axes[0].texts
                      if text.get_text().startswith(f"{widths['productive']:.1f} %"))
    assert productive.endswith(f"${cost * widths['productive'] / 100:,.0f}")
    assert title(figure, 1) == "quiet: 13,440 rented GPU-hours, at no cost"
    assert not any("$" in text.get_text() for text in figure.axes[1].texts)


def test_cost_follows_the_states_hour_by_hour(run: fs.Run) -> None:
    from fleetsim.report.plots.training_cost import by_state

    held = by_state(run, "lab").set_index("state")["usd"][
        lambda usd: usd.index.isin(["productive", "checkpointing", "lost", "restarting", "blocked"])].sum()
    of_jobs = float(one(run, "select sum(effective_usd) from fact_training_job"))
    assert held == pytest.approx(of_jobs, rel=1e-6)


def test_named_jobs_have_their_times_and_failures(run: fs.Run) -> None:
    figure = plots.training_jobs(run)
    axis = figure.axes[0]
    failed = one(run, "select sum(failures)::int from fact_training_job")
    done = one(run, "select count(*) from fact_training_job where outcome = 'done'")
    assert title(figure) == f"6 named jobs: {done} done, {failed} failures"
    labels = [label.get_text().replace("\n", " ") for label in axis.get_yticklabels()]
    assert labels == ["never 80 GPUs", "large 160 GPUs", "second 80 GPUs", "tiny 4 GPUs", "small 96 GPUs",
                      "first 80 GPUs"]
    days = one(run, "select epoch(end_time - start_time) / 86400 from fact_training_job where job = 'large'")
    assert [bar.get_width() for bar in axis.patches if bar.get_y() == 1] == pytest.approx([days])
    assert one(run, "select preemptions from fact_training_job where job = 'small'") == 1
    legend = {text.get_text().split(",")[0] for text in axis.get_legend().get_texts()}
    assert legend == {"waits", "holds its GPUs", "failures", "deadline"}


def test_waits_are_those_of_the_table(run: fs.Run) -> None:
    axis = plots.training_jobs(run).axes[1]
    assert [label.get_text() for label in axis.get_xticklabels()] == [
        "1-7\n1 job", "65-512\n5 jobs\n1 never started"]
    heights = [bar.get_height() for bar in axis.patches]
    tenth = one(run, """select quantile_cont(epoch(start_time - submit_time), 0.9)
                        from fact_training_job where gpus > 64""")
    assert 0 < tenth < 86_400.5
    assert heights[:3] == [0, 0, 0]
    assert heights[3] == pytest.approx(tenth)
    found = axis.get_title(loc="left")
    assert found.startswith("Jobs of 65-512 GPUs wait longest: 9 of 10 start within 16 h")


@pytest.mark.parametrize(("low", "label"), [(1, "1-7"), (8, "8"), (9, "9-64"), (4_097, "4,097 and more")])
def test_sizes_are_bins(low: int, label: str) -> None:
    assert size_label(low) == label


def test_failures_are_counted_by_cause(run: fs.Run) -> None:
    figure = plots.training_failures(run)
    failed = one(run, "select count(*) from fact_event where kind like '%_failed'")
    bars = [bar.get_width() for bar in figure.axes[0].patches if bar.get_width()]
    assert failed > 20
    assert sum(bars) == failed
    assert bars == sorted(bars, reverse=True)
    assert title(figure).startswith(f"{failed} failures; nodes go out in ")
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert {"faulty gpu", "domain", "the job's own software"} <= set(names)
