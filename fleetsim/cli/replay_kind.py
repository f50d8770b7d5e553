"""Which options of `replay` are for which kind of trace."""

from pathlib import Path

import typer

from fleetsim.errors import UsageError

OF_JOBS = frozenset({"gpus", "schedule", "node_gpus", "node_mtbf_h", "repair_h", "spare_gpus",
                     "checkpoint_interval_s", "checkpoint_write_s", "restart_s", "longest_days"})
OF_BOTH = frozenset({"trace", "seed", "as_json"})
"""All others are of requests."""
NEEDED = {"requests": ("service", "gpu", "replicas"), "jobs": ("gpus",)}


def is_of_jobs(trace: Path) -> bool:
    """Whether a trace is one of jobs; UsageError for a file that is no trace."""
    from fleetsim.spec.trace.canonical import read_trace
    from fleetsim.spec.trace.kind import kind_of

    kind = kind_of(trace)
    if kind is None:
        read_trace(trace)  # says what is wrong with it
    return kind == "jobs"


def check_options(ctx: typer.Context, trace: Path) -> None:
    """UsageError for an option of the other kind of trace, or one that this kind needs and has not."""
    kind = "jobs" if is_of_jobs(trace) else "requests"
    said = [(each.name or "", each.opts[0]) for each in ctx.command.params if _is_given(ctx, each.name or "")]
    strange = [option for name, option in said
               if name not in OF_BOTH and (name in OF_JOBS) != (kind == "jobs")]
    if strange:
        other = "requests" if kind == "jobs" else "jobs"
        raise UsageError(f"{strange[0]} is for a trace of {other}; {trace} is one of {kind}")
    names = {name for name, _ in said}
    if missing := [f"--{name}" for name in NEEDED[kind] if name not in names]:
        raise UsageError(f"a trace of {kind} needs {', '.join(missing)}")


def _is_given(ctx: typer.Context, name: str) -> bool:
    """Whether an option stands in the command."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"
