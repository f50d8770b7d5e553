"""From list price to cost: what negotiation and commitments save, and what waste gives back."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleetsim.output.contract_figures import WASTE
from fleetsim.report.numbers import below, usd
from fleetsim.report.plots import data, style

if TYPE_CHECKING:
    from fleetsim.output import Run

_STEPS = f"""
    select coalesce(sum(list_usd), 0)::double as listed,
           coalesce(sum(contracted_usd), 0)::double as contracted,
           coalesce(sum(effective_usd) filter (charge_category = 'Usage' and clause <> 'unused'), 0)::double
               as used,
           coalesce(sum(effective_usd) filter (clause in {WASTE}), 0)::double as unused,
           coalesce(sum(effective_usd), 0)::double as effective
    from fact_cost_hourly
"""


@style.styled
def savings(run: "Run", ax: Axes | None = None) -> Figure:
    """A waterfall: usage at list prices, less negotiated discounts and commitments, plus waste and fees."""
    figure, axes = style.panels(1, ax, height=3.6)
    axis = axes[0]
    row = data.frame(run, _STEPS).iloc[0]
    if not row["listed"] and not row["effective"]:
        style.nothing_to_show(axis, "this run has no charges")
        return figure
    other = row["effective"] - row["used"] - row["unused"]
    changes = [("negotiated", row["contracted"] - row["listed"]),
               ("commitments", row["used"] - row["contracted"]),
               ("unused", row["unused"]), ("fees, credits", other)]
    steps = [("list prices", row["listed"], True),
             *((name, change, False) for name, change in changes if abs(change) >= 1),
             ("effective cost", row["effective"], True)]
    reached = 0.0
    for place, (_, value, whole) in enumerate(steps):
        bottom = 0.0 if whole else reached
        reached = value if whole else reached + value
        colour = style.BLUE if whole else style.GREEN if value <= 0 else style.ALARM
        axis.bar(place, value, bottom=bottom, width=0.7, color=colour)
        top = max(bottom, reached)
        axis.annotate(usd(value), (place, top), xytext=(0, 3), textcoords="offset points", ha="center",
                      va="bottom", fontsize="small")
    axis.set_xticks(range(len(steps)), [name for name, _, _ in steps])
    saved = 1 - row["effective"] / row["listed"] if row["listed"] else 0.0
    axis.set_title(f"Effective cost {usd(row['effective'])}, {below(saved, 'list prices')}")
    style.money_axis(axis, "US dollars")
    axis.set_ylim(top=1.1 * axis.get_ylim()[1])
    return figure
