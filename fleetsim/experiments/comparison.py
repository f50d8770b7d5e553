"""Comparison: a column per alternative, a row per figure, differences to the first, break-even points."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.experiments.alternatives import (
    Alternative,
    alternatives,
    nothing_to_change,
    of_runs,
    of_scenarios,
    on_one_basis,
)
from fleetsim.model.figure import find_figure
from fleetsim.model.scenario import Scenario
from fleetsim.output.run import Run

Value = float | str | None

HEADLINES = (
    "pools.*.required_daily_peak_gpus", "pools.*.peak_load_frac", "pools.*.stock_out_hours",
    "pools.*.first_stock_out", "traffic.shed_frac", "traffic.*.shed_frac", "traffic.*.degraded_frac",
    "traffic.*.wait_p99_s", "fleets.*.rented_gpus", "fleets.*.usd_per_rented_gpu_hour",
    "fleets.*.usd_per_required_gpu_hour", "fleets.*.usd_per_busy_gpu_hour", "fleets.*.covered_frac",
    "fleets.*.uncovered_gpu_hours", "fleets.*.productive_frac", "fleets.*.usd_per_productive_gpu_hour",
    "fleets.*.gained_gpu_hours", "fleets.*.usd_per_gained_gpu_hour", "training_jobs.*.end",
    "training_jobs.*.cost_usd", "cost.unused_usd", "cost.capital_charge_usd",
    "finance.revenue_usd", "finance.net_result_usd",
    "finance.cash_usd", "finance.runway", "cost.prepaid_usd", "cost.remaining_usd", "cost.billed_usd",
    "cost.inference_usd", "cost.training_usd",
)
"""Figures shown by default, those that differ between alternatives; totals come last. Savings on list prices
are none of them: each provider has a list of its own."""
UNCOVERED = "fleets.*.uncovered_gpu_hours"
"""Shown whenever there are any, since a total without them is too low."""
TOTAL = "cost.total_usd"
BREAK_EVEN = "break_even_frac"
PAYBACK = "payback_month"


@dataclass(frozen=True)
class Row:
    """One figure of every alternative. A value is None where an alternative has no such figure."""

    figure: str
    unit: str
    better: str
    values: tuple[Value, ...]
    meaning: str = ""

    def differences(self) -> tuple[float | None, ...]:
        """Each value less the baseline's; None where one of the two is no number."""
        first = self.values[0]
        return tuple(
            value - first if isinstance(value, float | int) and isinstance(first, float | int) else None
            for value in self.values)

    def relative(self) -> tuple[float | None, ...]:
        """The same as a share of the baseline's size; None where that is 0. More loss is below 0."""
        first = self.values[0]
        base = abs(first) if isinstance(first, float | int) else None
        return tuple(difference / base if difference is not None and base else None
                     for difference in self.differences())


@dataclass(frozen=True)
class Comparison:
    """What was compared and how it came out. The first alternative is the baseline."""

    alternatives: tuple[Alternative, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(each.name for each in self.alternatives)

    def row(self, figure: str) -> Row:
        """The row of a figure; UsageError when it has none."""
        for row in self.rows:
            if row.figure == figure:
                return row
        raise UsageError(f"no row {figure!r}; {did_you_mean(figure, [row.figure for row in self.rows])}")

    def table(self) -> Any:
        """The values as `pandas.DataFrame`: a row per figure, a column per alternative."""
        import pandas as pd

        return pd.DataFrame([row.values for row in self.rows], columns=list(self.names),
                            index=[row.figure for row in self.rows])

    def as_dict(self) -> dict[str, Any]:
        """Everything, for JSON."""
        return {
            "baseline": self.names[0],
            "alternatives": [
                {"name": each.name, "how": each.how, "bound_fleets": each.bound,
                 "uncovered_gpu_hours": each.uncovered_gpu_hours, "run": str(each.run.path)}
                for each in self.alternatives],
            "rows": [
                {"figure": row.figure, "unit": row.unit, "better": row.better, "meaning": row.meaning,
                 "values": dict(zip(self.names, row.values, strict=True)),
                 "difference": dict(zip(self.names, row.differences(), strict=True)),
                 "difference_frac": dict(zip(self.names, row.relative(), strict=True))}
                for row in self.rows],
            "notes": list(self.notes),
        }


def compare(things: Sequence[str | os.PathLike[str] | Scenario | Run], *, results: Path | str = "results",
            seed: int | None = None, figures: Sequence[str] = (), scenarios: Sequence[str] = (),
            overrides: Sequence[str] = ()) -> Comparison:
    """Compare scenario files, contract files, run directories, scenarios or runs; the first is the baseline.

    `figures` are names of figures, `*` for any part of one; by default the headline figures that differ.
    `scenarios` and `overrides` act on scenario files, `seed` (0 by default) on what is simulated. UsageError
    when they have nothing to act on, when there are fewer than two alternatives, when these record other
    hours than the first, or when no figure has such a name.
    """
    paths = [each for each in things if isinstance(each, str | os.PathLike)]
    runs = [each for each in things if isinstance(each, Run)]
    loaded = [each for each in things if isinstance(each, Scenario)]
    if len(things) not in (len(paths), len(runs), len(loaded)):
        raise UsageError("compare takes paths, scenarios or runs, not a mix of them")
    if paths:
        found = alternatives(paths, results=Path(results), seed=seed, scenarios=scenarios,
                             overrides=overrides)
    else:
        nothing_to_change(seed if runs else None, scenarios, overrides)
        found = of_runs(runs) if runs else of_scenarios(loaded, results=Path(results), seed=seed or 0)
    if len(found) < 2:
        raise UsageError("nothing to compare: give two alternatives, or a scenario file with named scenarios")
    found = on_one_basis(found)
    return Comparison(tuple(found), tuple(_rows(found, figures)), tuple(_notes(found)))


def _rows(found: Sequence[Alternative], patterns: Sequence[str]) -> list[Row]:
    names = list(dict.fromkeys(name for each in found for name in each.figure_names))
    asked = [pattern.removeprefix("result:") for pattern in patterns]
    for pattern in asked:
        if not any(fnmatchcase(name, pattern) for name in names):
            raise UsageError(f"no figure {pattern!r}; {did_you_mean(pattern, names)}")
    chosen = [name for pattern in asked or HEADLINES for name in names if fnmatchcase(name, pattern)]
    rows = [_row(found, name) for name in dict.fromkeys(chosen) if name != TOTAL]
    if not asked:
        rows = [row for row in rows
                if _differs(row) or (fnmatchcase(row.figure, UNCOVERED) and any(row.values))]
        rows += [row for row in (_break_even(found), _payback(found)) if row is not None]
    if not asked or any(fnmatchcase(TOTAL, pattern) for pattern in asked):
        rows.append(_row(found, TOTAL))
    return rows


def _row(found: Sequence[Alternative], name: str) -> Row:
    registered = find_figure(name)
    assert registered is not None, "figures of runs are registered"
    return Row(name, registered[0].unit, registered[0].better,
               tuple(each.figure(name) for each in found), registered[0].meaning)


def _differs(row: Row) -> bool:
    first = row.values[0]
    for value in row.values[1:]:
        if isinstance(value, float | int) and isinstance(first, float | int):
            if abs(value - first) > 1e-9 * max(abs(value), abs(first)):
                return True
        elif value != first:
            return True
    return False


def _break_even(found: Sequence[Alternative]) -> Row | None:
    """Share of the committed GPU-hours from whose use on a commitment is cheaper than renting by the hour.

    Price of a committed GPU-hour x the share of them that is due anyway / price by the hour, with fleets
    weighted by what they rent. None for what is not one commitment to GPU-hours per fleet: there the cost
    of a GPU-hour moves with the use.
    """
    reference = next((each for each in found if _by_the_hour(each) and not each.uncovered_gpu_hours), None)
    if reference is None:
        return None
    values: list[Value] = []
    for each in found:
        due = would = 0.0
        committed = None if each.uncovered_gpu_hours else _one_commitment_each(each, reference.bound)
        for fleet, contract in (committed or {}).items():
            by_the_hour = reference.number(f"fleets.{fleet}.usd_per_required_gpu_hour")
            price = each.number(f"contracts.{contract['contract']}.usd_per_gpu_hour")
            gpus = each.number(f"fleets.{fleet}.rented_gpus")
            if by_the_hour and price is not None and gpus:
                due += gpus * price * contract["minimum_frac"]
                would += gpus * by_the_hour
        values.append(due / would if would else None)
    return Row(BREAK_EVEN, "1", "lower", tuple(values),
               f"Use of the committed GPU-hours at which {reference.name} costs the same; none where a fleet "
               "has more than one contract, or dollars are committed.")


def _by_the_hour(each: Alternative) -> bool:
    """Whether fleets are billed on what was required, and nothing of it is committed."""
    return bool(each.bound) and all(
        row["committed"] == "nothing" and row["bills"] == "allocated"
        for row in each.contracts if row["fleet"] in each.bound or row["committed"] == "usd")


def _one_commitment_each(each: Alternative, fleets: Sequence[str]) -> dict[str, dict[str, Any]] | None:
    """By fleet: its only contract, where that commits GPU-hours."""
    if any(row["committed"] == "usd" for row in each.contracts):
        return None
    found: dict[str, dict[str, Any]] = {}
    for fleet in fleets:
        own = [row for row in each.contracts if row["fleet"] == fleet]
        if len(own) != 1 or own[0]["bills"] != "committed":
            return None
        found[fleet] = own[0]
    return found


def _payback(found: Sequence[Alternative]) -> Row | None:
    """The month in which the cash paid so far falls to the baseline's, after it was above."""
    if found[0].uncovered_gpu_hours:
        return None
    base = found[0].monthly_billed_usd
    values: list[Value] = [None]
    for each in found[1:]:
        own = each.monthly_billed_usd
        values.append(None if each.uncovered_gpu_hours or own == base else _paid_back(own, base))
    if not {*values} - {None, "at once"}:
        return None
    return Row(PAYBACK, "month", "lower", tuple(values),
               "Month in which cumulative cash falls to the baseline's; never: not in the run.")


def _paid_back(own: Mapping[str, Decimal], base: Mapping[str, Decimal]) -> str:
    above, at, ahead = False, None, Decimal(0)
    for month in sorted({*own, *base}):
        ahead += own.get(month, Decimal(0)) - base.get(month, Decimal(0))
        if ahead > 0:
            above, at = True, None
        elif above and at is None:
            at = month
    return "never" if above and at is None else at or "at once"


def _notes(found: Sequence[Alternative]) -> list[str]:
    notes = []
    bound = [each.name for each in found if each.bound]
    if bound:
        notes.append(f"* {', '.join(bound)}: a bound. Use is the hourly mean of the required GPUs, rented "
                     "and given back as if by the hour.")
    again = [each.name for each in found if not isinstance(each.result, Run) and each.result.simulated_again]
    if again:
        notes.append(f"{', '.join(again)}: simulated again, because the contracts take capacity away.")
    for each in found:
        if each.uncovered_gpu_hours:
            notes.append(f"! {each.name}: {each.uncovered_gpu_hours:,.0f} GPU-hours without a contract. They "
                         "cost nothing here, so its total is too low.")
    for each in found:
        if each.banked_usd > 0:
            notes.append(f"{each.name}: ${each.banked_usd:,.0f} of what was billed is for make-up "
                         "hours not taken yet. They are no cost until they lapse, and lapse without use "
                         "above the minimum.")
    seeds = {(each.run.manifest["seed"], each.run.manifest["replication"]) for each in found}
    if len(seeds) > 1:
        notes.append("The runs have different seeds: part of the differences is chance.")
    return notes
