"""Cost and cash over time: what the hours cost, and what the invoices have asked for."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleetsim.report.numbers import usd
from fleetsim.report.plots import data, style
from fleetsim.report.plots.opening import opening_prepaid_usd

if TYPE_CHECKING:
    from fleetsim.output import Run


@style.styled
def cash(run: "Run", ax: Axes | None = None) -> Figure:
    """Cumulative effective cost and cumulative billed amounts; between them, what is prepaid or owed.

    The billed amounts begin at what was paid ahead before the first recorded hour and is not used up then.
    """
    figure, axes = style.panels(1, ax, height=3.6)
    axis = axes[0]
    rows = data.frame(run, """
        select date_trunc('day', hour) as day, sum(effective_usd)::double as effective,
               sum(billed_usd)::double as billed
        from fact_cost_hourly group by 1 order by 1""")
    if rows.empty:
        style.nothing_to_show(axis, "this run has no charges")
        return figure
    days = np.append(rows["day"], rows["day"].iloc[-1:] + pd.Timedelta(days=1))
    opening = opening_prepaid_usd(run)
    effective = np.append(0.0, rows["effective"].cumsum())
    billed = opening + np.append(0.0, rows["billed"].cumsum())
    axis.plot(days, billed, color=style.ORANGE, label="billed (cash)")
    axis.plot(days, effective, color=style.BLUE, label="effective (cost)")
    axis.fill_between(days, effective, billed, where=(billed > effective).tolist(),
                      color=style.ORANGE, alpha=0.12, linewidth=0, label="prepaid")
    ahead = float(billed[-1] - effective[-1])
    said = "all of it spent" if abs(ahead) < 1 else f"{usd(abs(ahead))} {'prepaid' if ahead > 0 else 'owed'}"
    before = f" on top of {usd(opening)} prepaid before" if opening >= 1 else ""
    axis.set_title(f"Billed {usd(float(billed[-1]) - opening)}{before}, {said} at the end")
    style.money_axis(axis, "US dollars, cumulative")
    style.date_axis(axis, days[0], days[-1])
    style.outside_legend(axis)
    return figure
