"""Cost per job: what it did with the GPUs that it held, and its share of those that nobody held."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fleetsim.ledger.money import MICRO
from fleetsim.output.run import Run
from fleetsim.output.training_tables import HELD

PER_GPU_HOUR = 3_600_000
"""What GPU-hours by state are counted in where a job's cost is divided by them: GPU-ms."""


@dataclass(frozen=True)
class JobCost:
    """A named job, or all jobs of a stream. Micro-dollars."""

    name: str
    jobs: int
    productive_gpu_hours: float
    held_micro_usd: tuple[int, ...]
    """By state of HELD: the effective cost of the GPUs that it held."""
    idle_micro_usd: int
    """Its share of the fleet's idle, spare and broken GPUs."""

    @property
    def micro_usd(self) -> int:
        """Full cost."""
        return sum(self.held_micro_usd) + self.idle_micro_usd

    def as_dict(self) -> dict[str, Any]:
        """Plain data; amounts are exact."""
        states = dict(zip(HELD, self.held_micro_usd, strict=True))
        return {"name": self.name, "jobs": self.jobs, "productive_gpu_hours": self.productive_gpu_hours,
                **{f"{state}_usd": exact_usd(value) for state, value in states.items()},
                "idle_usd": exact_usd(self.idle_micro_usd), "usd": exact_usd(self.micro_usd)}


@dataclass(frozen=True)
class JobCosts:
    """All of a fleet's cost, over its jobs."""

    jobs: tuple[JobCost, ...]
    """Named jobs, then streams, in the scenario's order."""
    fleet_micro_usd: int
    unallocated_micro_usd: int
    """The fleet's cost where no job held a GPU; else 0."""
    with_warm_up: bool
    """Whether the jobs' GPU-hours have the warm-up in them, which costs nothing."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data; the rows and what is not allocated add up to the fleet."""
        return {"jobs": [each.as_dict() for each in self.jobs],
                "unallocated_usd": exact_usd(self.unallocated_micro_usd),
                "with_warm_up": self.with_warm_up,
                "fleet_usd": exact_usd(self.fleet_micro_usd)}


def exact_usd(micro_usd: int) -> str:
    """Micro-dollars as dollars with all six decimals."""
    sign, size = "-" if micro_usd < 0 else "", abs(micro_usd)
    return f"{sign}{size // MICRO}.{size % MICRO:06d}"


def job_costs(run: Run, fleet: str) -> JobCosts:
    """From a run's tables. Idle cost goes by the cost of the GPU-hours held, so it is in proportion to them
    wherever a GPU-hour has one price."""
    hours = ", ".join(f"{state}_gpu_hours" for state in HELD)
    rows = _rows(run, f"select job, effective_usd, {hours} from fact_training_job where fleet = '{fleet}'")
    (total,) = _rows(run, f"select sum(effective_usd) from fact_cost_hourly where fleet = '{fleet}'")
    whole = _micro(total[0])
    held = [_micro(row[1]) for row in rows]
    idle = whole - sum(held)
    by_hours = [round(sum(row[2:]) * PER_GPU_HOUR) for row in rows]
    shares = divided(idle, held if any(held) else by_hours)  # jobs may have run before anybody paid
    found: dict[str, JobCost] = {}
    for row, cost, share in zip(rows, held, shares, strict=True):
        name = row[0].partition("/")[0]
        by_state = divided(cost, [round(value * PER_GPU_HOUR) for value in row[2:]])
        before = found.get(name, JobCost(name, 0, 0.0, (0,) * len(HELD), 0))
        found[name] = JobCost(
            name, before.jobs + 1, before.productive_gpu_hours + row[2],
            tuple(one + other for one, other in zip(before.held_micro_usd, by_state, strict=True)),
            before.idle_micro_usd + share)
    scenario = run.scenario
    names = [name for part in ("training_jobs", "job_streams") for name in scenario.get(part) or {}]
    return JobCosts(tuple(found[name] for name in names if name in found), whole, idle - sum(shares),
                    bool(scenario["horizon"].get("warmup_days")))


def divided(amount: int, weights: Sequence[int]) -> list[int]:
    """Whole parts in proportion to weights that add up to the amount, by cumulative rounding; exact.

    All are 0 where no weight is above 0.
    """
    whole = sum(weights)
    if whole == 0:
        return [0] * len(weights)
    parts, reached, before = [], 0, 0
    for weight in weights:
        reached += weight
        upto = (2 * amount * reached + whole) // (2 * whole)
        parts.append(upto - before)
        before = upto
    return parts


def _rows(run: Run, query: str) -> list[tuple[Any, ...]]:
    table = run.query(query)
    return list(zip(*(column.to_pylist() for column in table.columns), strict=True))


def _micro(usd: Any) -> int:
    """Exact decimal dollars as whole micro-dollars."""
    return int(usd * MICRO) if usd is not None else 0
