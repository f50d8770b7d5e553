"""Training as a person reads it: where the GPU time went, and what became of the jobs."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fleetsim.report.numbers import MISSING, count, duration, instant, percent, price, usd
from fleetsim.report.table import BAD, Cell, Table

Summary = Mapping[str, Any]


def training_fleets(summary: Summary) -> Table:
    """Shares of the rented GPU-hours by state, and what an hour of useful work costs."""
    table = Table("Training, share of rented GPU-hours in %",
                  ("Fleet", "|Productive", "|Checkpoint", "|Lost", "|Restart", "|Blocked", "|Idle", "|Spare",
                   "|Repair", "|Maint.", "|$ per productive GPU-hour"))
    for name, fleet in summary.get("training", {}).items():
        hours, rented = fleet["gpu_hours"], fleet["rented_gpu_hours"]
        cost = summary["figures"].get(f"fleets.{name}.cost_usd") or 0.0
        table.rows.append((
            name, *(percent(value / rented if rented else None) for value in hours.values()),
            price(cost / hours["productive"] if hours["productive"] else None)))
    table.foot = [
        f"{name}: {count(fleet['jobs'])} jobs, {count(fleet['jobs_done'])} done; "
        f"{count(fleet['failures'])} failures of jobs, {count(fleet['preemptions'])} preemptions; wait for "
        f"the first start p50 {_hours(fleet['wait_p50_h'])}, p99 {_hours(fleet['wait_p99_h'])}; GPUs held by "
        f"jobs cost {usd(float(Decimal(fleet['jobs_usd'])))}."
        for name, fleet in summary.get("training", {}).items()]
    return table


def training_jobs(summary: Summary) -> Table:
    """The named jobs. ETTR: productive / elapsed time since submission."""
    table = Table("Named training jobs", ("Job", "|GPUs", "started", "done", "|ETTR %", "|Lost %",
                                          "|Failures", "|Interval", "|Cost"))
    for fleet in summary.get("training", {}).values():
        for name, job in fleet["named"].items():
            held = sum(job[f"{state}_gpu_hours"] for state in
                       ("productive", "checkpointing", "lost", "restarting", "blocked"))
            done = instant(job["end_time"]) if job["end_time"] else job["outcome"]
            table.rows.append((
                name, count(job["gpus"]), instant(job["start_time"]) if job["start_time"] else MISSING,
                Cell(done, BAD if job["deadline_missed"] else ""), percent(job["ettr_frac"]),
                percent(job["lost_gpu_hours"] / held if held else None), count(job["failures"]),
                duration(job["checkpoint_interval_s"]), usd(float(Decimal(job["effective_usd"])))))
    if table.rows:
        table.foot = ["ETTR: productive / elapsed time since submission. Interval: work between checkpoints."]
    return table


def _hours(value: float | None) -> str:
    return MISSING if value is None else duration(value * 3_600)
