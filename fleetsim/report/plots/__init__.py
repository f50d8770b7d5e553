"""Plots of a run. Each function takes a run and returns a matplotlib Figure; `ax` draws into yours."""

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from fleetsim.errors import UsageError
from fleetsim.report.plots.capacity import capacity
from fleetsim.report.plots.cash import cash
from fleetsim.report.plots.cost import cost
from fleetsim.report.plots.gpu_counts import gpu_counts
from fleetsim.report.plots.latency import has_latency, latency
from fleetsim.report.plots.savings import savings
from fleetsim.report.plots.style import save
from fleetsim.report.plots.training_cost import training_cost
from fleetsim.report.plots.training_failures import training_failures
from fleetsim.report.plots.training_jobs import training_jobs
from fleetsim.report.plots.training_states import has_training, training_states
from fleetsim.report.plots.utilisation import utilisation
from fleetsim.report.plots.waits import waits

if TYPE_CHECKING:
    from fleetsim.output import Run

PLOTS = {
    "capacity": capacity,
    "gpu_counts": gpu_counts,
    "utilisation": utilisation,
    "waits": waits,
    "latency": latency,
    "training_states": training_states,
    "training_cost": training_cost,
    "training_jobs": training_jobs,
    "training_failures": training_failures,
    "cost": cost,
    "savings": savings,
    "cash": cash,
}
"""The plots that a report holds, by the name of their file."""
ONLY_WITH = {
    "latency": has_latency,
    "training_states": has_training,
    "training_cost": has_training,
    "training_jobs": has_training,
    "training_failures": has_training,
}
"""Plots that are left out of the report of a run that has nothing for them."""


def write_all(run: "Run", directory: Path, format_: Literal["png", "svg"] = "png") -> list[Path]:
    """Writes every plot into `directory` (made when it is not there) and returns their paths.

    The directory must not be inside the run: a run never changes once it is complete.
    """
    if directory.resolve().is_relative_to(Path(run.path).resolve()):
        raise UsageError(f"{directory} is inside the run, which never changes; write the plots beside it")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot make the directory {directory}: {error.strerror}") from None
    written = []
    for name, draw in PLOTS.items():
        if name in ONLY_WITH and not ONLY_WITH[name](run):
            continue
        path = directory / f"{name}.{format_}"
        save(draw(run), path, format_)
        written.append(path)
    return written


__all__ = ["ONLY_WITH", "PLOTS", "capacity", "cash", "cost", "gpu_counts", "latency", "savings",
           "training_cost", "training_failures", "training_jobs", "training_states", "utilisation", "waits",
           "write_all"]
