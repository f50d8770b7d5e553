"""A trace of jobs as a person reads it: what was imported, what it is like."""

from collections.abc import Mapping, Sequence
from typing import Any

from fleetsim.report.numbers import MISSING, count, counted, duration, percent, short
from fleetsim.report.table import Table, render

Data = Mapping[str, Any]
MOST_PARTS = 10
"""Teams that are shown by name."""
MOST_DAYS = 14
"""Days that are shown one by one."""


def import_jobs_text(data: Data, out: str, remarks: Mapping[str, str]) -> str:
    """What an import wrote, in a few lines."""
    states = ", ".join(f"{name} {count(jobs)}" for name, jobs in data["states"].items())
    lines = [f"{out}: {count(data['kept'])} of {count(data['read'])} jobs, {short(data['gpu_hours'])} "
             f"GPU-hours, submitted in {duration(data['span_s'])}, {counted(data['teams'], 'team')}",
             f"outcomes: {states}"]
    if data["out_of_order"]:
        lines.append(f"out of order, sorted in: {count(data['out_of_order'])}")
    lines += [f"{counted(jobs, 'job')}: {remarks[key]}" for key, jobs in data["remarks"].items()]
    return "\n".join(lines)


def describe_jobs_text(data: Data, metadata: Data, *, width: int = 100, terminal: bool = False) -> str:
    """Sizes, run times and waits, arrivals, shares."""
    start = f", from {metadata['start'][:19]}Z" if metadata.get("start") else ""
    lead = [f"{metadata['source']} ({metadata['format']}): {counted(data['jobs'], 'job')} submitted in "
            f"{duration(data['span_s'])}{start}", f"{short(data['gpu_hours'])} GPU-hours" + (
                "" if data["asked_gpu_hours"] > data["gpu_hours"] * (1 - 1e-9) else
                f" of whole GPUs, {short(data['asked_gpu_hours'])} asked for in fractions") + (
                "" if data["mean_gpus"] is None else
                f"; {short(data['mean_gpus'])} GPUs at work on average if nobody waited")]
    spreads = Table("Jobs", ("", "|Jobs", "|Mean", "|p50", "|p90", "|p99", "|Max"))
    for key, title, shown in (("gpus", "GPUs", whole), ("duration_s", "Run time", duration),
                              ("queue_s", "Wait as recorded", duration)):
        own = data[key]
        if own is None:
            spreads.rows.append((title, "0", *(MISSING,) * 5))
            continue
        spreads.rows.append((title, count(own["jobs"]),
                             *(shown(own[each]) for each in ("mean", "p50", "p90", "p99", "max"))))
    return render(["\n".join(lead), spreads, shares("By GPUs", "GPUs", data["sizes"]),
                   shares("By outcome", "Outcome", data["states"]), shares("By team", "Team", data["teams"]),
                   *arrivals(data["days"])], width=width, terminal=terminal)


def whole(value: float) -> str:
    """A count, or a mean of counts."""
    return count(value) if value == int(value) else short(value)


def shares(title: str, heading: str, parts: Sequence[Data]) -> Table:
    """Jobs and GPU-hours of each part; the last parts of many in one row."""
    table = Table(title, (heading, "|Jobs", "|GPU-hours", "|Share of GPU-hours"))
    shown, rest = parts[:MOST_PARTS], parts[MOST_PARTS:]
    for part in shown:
        table.rows.append((part["name"], count(part["jobs"]), short(part["gpu_hours"]),
                           percent(part["gpu_hours_frac"])))
    if rest:
        jobs, hours, share = (sum(part[key] for part in rest)
                              for key in ("jobs", "gpu_hours", "gpu_hours_frac"))
        table.rows.append((f"{len(rest)} others", count(jobs), short(hours), percent(share)))
    return table


def arrivals(days: Sequence[Data]) -> list[Table | str]:
    """Submissions by day: each day of a few, mean and range of many."""
    if len(days) > MOST_DAYS:
        jobs = [day["jobs"] for day in days]
        most = max(days, key=lambda day: day["jobs"])
        return [f"Submitted per day over {len(days)} days: {short(sum(jobs) / len(jobs))} jobs on average, "
                f"{count(min(jobs))} to {count(most['jobs'])}, the most on {most['day']}"]
    table = Table("Submitted by day", ("Day", "|Jobs", "|GPU-hours"))
    table.rows += [(day["day"], count(day["jobs"]), short(day["gpu_hours"])) for day in days]
    return [table]
