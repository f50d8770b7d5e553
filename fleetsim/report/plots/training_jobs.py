"""Training jobs: when the named ones ran and failed, and how long jobs of each size waited."""

from typing import TYPE_CHECKING, Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from fleetsim.report.numbers import count, counted, duration
from fleetsim.report.plots import data, style
from fleetsim.report.plots.training_states import NO_FLEET, has_training

if TYPE_CHECKING:
    import pandas as pd

    from fleetsim.output import Run

MOST_JOBS = 20
"""Named jobs that are drawn: those with the most work."""
SIZES = (1, 8, 9, 65, 513, 4_097)
"""Smallest jobs of the size bins, GPUs: parts of a node, a node, and more."""
ENDS = ("job_preempted", "job_requeued", "job_finished")
"""Events after which a job holds no GPUs."""


@style.styled
def training_jobs(run: "Run", ax: Axes | None = None) -> Figure:
    """When the named jobs ran and failed (with `ax`: this alone), and the waits for a first start by size.

    Without named jobs the waits alone, without waits the named jobs alone. Failures are counted by hour,
    beyond 45 days by day, beyond 550 by week; those of single jobs of a stream are not drawn.
    """
    if not has_training(run):
        figure, panels = style.panels(1, ax)
        style.nothing_to_show(panels[0], NO_FLEET)
        return figure
    jobs, waited, span = named_jobs(run), waits(run), data.span(run)
    if ax is not None:
        figure, panels = style.panels(1, ax)
        draw_jobs(run, panels[0], jobs, span)
        return figure
    heights = [0.55 * len(jobs) + 1.0] if len(jobs) else []
    if not heights or waited["p90_s"].max() > 0 or waited["never"].any():
        heights.append(3.2)
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.12)
    figure = Figure(figsize=(11, sum(heights) + 0.6), layout=layout)
    panels = list(figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0])
    if len(jobs):
        draw_jobs(run, panels[0], jobs, span)
    if len(panels) > bool(len(jobs)):
        draw_waits(panels[-1], waited)
    return figure


def named_jobs(run: "Run") -> "pd.DataFrame":
    """The named jobs that were submitted, in order of submission."""
    names = [job for fleet in run.summary.get("training", {}).values() for job in fleet["named"]]
    listed = ", ".join(map(data.text, names)) or "null"
    rows = data.frame(run, f"""
        select job, gpus, submit_time, end_time, outcome, failures, deadline from fact_training_job
        where job in ({listed}) order by work_gpu_hours desc, job limit {MOST_JOBS}""")
    rows.attrs["names"] = len(names)
    return rows.sort_values(["submit_time", "job"], ignore_index=True)


def spans(events: "pd.DataFrame", end: "pd.Timestamp") -> list[tuple["pd.Timestamp", "pd.Timestamp"]]:
    """When a job held GPUs, from its events in order of time."""
    found, since = [], None
    for time, kind in zip(events["time"], events["kind"], strict=True):
        if kind in ("job_started", "job_restarted") and since is None:
            since = time
        elif kind in ENDS and since is not None:
            found.append((since, time))
            since = None
    return found if since is None else [*found, (since, end)]


def draw_jobs(run: "Run", ax: Axes, jobs: "pd.DataFrame", span: data.Span) -> None:
    """A row per job, the first at the top: when it waited and ran, and its failures by period above."""
    counts = failures(run, jobs, span)
    most = max((int(each["failures"].max()) for each in counts.values() if len(each)), default=0)
    rows = list(reversed(list(jobs.itertuples())))
    waited = False
    for place, job in enumerate(rows):
        waited |= draw_row(run, ax, place, job, span)
        draw_failures(ax, place, counts[job.job], most, span)
    every = "an hour" if span.period == "hour" else f"a {span.period}"
    for colour, words, there in ((style.GREY, "waits", waited), (style.BLUE, "holds its GPUs", True),
                                 (style.WINE, f"failures, at most\n{most:,} in {every}", most > 0)):
        if there:
            ax.fill_between([span.start], 0, color=colour, linewidth=0, label=words)
    if jobs["deadline"].notna().any():
        ax.plot([], [], color=style.INK, linewidth=2, label="deadline")
    ax.set_yticks([place + 0.3 for place in range(len(rows))],
                  [f"{job.job}\n{counted(job.gpus, 'GPU')}" for job in rows])
    ax.set_ylim(-0.2, max(1, len(rows)))
    ax.set_ylabel("job")
    ax.grid(False)
    style.date_axis(ax, span.start, span.end)
    done, named = int((jobs["outcome"] == "done").sum()), int(jobs.attrs["names"])
    of = counted(named, "named job")
    of = of if len(rows) == named else f"The {len(rows)} largest of {of}"
    ax.set_title(f"{of}: {done} done, {counted(int(jobs['failures'].sum()), 'failure')}")
    style.outside_legend(ax)


def draw_row(run: "Run", ax: Axes, place: int, job: Any, span: data.Span) -> bool:
    """When one job waited and held its GPUs, and its deadline; whether it waited at all."""
    import pandas as pd

    events = data.frame(run, f"""
        select time, kind from fact_event where thing = {data.text(f'job/{job.job}')} and kind like 'job_%'
        order by sequence""")
    until = span.end if pd.isna(job.end_time) else job.end_time
    held = spans(events, span.end)
    waits = [(stop, start) for stop, start in
             zip([job.submit_time, *(stop for _, stop in held)], [*(start for start, _ in held), until],
                 strict=True) if start > stop]
    for colour, times in ((style.GREY, waits), (style.BLUE, held)):
        for start, stop in times:
            ax.barh(place, stop - start, left=start, height=0.2, color=colour, align="edge")
    if not pd.isna(job.deadline):
        ax.plot([job.deadline] * 2, [place - 0.08, place + 0.28], color=style.INK, linewidth=2)
    return bool(waits)


def draw_failures(ax: Axes, place: int, counts: "pd.DataFrame", most: int, span: data.Span) -> None:
    """A bar per period in which the job failed, as high as its count, above the job's row."""
    import pandas as pd

    if len(counts):
        ax.bar(counts["time"], 0.6 * counts["failures"] / most, bottom=place + 0.22, align="edge",
               width=pd.Timedelta(**{f"{span.period}s": 1}), color=style.WINE)


def failures(run: "Run", jobs: "pd.DataFrame", span: data.Span) -> dict[str, "pd.DataFrame"]:
    """By job: failures of its nodes and its software in each period that has any."""
    return {job: data.frame(run, f"""
        select date_trunc('{span.period}', time) as time, count(*) as failures from fact_event
        where thing = {data.text(f'job/{job}')} and kind like '%_failed' group by 1 order by 1""")
            for job in jobs["job"]}


def waits(run: "Run") -> "pd.DataFrame":
    """Per size bin that occurs: jobs, those that never started, median and ninth decile of the wait, s."""
    bounds = " ".join(f"when gpus >= {low} then {low}" for low in reversed(SIZES))
    return data.frame(run, f"""
        with waited as (
            select case {bounds} end as low, epoch(start_time - submit_time) as wait_s from fact_training_job)
        select low, count(*) as jobs, count(*) - count(wait_s) as never, median(wait_s) as p50_s,
            quantile_cont(wait_s, 0.9) as p90_s from waited group by low order by low""")


def size_label(low: int) -> str:
    """The bin that begins with `low` GPUs: 1-7, 8, 9-64, ..."""
    place = SIZES.index(low)
    if place + 1 == len(SIZES):
        return f"{low:,} and more"
    high = SIZES[place + 1] - 1
    return f"{low:,}" if high == low else f"{low:,}-{high:,}"


def draw_waits(ax: Axes, rows: "pd.DataFrame") -> None:
    """Median and ninth decile side by side for each size."""
    longest = float(rows["p90_s"].max()) if rows["p90_s"].notna().any() else None
    ax.set_ylabel("wait for the first start")
    if not longest:
        never = f", {count(rows['never'].sum())} never" if rows["never"].any() else ""
        why = "no job started" if longest is None else f"9 of 10 start at once{never}"
        style.nothing_to_show(ax, f"{counted(int(rows['jobs'].sum()), 'job')}: {why}")
        ax.set_title("Waits: none to show")
        return
    bars = ((-0.2, "p50_s", "median", style.SKY), (0.2, "p90_s", "9 of 10 within", style.BLUE))
    for shift, column, words, colour in bars:
        places = [place + shift for place in range(len(rows))]
        ax.bar(places, rows[column], width=0.36, color=colour, label=words)
        for place, wait_s in zip(places, rows[column], strict=True):
            if wait_s == wait_s:
                ax.annotate(first_unit(float(wait_s)), (place, wait_s), xytext=(0, 3), fontsize=8,
                            textcoords="offset points", ha="center", color=style.INK)
    ax.set_xticks(range(len(rows)), [
        f"{size_label(int(row.low))}\n{counted(int(row.jobs), 'job')}"
        + (f"\n{count(row.never)} never started" if row.never else "") for row in rows.itertuples()])
    ax.set_xlabel("GPUs of a job")
    style.wait_axis(ax, "wait for the first start", 3 * longest)
    worst = size_label(int(rows.loc[rows["p90_s"].idxmax(), "low"]))
    ax.set_title(f"Jobs of {worst} GPUs wait longest: 9 of 10 start within {duration(longest)}")
    style.outside_legend(ax)


def first_unit(seconds: float) -> str:
    """A wait by its largest unit alone: 11 min."""
    return " ".join(duration(round(seconds, 1)).split()[:2])
