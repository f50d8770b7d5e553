"""Capacity against demand: the work of each traffic class under the GPUs that are there."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleetsim.report.numbers import count, instant, percent
from fleetsim.report.plots import data, style

if TYPE_CHECKING:
    import pandas as pd

    from fleetsim.output import Run


@style.styled
def capacity(run: "Run", ax: Axes | None = None, pool: str | None = None) -> Figure:
    """Busy GPUs by traffic class, demand, and healthy and rented GPUs over time; surges are marked.

    One panel per pool, or `pool` alone (the largest one when `ax` is given). Beyond 45 days every day,
    beyond 550 every week, is drawn by its fullest hour. Where a pool spans GPU types, all is in GPUs of
    its first fleet.
    """
    names = [pool] if pool else data.pools(run)
    if ax is not None:
        names = names[:1]
    figure, axes = style.panels(max(1, len(names)), ax)
    if not names:
        style.nothing_to_show(axes[0], "no pool serves traffic in this run")
    colour = style.colours(data.classes(run))
    for axis, name in zip(axes, names, strict=False):
        draw_pool(run, axis, name, colour)
    return figure


def draw_pool(run: "Run", ax: Axes, pool: str, colour: dict[str, str]) -> None:
    """One pool's panel."""
    span = data.span(run)
    hours = pool_hours(run, pool, span)
    work = span.closed(class_work(run, pool, hours))
    hours = span.closed(hours, "hour")
    types = data.gpu_types(run, pool)
    one_type = len(types) == 1
    if not one_type:
        done = hours[["offered", "capacity"]].min(axis=1)
        work = work.mul((done / work.sum(axis=1)).fillna(0.0), axis=0)
    step: Literal["post"] | None = "post" if span.period == "hour" else None
    drawn: Literal["steps-post", "default"] = "steps-post" if step else "default"
    shown = sorted((name for name in colour if name in work.columns), key=lambda name: -work[name].sum())
    ax.stackplot(hours["hour"], *(work[name] for name in shown), labels=shown,
                 colors=[colour[name] for name in shown], alpha=0.85, linewidth=0, step=step)
    done = work.sum(axis=1)
    short = hours["offered"] > hours["capacity"]
    if short.any():
        ax.fill_between(hours["hour"], done, hours["offered"].clip(lower=done), where=short, hatch="////",
                        step=step, facecolor="none", edgecolor=style.ALARM, linewidth=0,
                        label="demand not met")
    ax.plot(hours["hour"], hours["offered"], color=style.INK, linewidth=1.1, label="demand",
            drawstyle=drawn)
    ax.plot(hours["hour"], hours["capacity"], color=style.ALARM, linewidth=1.6, drawstyle=drawn,
            label="GPUs there (loans in and out)" if hours["on_loan"].any() else "healthy GPUs")
    if one_type:
        ax.plot(hours["hour"], hours["rented"], color=style.MUTED, linestyle="--", linewidth=1.2,
                label="rented GPUs", drawstyle=drawn)
    when = "hourly" if span.period == "hour" else f"fullest hour of each {span.period}"
    style.count_axis(ax, f"{types[0]} GPUs, {when}")
    style.date_axis(ax, span.start, span.end)
    mark(run, ax)
    ax.set_title(finding(pool, run.summary["pools"][pool]))
    style.outside_legend(ax)


def pool_hours(run: "Run", pool: str, span: data.Span) -> "pd.DataFrame":
    """The fullest hour of each period: rented GPUs; offered work and capacity in first-fleet GPUs."""
    return data.frame(run, f"""
        select hour, sum(rented_gpu_hours) as rented, sum(load_offered_gpu_hours) as offered,
            sum(load_capacity_gpu_hours) as capacity,
            sum(lent_gpu_hours + borrowed_gpu_hours) as on_loan
        from fact_capacity_hourly where pool = {data.text(pool)} group by hour
        qualify row_number() over (partition by {span.sql} order by offered desc, hour) = 1 order by hour""")


def class_work(run: "Run", pool: str, hours: "pd.DataFrame") -> "pd.DataFrame":
    """Busy GPUs by traffic class (columns) in these hours (rows, in the same order)."""
    rows = data.frame(run, f"""
        select hour, traffic_class, sum(busy_gpu_hours) as busy from fact_traffic_hourly
        where pool = {data.text(pool)} group by hour, traffic_class""")
    wide = rows.pivot(index="hour", columns="traffic_class", values="busy").reindex(hours["hour"])
    wide.index = hours.index
    return wide.fillna(0.0)


def mark(run: "Run", ax: Axes) -> None:
    """A dotted line and a name at each surge and outage."""
    box = {"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 1}
    for index, found in enumerate(data.marks(run)):
        ax.axvline(found.time, color=style.INK, linewidth=0.9, linestyle=":")
        ax.annotate(found.label, (found.time, 1.0), xycoords=("data", "axes fraction"),
                    xytext=(3, -10 - 11 * (index % 3)), textcoords="offset points", fontsize=8,
                    color=style.INK, bbox=box)


def finding(pool: str, decision: Mapping[str, Any]) -> str:
    """What the panel shows, in a sentence, from the pool's part of the summary."""
    load = percent(decision["peak_load_frac"])
    hours = decision["stock_out_hours"]
    if hours == 0:
        return f"{pool}: never short; fullest hour {instant(decision['peak_load_hour'])} UTC at load {load}"
    by = count(decision["short_gpus_at_first_stock_out"])
    return (f"{pool}: short in {count(hours)} {'hour' if hours == 1 else 'hours'}, first on "
            f"{instant(decision['first_stock_out'])} UTC by {by} GPUs; peak load {load}")
