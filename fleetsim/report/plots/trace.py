"""A trace: its rate over time and the distributions of its lengths."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, PercentFormatter

from fleetsim.errors import UsageError
from fleetsim.report.plots import style

if TYPE_CHECKING:
    from fleetsim.spec.trace import Trace

NS_PER_S = 1_000_000_000
BINS_S = (1, 10, 60, 300, 3_600, 21_600, 86_400)
MOST_BINS = 400
"""Points of the curve of the rate."""
UNITS_S = ((172_800, 86_400, "days"), (7_200, 3_600, "hours"), (300, 60, "minutes"), (0, 1, "seconds"))
"""From this span on, time is told in this unit."""


def round_bins(span_s: float) -> tuple[float, int, str]:
    """Seconds of a bin of round length, and the unit in which a span is told: its seconds and its name."""
    bin_s = next((each for each in BINS_S if span_s / each <= MOST_BINS), span_s / MOST_BINS)
    unit_s, unit = next((size, word) for least, size, word in UNITS_S if span_s >= least)
    return bin_s, unit_s, unit


@style.styled
def trace(requests: "Trace") -> Figure:
    """Requests per second over time, stacked by class, above the cumulative distributions of tokens."""
    figure = Figure(figsize=(11, 7.4), layout=ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12))
    above, below = figure.subplots(2, 1)
    draw_rate(above, requests)
    draw_lengths(below, requests)
    return figure


def draw_rate(axis: Axes, requests: "Trace") -> None:
    """The rate in bins of a round length."""
    import numpy as np

    span_s = max(requests.span_s, 1.0)
    bin_s, unit_s, unit = round_bins(span_s)
    edges = np.arange(0, span_s + bin_s, bin_s)
    seconds = requests.arrival_ns / NS_PER_S
    names = requests.class_names
    rates = [np.histogram(seconds[requests.class_index == number], edges)[0] / bin_s
             for number in range(len(names))]
    colour = style.colours(names)
    ended = [np.append(rate, rate[-1]) for rate in rates]
    axis.stackplot(edges / unit_s, ended, labels=names, colors=[colour[name] for name in names],
                   step="post", linewidth=0)
    peak = float(np.sum(rates, axis=0).max())
    axis.set_title(f"Requests per second in bins of {bin_s:,.4g} s, at most {style.compact(peak)}")
    axis.set_xlim(0, span_s / unit_s)
    axis.set_xlabel(f"{unit} from the first request")
    style.count_axis(axis, "requests/s")
    if 1 < len(names) <= len(style.THINGS):
        style.outside_legend(axis)


def draw_lengths(axis: Axes, requests: "Trace") -> None:
    """Share of requests with at most so many tokens."""
    import numpy as np

    for label, tokens, colour in (("prompt", requests.prompt_tokens, style.BLUE),
                                  ("output", requests.output_tokens, style.ORANGE)):
        values, occurs = np.unique(tokens, return_counts=True)
        axis.step(values, np.cumsum(occurs) / tokens.size, where="post", color=colour,
                  label=f"{label}, mean {tokens.mean():,.1f}")
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(FuncFormatter(lambda value, _: style.compact(value)))
    axis.set_ylim(0, 1)
    axis.yaxis.set_major_formatter(PercentFormatter(1.0))
    axis.set_title("Requests with at most so many tokens")
    axis.set_xlabel("tokens")
    axis.set_ylabel("share of requests")
    style.outside_legend(axis)


def write_plot(requests: "Trace", directory: Path, format_: Literal["png", "svg"] = "png") -> Path:
    """Writes `trace.png` into `directory` (made when it is not there) and returns its path."""
    path = directory_of(directory) / f"trace.{format_}"
    style.save(trace(requests), path, format_)
    return path


def directory_of(directory: Path) -> Path:
    """The directory, made when it is not there; UsageError when it cannot be."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the directory {directory}: {error.strerror}") from None
    return directory
