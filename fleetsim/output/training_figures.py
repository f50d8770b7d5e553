"""Figures of training: of fleets with jobs over a window, of named jobs over the whole run."""

from collections.abc import Callable, Mapping

from fleetsim.output.contract_figures import ratio
from fleetsim.output.facts import Facts
from fleetsim.output.training_tables import HELD
from fleetsim.timebase import iso

DAY_S = 86_400


def _state(facts: Facts, fleet: str, column: str) -> float | None:
    """GPU-hours of a training fleet in a state; None where no jobs say what all of its GPUs did."""
    return facts.training.get(fleet, {}).get(column) if facts.things.roles[fleet] == "training" else None


def _state_frac(facts: Facts, fleet: str, column: str) -> float | None:
    hours = _state(facts, fleet, column)
    return None if hours is None else ratio(hours, facts.of_fleet(fleet, "rented_gpu_hours"))


def _end(facts: Facts, job: str) -> str | None:
    end = facts.named_jobs[job]["end_time"]
    return iso(end) if end else None


def _elapsed_days(facts: Facts, job: str) -> float | None:
    row = facts.named_jobs[job]
    if row["end_time"] is None:
        return None
    days: float = (row["end_time"] - row["submit_time"]).total_seconds() / DAY_S
    return days


def _lost_frac(facts: Facts, job: str) -> float | None:
    row = facts.named_jobs[job]
    return ratio(row["lost_gpu_hours"], sum(row[f"{state}_gpu_hours"] for state in HELD))


TRAINING_COMPUTATIONS: Mapping[str, Callable[[Facts, str], float | str | None]] = {
    "fleets.{fleet}.productive_frac": lambda f, fleet: _state_frac(f, fleet, "productive_gpu_hours"),
    "fleets.{fleet}.lost_frac": lambda f, fleet: _state_frac(f, fleet, "lost_gpu_hours"),
    "fleets.{fleet}.usd_per_productive_gpu_hour":
        lambda f, fleet: ratio(f.cost_usd(fleet=fleet), _state(f, fleet, "productive_gpu_hours") or 0.0),
    "training_jobs.{job}.end": _end,
    "training_jobs.{job}.elapsed_days": _elapsed_days,
    "training_jobs.{job}.ettr_frac": lambda f, job: f.named_jobs[job]["ettr_frac"],
    "training_jobs.{job}.lost_frac": _lost_frac,
    "training_jobs.{job}.failures": lambda f, job: f.named_jobs[job]["failures"],
    "training_jobs.{job}.cost_usd": lambda f, job: float(f.named_jobs[job]["effective_usd"]),
}
"""By registered name."""
