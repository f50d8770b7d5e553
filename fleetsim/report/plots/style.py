"""How every plot looks: colours, sizes, date axes, and files that do not depend on the day they were made."""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter

P = ParamSpec("P")
R = TypeVar("R")

BLUE, ORANGE, GREEN, PINK, SKY, YELLOW = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#F0E442"
ALARM = "#D55E00"
"""The palette of Okabe and Ito (2008), which people with any colour vision tell apart; its vermilion is
kept for capacity and for what runs short."""
GREY, WINE = "#999999", "#882255"
THINGS = (BLUE, ORANGE, GREEN, PINK, SKY, YELLOW, GREY, WINE)
"""Colours of traffic classes and contracts; grey and wine complete the palette."""
INK = "#222222"
MUTED = "#666666"

SETTINGS: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 11.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#999999",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "legend.frameon": False,
    "legend.fontsize": 8.5,
    "lines.linewidth": 1.5,
    "text.parse_math": False,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "fleetsim",
    "svg.fonttype": "path",
}


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draws with these settings and leaves the caller's own alone."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        with rc_context(SETTINGS):
            return draw(*args, **kwargs)

    return drawn


def colours(names: Iterable[str]) -> dict[str, str]:
    """A colour for each name, in the scenario's order: the same in every plot and every variant of it."""
    return {name: THINGS[index % len(THINGS)] for index, name in enumerate(names)}


def panels(count: int, ax: Axes | None = None, height: float = 3.4) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels below each other that share the time axis, or the one of `ax`."""
    if ax is not None:
        figure = ax.get_figure()
        assert isinstance(figure, Figure), "an Axes belongs to a figure"
        return figure, [ax]
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    figure = Figure(figsize=(11, height * count + 0.6), layout=layout)
    axes = figure.subplots(count, 1, sharex=True, squeeze=False)[:, 0]
    return figure, list(axes)


def date_axis(ax: Axes, start: Any, end: Any) -> None:
    """From `start` to `end`, with dates that say each month and year once."""
    locator = AutoDateLocator(minticks=4, maxticks=12)  # type: ignore[no-untyped-call]  # matplotlib.dates has no annotations
    year = ["", "%Y", "%Y", "%Y", "%Y-%m-%d", "%Y-%m-%d"]
    ax.xaxis.set_major_locator(locator)
    formatter = ConciseDateFormatter(locator, offset_formats=year)  # type: ignore[no-untyped-call]  # matplotlib.dates has no annotations
    ax.xaxis.set_major_formatter(formatter)
    ax.set_xlim(start, end)


def count_axis(ax: Axes, label: str) -> None:
    """Counts from zero, as 290k or 1.2M."""
    ax.set_ylim(bottom=0)
    ax.set_ylabel(label)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: compact(value)))


def money_axis(ax: Axes, label: str) -> None:
    """Dollars from zero, as $350M."""
    ax.set_ylim(bottom=0)
    ax.set_ylabel(label)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: "$" + compact(value)))


def wait_axis(ax: Axes, label: str, longest_s: float) -> None:
    """Seconds to days on a scale that shows no wait, a second and an hour at once."""
    ticks = {0: "none", 1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3_600: "1 h", 21_600: "6 h",
             86_400: "1 day", 604_800: "1 week"}
    top = max(10.0, 1.5 * longest_s)
    ax.set_yscale("symlog", linthresh=1, linscale=0.5)
    ax.set_yticks([tick for tick in ticks if tick <= top], [ticks[tick] for tick in ticks if tick <= top])
    ax.set_yticks([], minor=True)
    ax.set_ylim(0, top)
    ax.set_ylabel(label)


def compact(value: float) -> str:
    """A tick label: 0, 500, 290k, 1.2M, 4B."""
    for limit, unit in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= limit:
            return f"{value / limit:.4g}{unit}"
    return f"{value:.4g}"


def outside_legend(ax: Axes, **options: Any) -> None:
    """A legend beside the panel, where it covers nothing."""
    handles, labels = ax.get_legend_handles_labels()
    if handles:
        ax.legend(handles[::-1], labels[::-1], loc="upper left", bbox_to_anchor=(1.005, 1.0), borderaxespad=0,
                  **options)


def nothing_to_show(ax: Axes, why: str) -> None:
    """A panel that says why it is empty."""
    ax.text(0.5, 0.5, why, transform=ax.transAxes, ha="center", va="center", color=MUTED)
    ax.set_xticks([])
    ax.set_yticks([])


def save(figure: Figure, path: Path, format_: Literal["png", "svg"]) -> None:
    """Writes the figure; the same figure gives the same bytes."""
    metadata = {"Software": None} if format_ == "png" else {"Date": None, "Creator": "fleetsim"}
    with rc_context(SETTINGS):
        figure.savefig(path, format=format_, dpi=130, metadata=metadata)
