"""Who waits how long, and who is lost."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fleetsim.output.waits import percentile
from fleetsim.report.numbers import by_unit, duration, short
from fleetsim.report.plots import data, style

if TYPE_CHECKING:
    import pandas as pd

    from fleetsim.output import Run


@style.styled
def waits(run: "Run", ax: Axes | None = None) -> Figure:
    """The 99th percentile of the wait (with `ax`: this alone) and the lost share, by traffic class.

    A point is an hour, beyond 45 days a day, beyond 550 a week.
    """
    span = data.span(run)
    figure, axes = style.panels(2, ax, height=3.0)
    names = data.classes(run)
    if not names:
        for axis in axes:
            style.nothing_to_show(axis, "nobody asks anything in this run")
        return figure
    colour = style.colours(names)
    draw_waits(axes[0], wait_percentiles(run, span), names, colour, span)
    if len(axes) > 1:
        draw_lost(axes[1], lost_shares(run, span), names, colour, span)
    return figure


def wait_percentiles(run: "Run", span: data.Span) -> "pd.DataFrame":
    """Per period and class: the 99th percentile of the wait of served messages, seconds."""
    import pandas as pd

    rows = data.frame(run, f"""
        select {span.sql} as time, traffic_class, wait_low_s, wait_high_s, sum(messages)::bigint as messages
        from fact_wait_hourly group by all order by time, traffic_class, wait_high_s""")
    found = [
        (time, str(name), percentile(list(zip(part["wait_low_s"], part["wait_high_s"], part["messages"],
                                              strict=True)), 0.99))
        for (time, name), part in rows.groupby(["time", "traffic_class"], observed=True)
    ]
    return pd.DataFrame(found, columns=["time", "traffic_class", "p99_s"])


def lost_shares(run: "Run", span: data.Span) -> "pd.DataFrame":
    """Per period and class: messages lost for good, and first attempts."""
    return data.frame(run, f"""
        select {span.sql} as time, traffic_class, sum(messages_shed + messages_abandoned) as lost,
            sum(messages_arrived) as arrived
        from fact_traffic_hourly group by 1, 2 order by 1, 2""")


def draw_waits(ax: Axes, rows: "pd.DataFrame", names: list[str], colour: dict[str, str],
               span: data.Span) -> None:
    """The panel of waits, on a scale that shows zero and hours at once."""
    waited = rows[rows["p99_s"] > 0]
    if waited.empty:
        ax.set_title(f"Waits: 99 % of every class's messages did not wait, in every {span.period}")
    else:
        worst = waited.loc[waited["p99_s"].idxmax()]
        ax.set_title(f"Longest waits: {worst['traffic_class']}, 99 % of messages within "
                     f"{duration(float(worst['p99_s']))} on {worst['time']:%Y-%m-%d}")
    for name in names:
        one = rows[rows["traffic_class"] == name]
        ax.plot(one["time"], one["p99_s"], color=colour[name], label=name, marker="." if len(one) < 3 else "")
    longest = float(rows["p99_s"].max()) if len(rows) else 0.0
    style.wait_axis(ax, f"wait, p99 of the {span.period}", longest)
    style.date_axis(ax, span.start, span.end)
    style.outside_legend(ax)


def draw_lost(ax: Axes, rows: "pd.DataFrame", names: list[str], colour: dict[str, str],
              span: data.Span) -> None:
    """The panel of lost messages."""
    lost, arrived = int(rows["lost"].sum()), int(rows["arrived"].sum())
    share = lost / arrived if arrived else 0.0
    ax.set_title(f"Lost for good: {short(lost)} of {short(arrived)} messages ({by_unit(share, '1')})" if lost
                 else f"Nobody was lost: all of {short(arrived)} messages were served or still wait")
    for name in names:
        one = rows[rows["traffic_class"] == name]
        ax.plot(one["time"], 100 * one["lost"] / one["arrived"].where(one["arrived"] > 0), color=colour[name],
                label=name, marker="." if len(one) < 3 else "")
    ax.set_ylim(0, None if lost else 1)
    ax.yaxis.set_major_formatter(PercentFormatter(decimals=None))
    ax.set_ylabel(f"lost, % of the {span.period}'s messages")
    style.date_axis(ax, span.start, span.end)
    style.outside_legend(ax)
