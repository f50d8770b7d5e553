"""Utilisation as a heat map: hour of the day by day."""

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.patches import Patch

from fleetsim.report.numbers import count, percent
from fleetsim.report.plots import data, style

if TYPE_CHECKING:
    import pandas as pd

    from fleetsim.output import Run


@style.styled
def utilisation(run: "Run", ax: Axes | None = None, pool: str | None = None) -> Figure:
    """Busy share of healthy GPUs, one cell per hour; hours in which a pool is short stand out."""
    import pandas as pd

    names = [pool] if pool else data.pools(run)
    if ax is not None:
        names = names[:1]
    figure, axes = style.panels(max(1, len(names)), ax, height=2.9)
    if not names:
        style.nothing_to_show(axes[0], "no pool serves traffic in this run")
    image = None
    for axis, name in zip(axes, names, strict=False):
        rows = data.frame(run, f"""
            select hour, sum(busy_gpu_hours) as busy, sum(healthy_gpu_hours) as healthy,
                (sum(load_offered_gpu_hours) > sum(load_capacity_gpu_hours))::int as short
            from fact_capacity_hourly where pool = {data.text(name)} group by hour order by hour""")
        rows["day"] = pd.to_datetime(rows["hour"]).dt.normalize()
        rows["clock"] = pd.to_datetime(rows["hour"]).dt.hour
        image = draw_pool(axis, rows, name)
    if image is not None:
        bar = figure.colorbar(image, ax=axes, label="busy / healthy GPUs, %", pad=0.01, aspect=30)
        bar.outline.set_visible(False)
    return figure


def draw_pool(ax: Axes, rows: "pd.DataFrame", pool: str) -> AxesImage:
    """One pool's panel; returns the image that the colour bar explains."""
    import numpy as np
    import pandas as pd

    rows = rows.assign(percent=(100 * rows["busy"] / rows["healthy"].where(rows["healthy"] > 0)))
    days = pd.date_range(rows["day"].min(), rows["day"].max(), freq="D")
    grid = rows.pivot(index="clock", columns="day", values="percent").reindex(index=range(24), columns=days)
    short = rows.pivot(index="clock", columns="day", values="short").reindex(index=range(24), columns=days)
    left = (days[0] - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)
    edges = (left, left + len(days), 24, 0)
    image = ax.imshow(grid.to_numpy(float), extent=edges, aspect="auto", cmap="cividis", vmin=0, vmax=100,
                      interpolation="nearest")
    alarm = (short.fillna(0) > 0).to_numpy()
    if alarm.any():
        ax.imshow(np.ma.masked_where(~alarm, alarm), extent=edges, aspect="auto",
                  cmap=ListedColormap([style.ALARM]), interpolation="nearest")
        ax.legend(handles=[Patch(color=style.ALARM, label=f"short of GPUs ({count(alarm.sum())} h)")],
                  loc="lower right", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.2)
    ax.grid(False)
    ax.set_yticks(range(0, 25, 6))
    ax.set_ylabel("hour of the day, UTC")
    ax.xaxis_date()
    style.date_axis(ax, left, left + len(days))
    mean = rows["busy"].sum() / rows["healthy"].sum() if rows["healthy"].sum() else None
    by_hour = grid.mean(axis=1)
    ax.set_title(f"{pool}: no GPUs" if mean is None else
                 f"{pool}: {percent(mean)} of healthy GPUs busy on average, "
                 f"fullest at {int(by_hour.idxmax()):02d}:00 UTC")
    return image
