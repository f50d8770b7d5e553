"""What failed on training fleets, by cause."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fleetsim.report.numbers import count, counted, percent
from fleetsim.report.plots import data, style
from fleetsim.report.plots.training_states import NO_FLEET, has_training

if TYPE_CHECKING:
    import pandas as pd

    from fleetsim.output import Run

KINDS = {
    "node_failed": ("a node goes out", style.ORANGE),
    "domain_failed": ("a domain of nodes goes out", style.WINE),
    "software_failed": ("the job alone stops", style.BLUE),
}
"""What a failure takes out, by kind of event: in words, and its colour."""
UNNAMED = {"software_failed": "the job's own software", "domain_failed": "domain"}
"""Causes of events that name none."""


@style.styled
def training_failures(run: "Run", ax: Axes | None = None) -> Figure:
    """Failures of all training fleets with jobs by cause, those of idle nodes included."""
    rows = failures(run) if has_training(run) else None
    figure, axes = style.panels(1, ax, height=0.27 * len(rows) + 1.2 if rows is not None else 1.6)
    if rows is None or rows.empty:
        style.nothing_to_show(axes[0], NO_FLEET if rows is None else "nothing failed")
        axes[0].set_title("Failures: none")
        axes[0].set_ylabel("cause")
    else:
        draw(axes[0], rows)
    return figure


def failures(run: "Run") -> "pd.DataFrame":
    """Kind of event, cause, count: the most frequent first."""
    rows = data.frame(run, f"""
        select kind, detail as cause, count(*) as failures from fact_event
        where kind in ({", ".join(map(data.text, KINDS))}) group by all
        order by failures desc, kind, cause""")
    rows["cause"] = [cause.replace("_", " ") if cause else UNNAMED.get(kind, "not said")
                     for kind, cause in zip(rows["kind"], rows["cause"], strict=True)]
    return rows


def draw(ax: Axes, rows: "pd.DataFrame") -> None:
    """One bar per kind and cause, the longest on top."""
    total = int(rows["failures"].sum())
    places = range(len(rows) - 1, -1, -1)
    ax.barh(places, rows["failures"], color=[KINDS[kind][1] for kind in rows["kind"]], height=0.72)
    for place, number in zip(places, rows["failures"], strict=True):
        ax.annotate(f"{count(number)}  ({percent(number / total)})", (number, place), xytext=(5, 0),
                    textcoords="offset points", va="center", fontsize=8.5, color=style.INK)
    ax.set_yticks(places, rows["cause"])
    ax.set_ylabel("cause")
    ax.set_xlim(0, 1.18 * int(rows["failures"].max()))
    ax.xaxis.set_major_formatter(lambda value, _: style.compact(value))
    ax.set_xlabel("failures")
    ax.grid(False)
    for kind, (words, colour) in KINDS.items():
        if (rows["kind"] == kind).any():
            ax.barh(0, 0, color=colour, label=words)
    ax.legend(loc="lower right")
    nodes = int(rows.loc[rows["kind"] != "software_failed", "failures"].sum())
    ax.set_title(f"{counted(total, 'failure')}; nodes go out in {percent(nodes / total)} of them")
