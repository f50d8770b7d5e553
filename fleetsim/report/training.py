"""Training as a person reads it: where the GPU time went, and what became of the jobs."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from fleetsim.report.numbers import MISSING, count, duration, instant, percent, price, short, usd
from fleetsim.report.table import BAD, Cell, Table

Summary = Mapping[str, Any]


def training_fleets(summary: Summary) -> Table:
    """Shares of the rented GPU-hours by state, or of the borrowed, and what an hour of useful work costs."""
    table = Table("Training, share of GPU-hours in %",
                  ("Fleet", "|Productive", "|Checkpoint", "|Lost", "|Restart", "|Blocked", "|Idle", "|Spare",
                   "|Repair", "|Maint.", "|$ per productive GPU-hour"))
    for name, fleet in summary.get("training", {}).items():
        of_its_own = summary["figures"][f"fleets.{name}.gained_gpu_hours"] is None
        whole = fleet["rented_gpu_hours"] if of_its_own else fleet["borrowed_gpu_hours"]
        unit_cost = f"fleets.{name}.usd_per_{'productive' if of_its_own else 'gained'}_gpu_hour"
        table.rows.append((
            name if of_its_own else f"{name}, lent",
            *(percent(value / whole if whole else None) for value in fleet["gpu_hours"].values()),
            price(summary["figures"][unit_cost])))
    table.foot = [
        f"{name}: {count(fleet['jobs'])} jobs, {count(fleet['jobs_done'])} done; "
        f"{count(fleet['failures'])} failures of jobs, {count(fleet['preemptions'])} preemptions; wait for "
        f"the first start p50 {_hours(fleet['wait_p50_h'])}, p99 {_hours(fleet['wait_p99_h'])}; GPUs held by "
        f"jobs cost {usd(float(Decimal(fleet['jobs_usd'])))}."
        for name, fleet in summary.get("training", {}).items()]
    return table


def lending(summary: Summary) -> Table:
    """Pools that lend to training jobs: what they could lend at night, what they lent, what came of it."""
    table = Table("Lending to training jobs, GPU-hours",
                  ("Pool", "|Lendable at night", "|lent then", "|%", "|Lent in all"))
    figures = summary["figures"]
    for pool in summary["pools"]:
        lendable = figures.get(f"pools.{pool}.lendable_gpu_hours")
        if lendable is not None:
            part = figures[f"pools.{pool}.lent_of_lendable_frac"]
            table.rows.append((pool, short(lendable), short(lendable * part if part else 0.0),
                               percent(part), short(figures[f"pools.{pool}.lent_gpu_hours"])))
    lines = ["Night: hours that require less than the mean of their day. Lendable: healthy - busy / target "
             "load - headroom."] if table.rows else []
    for name, fleet in summary.get("training", {}).items():
        slowest = figures[f"fleets.{name}.slowest_reclaim_s"]
        handed = "" if slowest is None else f"; called in, the last of them came within {duration(slowest)}"
        gained = figures[f"fleets.{name}.gained_gpu_hours"]
        if gained is None and fleet["lent_gpu_hours"]:
            lines.append(f"{name}: training jobs lent {short(fleet['lent_gpu_hours'])} GPU-hours to "
                         f"serving pools{handed}.")
        elif gained is not None:
            cost = figures[f"fleets.{name}.usd_per_gained_gpu_hour"]
            lines.append(
                f"{name}: training gained {short(gained)} GPU-hours of work that counts at {price(cost)} "
                f"each, {usd(gained * (cost or 0.0))} of rent that is due anyway{handed}.")
    table.lead = () if table.rows else lines
    table.foot = lines if table.rows else ()
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
