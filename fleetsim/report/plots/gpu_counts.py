"""The four GPU counts over time: rented, healthy, allocated, busy; and what was required."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleetsim.report.numbers import percent
from fleetsim.report.plots import data, style

if TYPE_CHECKING:
    import pandas as pd

    from fleetsim.output import Run

LINES = {
    "rented": (style.MUTED, "--", 1.4),
    "healthy": (style.GREEN, "-", 3.4),
    "allocated": (style.INK, ":", 1.4),
    "required": (style.ALARM, "-", 1.5),
    "busy": (style.BLUE, "-", 1.5),
}
"""Colour, dash and width; healthy is wide, because allocated often lies on it."""
BANDS = ("required", "busy")
"""What moves within a day; drawn with the day's range."""


@style.styled
def gpu_counts(run: "Run", ax: Axes | None = None, pool: str | None = None) -> Figure:
    """Rented, healthy, allocated, busy and required GPUs; one panel per pool and GPU type.

    Beyond 45 days lines are daily, beyond 550 weekly means, and bands go from the lowest to the highest
    hour of the period.
    """
    wanted = [(name, gpu) for name, gpu in groups(run) if pool in (None, name)]
    if ax is not None:
        wanted = wanted[:1]
    figure, axes = style.panels(max(1, len(wanted)), ax, height=3.0)
    if not wanted:
        style.nothing_to_show(axes[0], "no GPUs in this run")
    span = data.span(run)
    for axis, (name, gpu) in zip(axes, wanted, strict=False):
        draw_group(axis, span.closed(counts(run, name, gpu, span), "time"), f"{name} on {gpu}", span)
    return figure


def groups(run: "Run") -> list[tuple[str, str]]:
    """(pool, GPU type) pairs, serving pools first, then the largest; types are never added up."""
    rows = data.frame(run, f"""
        select pool, gpu, sum(rented_gpu_hours) as size from fact_capacity_hourly
        group by pool, gpu having sum(rented_gpu_hours) > 0
        order by pool in {data.NOT_POOLS}, size desc, pool, gpu""")
    return [(str(row.pool), str(row.gpu)) for row in rows.itertuples()]


def counts(run: "Run", pool: str, gpu: str, span: data.Span) -> "pd.DataFrame":
    """Mean, lowest and highest count per period: columns rented, rented_low, rented_high, ..."""
    sums = ", ".join(f"sum({name}_gpu_hours) as {name}" for name in LINES)
    spans = ", ".join(f"avg({name}) as {name}, min({name}) as {name}_low, max({name}) as {name}_high"
                      for name in LINES)
    return data.frame(run, f"""
        with hourly as (
            select hour, {sums} from fact_capacity_hourly
            where pool = {data.text(pool)} and gpu = {data.text(gpu)} group by hour)
        select {span.sql} as time, {spans} from hourly group by 1 order by 1""")


def draw_group(ax: Axes, rows: "pd.DataFrame", name_of_group: str, span: data.Span) -> None:
    """One panel."""
    hourly = span.period == "hour"
    shown = [name for name in LINES if rows[name].any()]
    for name in shown:
        colour, line, width = LINES[name]
        if not hourly and name in BANDS:
            ax.fill_between(rows["time"], rows[f"{name}_low"], rows[f"{name}_high"], color=colour, alpha=0.18,
                            linewidth=0)
        ax.plot(rows["time"], rows[name], color=colour, linestyle=line, linewidth=width, label=name,
                zorder=3 if name == "rented" else 2, drawstyle="steps-post" if hourly else "default")
    rented = rows["rented"].sum()
    shares = ", ".join(f"{percent(rows[name].sum() / rented)} {name}"
                       for name in ("healthy", "allocated", "busy") if name in shown)
    ax.set_title(f"{name_of_group}: of the rented GPU-hours, {shares}")
    periods = {"hour": "hourly mean", "day": "daily mean and range", "week": "weekly mean and range"}
    style.count_axis(ax, f"GPUs, {periods[span.period]}")
    style.date_axis(ax, span.start, span.end)
    style.outside_legend(ax)
