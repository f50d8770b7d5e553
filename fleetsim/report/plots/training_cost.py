"""Where the GPU-hours and the money of training fleets went, by what the GPUs did."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from fleetsim.report.numbers import percent, price, short, usd
from fleetsim.report.plots import data, style
from fleetsim.report.plots.training_states import STATES, shown_fleets

if TYPE_CHECKING:
    import pandas as pd

    from fleetsim.output import Run

NO_GPUS = "no GPUs there"
"""What was paid in hours without a rented GPU."""


@style.styled
def training_cost(run: "Run", ax: Axes | None = None) -> Figure:
    """A bar per state with its share of the fleet's GPU-hours, and what those cost; one panel per fleet.

    A GPU-hour costs what all rented GPU-hours of its fleet share in that hour, whatever their state.
    """
    figure, shown = shown_fleets(run, ax, height=3.4)
    for axis, fleet in shown:
        draw_fleet(axis, by_state(run, fleet), fleet)
    return figure


def by_state(run: "Run", fleet: str) -> "pd.DataFrame":
    """Per state that occurs: GPU-hours and effective US dollars, with what no rented GPU-hour bears last."""
    import pandas as pd

    hours = ", ".join(f"sum({name}_gpu_hours) as {name}" for name in STATES)
    sums = ", ".join(
        f"sum({name}) as {name}_hours, sum(coalesce({name} / nullif(whole, 0) * usd, 0)) as {name}_usd"
        for name in STATES)
    found = data.frame(run, f"""
        with gpus as (
            select hour, sum(rented_gpu_hours) as rented, {hours} from fact_capacity_hourly
            where fleet = {data.text(fleet)} and productive_gpu_hours is not null group by hour),
        fleet as (
            select hour, sum(rented_gpu_hours) as whole from fact_capacity_hourly
            where fleet = {data.text(fleet)} group by hour),
        cost as (
            select hour, sum(effective_usd)::double as usd from fact_cost_hourly
            where fleet = {data.text(fleet)} group by hour),
        joined as (
            select gpus.*, whole, coalesce(usd, 0) as usd
            from gpus join fleet using (hour) left join cost using (hour))
        select {sums}, sum(rented) as rented, sum(usd) filter (where whole = 0) as unused_usd
        from joined""").iloc[0]
    rows = [(name, float(found[f"{name}_hours"]), float(found[f"{name}_usd"])) for name in STATES
            if found[f"{name}_hours"] > 0]
    if found["unused_usd"] > 0:
        rows.append((NO_GPUS, 0.0, float(found["unused_usd"])))
    table = pd.DataFrame(rows, columns=["state", "gpu_hours", "usd"])
    table.attrs["whose"] = "rented" if found["rented"] > 0 else "borrowed"
    return table


def draw_fleet(ax: Axes, rows: "pd.DataFrame", fleet: str) -> None:
    """One panel; the largest bar is on top, and every bar says its share, GPU-hours and dollars."""
    whose = rows.attrs["whose"]
    rows = rows.sort_values("gpu_hours", kind="stable").reset_index(drop=True)
    total, cost = float(rows["gpu_hours"].sum()), float(rows["usd"].sum())
    share = rows["gpu_hours"] / total if total else rows["gpu_hours"]
    ax.barh(rows["state"], 100 * share, color=[STATES.get(name, style.GREY) for name in rows["state"]],
            height=0.72)
    for place, (part, hours, spent) in enumerate(zip(share, rows["gpu_hours"], rows["usd"], strict=True)):
        money = f"  {usd(spent)}" if cost else ""
        ax.annotate(f"{percent(part)}  {short(hours)} GPU-hours{money}", (100 * part, place), xytext=(5, 0),
                    textcoords="offset points", va="center", fontsize=8.5, color=style.INK)
    ax.set_xlim(0, 140)
    ax.set_xticks(range(0, 101, 20))
    ax.xaxis.set_major_formatter(PercentFormatter(decimals=0))
    ax.xaxis.set_tick_params(labelbottom=True)
    ax.set_xlabel(f"share of the {whose} GPU-hours")
    ax.set_ylabel("state of the GPUs")
    ax.grid(False)
    useful = float(rows.loc[rows["state"] == "productive", "gpu_hours"].sum())
    each = f", {price(cost / useful)} per productive GPU-hour" if useful else ""
    ax.set_title(f"{fleet}: {usd(cost)}{each}" if cost
                 else f"{fleet}: {short(total)} {whose} GPU-hours, at no cost")
