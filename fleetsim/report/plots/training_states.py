"""What the GPUs of training fleets did over time: productive, lost, in repair, idle and the rest."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleetsim.report.numbers import percent
from fleetsim.report.plots import data, style

if TYPE_CHECKING:
    import pandas as pd

    from fleetsim.output import Run

STATES = {
    "productive": style.BLUE,
    "checkpointing": style.SKY,
    "restarting": style.YELLOW,
    "lost": style.WINE,
    "blocked": style.PINK,
    "repair": style.ORANGE,
    "maintenance": style.GREY,
    "lent": style.GREEN,
    "spare": "#CCCCCC",
    "idle": "#EAEAEA",
}
"""Colour by state, in the order of the stack: columns `<state>_gpu_hours`, in sum the rented ones."""

NO_FLEET = "no fleet has training jobs in this run"


def has_training(run: "Run") -> bool:
    """Whether a fleet of the run has training jobs."""
    return bool(run.summary.get("training"))


def training_fleets(run: "Run") -> list[str]:
    """Fleets with jobs, in the scenario's order."""
    return list(run.summary.get("training", {}))


def shown_fleets(run: "Run", ax: Axes | None, height: float) -> tuple[Figure, list[tuple[Axes, str]]]:
    """A figure with a panel for each fleet with jobs (with `ax`: the first); says so if there is none."""
    names = training_fleets(run)[: None if ax is None else 1]
    figure, axes = style.panels(max(1, len(names)), ax, height)
    if not names:
        style.nothing_to_show(axes[0], NO_FLEET)
    return figure, list(zip(axes, names, strict=False))


@style.styled
def training_states(run: "Run", ax: Axes | None = None) -> Figure:
    """GPUs by state, stacked up to those that jobs may have: rented, or lent by a pool. A panel per fleet.

    Hourly; beyond 45 days daily, beyond 550 weekly means.
    """
    figure, shown = shown_fleets(run, ax, height=3.4)
    span = data.span(run)
    for axis, fleet in shown:
        draw_fleet(axis, states(run, fleet, span), fleet, span)
    return figure


def states(run: "Run", fleet: str, span: data.Span) -> "pd.DataFrame":
    """Per period: its hours, rented GPU-hours, and a column of mean GPUs per state; of what jobs may have."""
    sums = ", ".join(f"sum({name}_gpu_hours) / count(distinct hour) as {name}" for name in STATES)
    return data.frame(run, f"""
        select {span.sql} as time, count(distinct hour) as hours, sum(rented_gpu_hours) as rented,
            {sums} from fact_capacity_hourly
        where fleet = {data.text(fleet)} and productive_gpu_hours is not null group by 1 order by 1""")


def draw_fleet(ax: Axes, rows: "pd.DataFrame", fleet: str, span: data.Span) -> None:
    """One panel."""
    import pandas as pd

    shown = [name for name in STATES if rows[name].any()]
    closed = pd.concat([rows, rows.iloc[[-1]].assign(time=span.end)])  # the last period as wide as it is
    ax.stackplot(closed["time"], *(closed[name] for name in shown), labels=shown,
                 colors=[STATES[name] for name in shown], linewidth=0, step="post")
    means = {"hour": "hourly mean", "day": "daily mean", "week": "weekly mean"}
    style.count_axis(ax, f"GPUs, {means[span.period]}")
    style.date_axis(ax, span.start, span.end)
    hours = {name: float((rows[name] * rows["hours"]).sum()) for name in shown}
    ax.set_title(finding(fleet, hours, "rented" if rows["rented"].any() else "borrowed"))
    style.outside_legend(ax)


def finding(fleet: str, gpu_hours: dict[str, float], whose: str) -> str:
    """What the panel shows, in a sentence: the useful share and where most of the rest went."""
    whole = sum(gpu_hours.values())
    if not whole:
        return f"{fleet}: no GPUs"
    others = sorted(((hours, name) for name, hours in gpu_hours.items() if name != "productive" and hours),
                    reverse=True)
    rest = ", ".join(f"{percent(hours / whole)} {name}" for hours, name in others[:2])
    useful = percent(gpu_hours.get("productive", 0.0) / whole)
    return f"{fleet}: {useful} of the {whose} GPU-hours productive" + (f"; {rest}" if rest else "")
