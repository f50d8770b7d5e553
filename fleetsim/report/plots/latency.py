"""How long answers take: the time to the first token and per token after it, by traffic class."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleetsim.output.waits import percentile
from fleetsim.report.latency import time as short_time
from fleetsim.report.plots import data, style

if TYPE_CHECKING:
    import pandas as pd

    from fleetsim.output import Run

PANELS = {"ttft": "time to first token", "tpot": "time per output token"}


def has_latency(run: "Run") -> bool:
    """Whether the latency of anything is known."""
    return bool(run.query("select count(*) from fact_latency_hourly").column(0)[0].as_py())


@style.styled
def latency(run: "Run", ax: Axes | None = None) -> Figure:
    """Median and 99th percentile of TTFT (with `ax`: this alone) and TPOT of served messages, by class.

    A point is an hour, beyond 45 days a day, beyond 550 a week. Classes whose services have no latency table
    are left out.
    """
    span = data.span(run)
    figure, axes = style.panels(2, ax, height=3.0)
    rows = percentiles(run, span)
    if rows.empty:
        for axis in axes:
            style.nothing_to_show(axis, "no service of this run has a latency table")
        return figure
    names = [name for name in data.classes(run) if (rows["traffic_class"] == name).any()]
    colour = style.colours(names)
    for axis, (metric, words) in zip(axes, PANELS.items(), strict=False):
        draw(axis, rows[rows["metric"] == metric], words, names, colour, span)
    return figure


def percentiles(run: "Run", span: data.Span) -> "pd.DataFrame":
    """Per period, class and metric: median and 99th percentile, seconds."""
    import pandas as pd

    rows = data.frame(run, f"""
        select {span.sql} as time, traffic_class, metric, latency_low_s, latency_high_s,
            sum(messages)::bigint as messages
        from fact_latency_hourly where metric <> 'e2e' group by all
        order by time, traffic_class, metric, latency_high_s""")
    found = []
    for (time, name, metric), part in rows.groupby(["time", "traffic_class", "metric"], observed=True):
        buckets = list(zip(part["latency_low_s"], part["latency_high_s"], part["messages"], strict=True))
        found.append((time, str(name), str(metric), percentile(buckets, 0.5), percentile(buckets, 0.99)))
    return pd.DataFrame(found, columns=["time", "traffic_class", "metric", "p50_s", "p99_s"])


def draw(ax: Axes, rows: "pd.DataFrame", words: str, names: list[str], colour: dict[str, str],
         span: data.Span) -> None:
    """One metric: the 99th percentile in full, the median thin and dashed."""
    worst = rows.loc[rows["p99_s"].idxmax()]
    ax.set_title(f"Longest {words}: {worst['traffic_class']}, 99 % within "
                 f"{short_time(float(worst['p99_s']))} on {worst['time']:%Y-%m-%d}")
    for name in names:
        one = rows[rows["traffic_class"] == name]
        marker = "." if len(one) < 3 else ""
        ax.plot(one["time"], one["p99_s"], color=colour[name], label=f"{name}, p99", marker=marker)
        ax.plot(one["time"], one["p50_s"], color=colour[name], label=f"{name}, p50", marker=marker,
                linewidth=0.8, linestyle="--")
    ax.set_ylim(0, None)
    ax.set_ylabel(f"{words}, s")
    style.date_axis(ax, span.start, span.end)
    style.outside_legend(ax)
