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

    The axis spans the hours whose latency is known; a line has gaps where it is not. A point is an hour,
    beyond 45 days a day, beyond 550 a week. Classes of which nothing is known are left out.
    """
    figure, axes = style.panels(2, ax, height=3.0)
    if not has_latency(run):
        for axis in axes:
            style.nothing_to_show(axis, "the latency of no message is known")
        return figure
    span = known_span(run)
    rows = percentiles(run, span)
    names = [name for name in data.classes(run) if (rows["traffic_class"] == name).any()]
    colour = style.colours(names)
    for axis, (metric, words) in zip(axes, PANELS.items(), strict=False):
        draw(axis, rows[rows["metric"] == metric], words, names, colour, span)
    return figure


def known_span(run: "Run") -> data.Span:
    """From the first to the last hour whose latency is known."""
    import pandas as pd

    ends = data.frame(run, "select min(hour) as first, max(hour) as last from fact_latency_hourly")
    return data.Span(ends["first"].iloc[0], ends["last"].iloc[0] + pd.Timedelta(hours=1))


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
        one = with_gaps(rows[rows["traffic_class"] == name], span)
        known = one["p99_s"].notna()
        alone = known & ~known.shift(fill_value=False) & ~known.shift(-1, fill_value=False)
        dots = {"marker": ".", "markevery": alone.to_numpy()} if alone.any() else {}
        ax.plot(one.index, one["p99_s"], color=colour[name], label=f"{name}, p99", **dots)
        ax.plot(one.index, one["p50_s"], color=colour[name], label=f"{name}, p50", linewidth=0.8,
                linestyle="--", **dots)
    ax.set_ylim(0, None)
    ax.set_ylabel(f"{words}, s")
    style.date_axis(ax, span.start, span.end)
    style.outside_legend(ax)


def with_gaps(rows: "pd.DataFrame", span: data.Span) -> "pd.DataFrame":
    """One class's rows by time, with empty ones for the periods in between of which nothing is known."""
    import pandas as pd

    step = {"hour": pd.Timedelta(hours=1), "day": pd.Timedelta(days=1), "week": pd.Timedelta(weeks=1)}
    by_time = rows.set_index("time")[["p50_s", "p99_s"]]
    times = by_time.index
    return by_time.reindex(pd.date_range(times.min(), times.max(), freq=step[span.period]))
