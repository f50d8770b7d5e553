"""A replayed trace of jobs as text: what became of the jobs, their waits, and what the GPUs did."""

from typing import Any

from fleetsim.report.numbers import MISSING, count, counted, duration, percent, short
from fleetsim.report.table import Table, render

STATES = {
    "productive": "work that counts",
    "checkpointing": "checkpoints written",
    "lost": "work done again after a failure",
    "restarting": "restarts",
    "blocked": "gangs that wait for a node",
    "idle": "idle",
    "spare": "spares",
    "down": "failed, in repair",
}


def replay_jobs_text(found: dict[str, Any], *, width: int = 100, terminal: bool = False) -> str:
    """The text of `JobReplay.as_dict()`."""
    fleet, left = found["fleet"], ""
    if found["too_large"]:
        left = f"; left out: {counted(found['too_large'], 'job')} with more GPUs than the fleet"
    if found["running"] or found["queued"]:
        left += f"; cut short with {count(found['running'])} running and {count(found['queued'])} waiting"
    lines = [f"{counted(fleet['gpus'], 'GPU')}, schedule {found['schedule']}, {failures(found)}",
             f"Jobs: {count(found['done'])} of {count(found['jobs'])} done in "
             f"{duration(found['span_s'])}{left}",
             held(found)]
    return render([*lines, waits(found), outcomes(found), states(found)], width=width, terminal=terminal)


def failures(found: dict[str, Any]) -> str:
    """What fails, and what jobs do about it."""
    fleet = found["fleet"]
    if fleet["node_mtbf_h"] is None:
        return "no failures"
    every = fleet["checkpoint_interval_s"]
    saved = "no checkpoints" if every is None else f"checkpoints every {duration(every)}"
    return (f"{counted(found['node_failures'], 'failure')} of nodes of {fleet['node_gpus']} GPUs (MTBF "
            f"{short(fleet['node_mtbf_h'])} h), {saved}")


def held(found: dict[str, Any]) -> str:
    """How much of the fleet's time jobs had."""
    during = found["arrival_held_frac"]
    first = "" if during is None else (f"{percent(during)} while jobs were submitted "
                                       f"({duration(found['arrival_span_s'])}), ")
    return (f"GPUs held by jobs: {first}{percent(found['held_frac'])} up to "
            f"{'where it was cut' if found['running'] or found['queued'] else 'the last end'}")


def waits(found: dict[str, Any]) -> Table:
    """Waits by size, simulated and as recorded."""
    table = Table("Wait from submission to the first start",
                  ("GPUs", "", "|Jobs", "|Mean", "|p50", "|p90", "|p99"))
    for part in found["sizes"]:
        for title, own in (("simulated", part["wait"]), ("recorded", part["recorded_wait"])):
            if own is not None:
                table.rows.append((part["name"], title, count(own["jobs"]), *(
                    duration(own[key]) for key in ("mean_s", "p50_s", "p90_s", "p99_s"))))
            elif title == "simulated":
                table.rows.append((part["name"], title, "0", *(MISSING,) * 4))
    said = []
    if any(part["wait"] is None or part["wait"]["jobs"] < part["jobs"] for part in found["sizes"]):
        said.append("Jobs that never started are not in their waits.")
    if any(part["recorded_wait"] for part in found["sizes"]):
        said.append("Recorded: on the fleet and under the scheduler of the trace.")
    table.foot = said
    return table


def outcomes(found: dict[str, Any]) -> Table:
    """What became of the jobs, by size."""
    table = Table("Jobs", ("GPUs", "|Jobs", "|Done", "|GPU-hours of work", "|Failures", "|Preemptions"))
    for part in found["sizes"]:
        table.rows.append((part["name"], count(part["jobs"]), count(part["done"]), short(part["gpu_hours"]),
                           count(part["failures"]), count(part["preemptions"])))
    return table


def states(found: dict[str, Any]) -> Table:
    """Where the GPU-hours went."""
    total = sum(found["gpu_hours"].values())
    table = Table("GPU-hours", ("State", "|GPU-hours", "|Share"), totals=1)
    table.rows += [(STATES[name], short(hours), percent(hours / total))
                   for name, hours in found["gpu_hours"].items()]
    table.rows.append(("all", short(total), percent(1.0)))
    return table


def speed_text(found: dict[str, Any]) -> str:
    """How long the simulation itself took."""
    cpu_s = found["kernel_cpu_s"]
    rate = f", {short(found['jobs'] / cpu_s)} jobs per CPU-second" if cpu_s > 0 else ""
    return f"in the kernel: {cpu_s:.3g} CPU-seconds{rate}"
