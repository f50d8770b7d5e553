"""What each contract costs, month by month."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleetsim.report.numbers import percent, usd
from fleetsim.report.plots import data, style

if TYPE_CHECKING:
    from fleetsim.output import Run


@style.styled
def cost(run: "Run", ax: Axes | None = None) -> Figure:
    """Effective cost by contract, stacked by calendar month (by day when the run is shorter than 62 days)."""
    import pandas as pd

    figure, axes = style.panels(1, ax, height=3.8)
    axis = axes[0]
    span = data.span(run)
    period = "month" if span.days >= 62 else "day"
    rows = data.frame(run, f"""
        select date_trunc('{period}', hour) as time, contract, sum(effective_usd)::double as usd
        from fact_cost_hourly group by 1, 2 order by 1, 2""")
    if rows.empty:
        style.nothing_to_show(axis, "this run has no contracts")
        return figure
    wide = rows.pivot(index="time", columns="contract", values="usd").fillna(0.0)
    colour = style.colours(data.contracts(run))
    names = [name for name in colour if name in wide.columns]
    starts = pd.DatetimeIndex(wide.index)
    ends = starts + (pd.offsets.MonthBegin(1) if period == "month" else pd.Timedelta(days=1))
    widths = (ends - starts) / pd.Timedelta(days=1)
    below = pd.Series(0.0, index=wide.index)
    for name in names:
        axis.bar(starts, wide[name], bottom=below, width=0.94 * widths, align="edge", color=colour[name],
                 label=f"{name}  {usd(float(wide[name].sum()))}")
        below = below + wide[name]
    total = float(wide.to_numpy().sum())
    largest = wide.sum().idxmax()
    several = len(names) > 1 and total
    share = f", {percent(float(wide[largest].sum()) / total)} of it {largest}" if several else ""
    axis.set_title(f"Effective cost {usd(total)}{share}")
    style.money_axis(axis, f"US dollars per {period}")
    style.date_axis(axis, starts[0], ends[-1])
    style.outside_legend(axis)
    return figure
