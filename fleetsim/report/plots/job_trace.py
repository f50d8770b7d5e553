"""A trace of jobs: GPU-hours submitted over time, and who holds them by size."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, PercentFormatter

from fleetsim.report.plots import style
from fleetsim.report.plots.trace import NS_PER_S, directory_of, round_bins

if TYPE_CHECKING:
    from fleetsim.spec.trace import JobTrace


@style.styled
def job_trace(jobs: "JobTrace") -> Figure:
    """GPU-hours submitted over time, stacked by outcome, above the cumulative shares by size."""
    figure = Figure(figsize=(11, 7.4), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
    above, below = figure.subplots(2, 1)
    draw_submitted(above, jobs)
    draw_sizes(below, jobs)
    return figure


def draw_submitted(axis: Axes, jobs: "JobTrace") -> None:
    """GPU-hours of the jobs that are submitted in bins of a round length."""
    import numpy as np

    span_s = max(jobs.span_s, 1.0)
    bin_s, unit_s, unit = round_bins(span_s)
    edges = np.arange(0, span_s + bin_s, bin_s)
    seconds, names = jobs.submit_ns / NS_PER_S, jobs.states.names
    hours = []
    for number in range(len(names)):
        own = jobs.states.index == number
        hours.append(np.histogram(seconds[own], edges, weights=jobs.gpu_hours[own])[0])
    colour = style.colours(names)
    axis.stackplot(edges / unit_s, [np.append(each, each[-1]) for each in hours], labels=names,
                   colors=[colour[name] for name in names], step="post", linewidth=0)
    axis.set_title(f"GPU-hours of jobs submitted in bins of {bin_s:,.4g} s, by outcome")
    axis.set_xlim(0, span_s / unit_s)
    axis.set_xlabel(f"{unit} from the first submission")
    style.count_axis(axis, "GPU-hours")
    if 1 < len(names) <= len(style.THINGS):
        style.outside_legend(axis)


def draw_sizes(axis: Axes, jobs: "JobTrace") -> None:
    """Share of jobs, and of GPU-hours, with at most so many GPUs."""
    import numpy as np

    sizes, place = np.unique(jobs.gpus, return_inverse=True)
    for label, weights, colour in (("jobs", None, style.BLUE), ("GPU-hours", jobs.gpu_hours, style.ORANGE)):
        share = np.cumsum(np.bincount(place, weights))
        axis.step(sizes, share / share[-1], where="post", color=colour, label=label)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: style.compact(value)))
    axis.set_ylim(0, 1)
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.set_title("Jobs and GPU-hours with at most so many GPUs")
    axis.set_xlabel("GPUs of a job")
    axis.set_ylabel("share")
    style.outside_legend(axis)


def write_job_plot(jobs: "JobTrace", directory: Path, format_: Literal["png", "svg"] = "png") -> Path:
    """Writes `job_trace.png` into `directory` (made when it is not there) and returns its path."""
    path = directory_of(directory) / f"job_trace.{format_}"
    style.save(job_trace(jobs), path, format_)
    return path
