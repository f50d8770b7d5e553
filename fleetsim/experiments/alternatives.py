"""Alternatives: what is compared, from scenario files, contract files and runs; one run serves several."""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetsim.errors import UsageError
from fleetsim.experiments.basis import bases
from fleetsim.experiments.metered_run import MeteredRun
from fleetsim.experiments.physics import physics
from fleetsim.experiments.rebill import Rebilled, rebill, under
from fleetsim.output.layout import is_run
from fleetsim.output.run import Run
from fleetsim.output.window import Window

if TYPE_CHECKING:
    from fleetsim.model.scenario import Scenario


@dataclass(frozen=True)
class Alternative:
    """One column of a comparison."""

    name: str
    result: Run | Rebilled
    how: str
    """simulated, simulated again (because its contracts take GPUs away), re-billed, or read."""
    meter: MeteredRun
    """What was metered of the run that the usage comes from."""

    @property
    def figure_names(self) -> Iterable[str]:
        """The names of its figures."""
        result = self.result
        return result.summary["figures"] if isinstance(result, Run) else result.figure_names

    def figure(self, name: str) -> float | str | None:
        """A figure; None when it has none of that name."""
        if name not in self._figures and name in self.figure_names:
            result = self.result
            self._figures[name] = result.summary["figures"][name] if isinstance(result, Run) else \
                result.figure(name)
        return self._figures.get(name)

    def number(self, name: str) -> float | None:
        """A figure that is a number; None when it is none."""
        value = self.figure(name)
        return float(value) if isinstance(value, float | int) else None

    @cached_property
    def _figures(self) -> dict[str, float | str | None]:
        return {}

    @property
    def run(self) -> Run:
        """The run that the usage comes from."""
        return self.meter.run

    @property
    def bound(self) -> list[str]:
        """Fleets whose use is what was required: their cost is a bound."""
        if isinstance(self.result, Run):
            return []
        return [fleet for fleet, basis in self.result.basis.items() if basis == "required"]

    def on_required(self, fleets: Collection[str]) -> "Alternative":
        """With the use of these fleets what they required, where a contract bills use."""
        if isinstance(self.result, Rebilled):
            return replace(self, result=self.result.on_required(fleets))
        if not fleets or "required" not in bases(self.meter.scenario, fleets).values():
            return self
        return _rebilled(self.name, under(self.meter, self.meter.scenario, required=fleets))

    @cached_property
    def uncovered_gpu_hours(self) -> float:
        """GPU-hours that no contract bills, so that the total is too low."""
        return sum(self.number(name) or 0.0 for name in self.figure_names
                   if name.endswith(".uncovered_gpu_hours"))

    @cached_property
    def banked_usd(self) -> Decimal:
        """Paid for make-up hours that are neither taken nor lapsed at the end: no cost yet."""
        named = [row["contract"] for row in self.contracts if row["kind"] == "take_or_pay"]
        if not named:
            return Decimal(0)
        rows = self.result.arrow("fact_cost_hourly").select(
            ["contract", "clause", "billed_usd", "effective_usd"]).to_pylist()
        banked = {row["contract"] for row in rows if row["clause"] == "make_up"}
        return sum((row["billed_usd"] - row["effective_usd"] for row in rows if row["contract"] in banked),
                   Decimal(0))

    @cached_property
    def contracts(self) -> list[dict[str, Any]]:
        """Its contracts: rows of `dim_contract`."""
        rows: list[dict[str, Any]] = self.result.arrow("dim_contract").to_pylist()
        return rows

    @cached_property
    def monthly_billed_usd(self) -> dict[str, Decimal]:
        """Cash by month."""
        found: dict[str, Decimal] = {}
        for row in self.result.arrow("fact_invoice_monthly").select(["month", "billed_usd"]).to_pylist():
            month = f"{row['month']:%Y-%m-%d}"
            found[month] = found.get(month, Decimal(0)) + row["billed_usd"]
        return found


@dataclass
class Bench:
    """Makes alternatives; what was simulated or read for one serves the next."""

    results: Path
    seed: int = 0

    def __post_init__(self) -> None:
        self._meters: dict[str, MeteredRun] = {}
        self._first: tuple[str, Window] | None = None

    def of_scenario(self, name: str, scenario: "Scenario") -> Alternative:
        """A scenario: simulated, or re-billed when only its contracts differ from one that was."""
        from fleetsim.output.dimensions import recorded_from

        self._check_window(name, Window(recorded_from(scenario), scenario.horizon.end))
        key = physics(scenario)
        if key in self._meters:
            return _rebilled(name, under(self._meters[key], scenario))
        run = self._simulated(scenario)
        meter = self._meters[key] = MeteredRun(run, scenario)
        return Alternative(name, run, "read" if run.reused else "simulated", meter)

    def of_run(self, run: Run) -> Alternative:
        """A finished run."""
        name = f"{run.manifest['scenario']}/{run.run_id[:6]}"
        self._check_window(name, run.window)
        meter = self._meters.setdefault(f"run {run.path}", MeteredRun(run))
        return Alternative(name, run, "read", meter)

    def of_contracts(self, path: Path) -> Alternative:
        """The first alternative under the contracts of a file; UsageError when there is none."""
        if not self._meters:
            raise UsageError(f"{path} holds contracts only: name a scenario or a run to bill before it")
        meter = next(iter(self._meters.values()))
        return _rebilled(path.stem, rebill(meter.run, path, meter=meter))

    def _check_window(self, name: str, window: Window) -> None:
        """UsageError when it records other hours than the first: their sums cannot be compared."""
        first, own = self._first or (name, window)
        self._first = first, own
        if (own.start, own.end) != (window.start, window.end):
            raise UsageError(
                f"{name} records {window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M} UTC, "
                f"{first} {own.start:%Y-%m-%d %H:%M} to {own.end:%Y-%m-%d %H:%M}: only the same hours can be "
                "compared")

    def _simulated(self, scenario: "Scenario") -> Run:
        from fleetsim.runner import simulate

        return simulate(scenario, seed=self.seed, results=self.results)


def _rebilled(name: str, result: Rebilled) -> Alternative:
    how = "simulated again" if result.simulated_again else "re-billed"
    return Alternative(name, result, how, result.meter)


def on_one_basis(found: Sequence[Alternative]) -> list[Alternative]:
    """The alternatives, all that bill a fleet's use on the same basis.

    Where one is re-billed under other contracts for a fleet than its run's, use is what was required in all:
    what a contract costs then depends neither on its place nor on what it is compared with.
    """
    other = {fleet for each in found if isinstance(each.result, Rebilled) for fleet in each.result.other}
    return [each.on_required(other) for each in found]


def alternatives(paths: Sequence[str | os.PathLike[str]], *, results: Path, seed: int | None = None,
                 scenarios: Sequence[str] = (), overrides: Sequence[str] = ()) -> list[Alternative]:
    """The alternatives that files and run directories stand for, in their order.

    A scenario file stands for itself and each of its named scenarios, or those in `scenarios`. UsageError
    and ScenarioError as for the files, UsageError when there is no scenario file that `seed`, `scenarios`
    or `overrides` could change.
    """
    from fleetsim.spec import is_contract_file, load_all

    kinds = {Path(given): "run" if is_run(Path(given)) else
             "contracts" if is_contract_file(given) else "scenario" for given in paths}
    if "scenario" not in kinds.values():
        nothing_to_change(seed, scenarios, overrides)
    bench, found = Bench(results, seed or 0), []
    for given in paths:
        path = Path(given)
        if kinds[path] == "run":
            found.append(bench.of_run(Run(path)))
        elif kinds[path] == "contracts":
            found.append(bench.of_contracts(path))
        else:
            loaded = load_all(path, overrides=overrides)
            unknown = [name for name in scenarios if name not in loaded]
            if unknown:
                raise UsageError(f"{path} has no scenario {unknown[0]!r}; it has "
                                 f"{', '.join(name for name in loaded if name) or 'none'}")
            for name, each in loaded.items():
                if not scenarios or name in ("", *scenarios):
                    found.append(bench.of_scenario(name or each.scenario.name, each.scenario))
    names = [each.name for each in found]
    if len(set(names)) < len(names):
        found = [replace(each, name=f"{each.name}#{k}") if names.count(each.name) > 1 else each
                 for k, each in enumerate(found, start=1)]
    return found


def of_runs(runs: Sequence[Run]) -> list[Alternative]:
    """The alternatives that finished runs stand for."""
    bench = Bench(Path())
    return [bench.of_run(run) for run in runs]


def of_scenarios(scenarios: "Sequence[Scenario]", *, results: Path, seed: int = 0) -> list[Alternative]:
    """The alternatives that loaded scenarios stand for."""
    bench = Bench(results, seed)
    return [bench.of_scenario(scenario.name, scenario) for scenario in scenarios]


def nothing_to_change(seed: int | None, scenarios: Sequence[str], overrides: Sequence[str]) -> None:
    """UsageError when something was asked for that a finished run cannot give."""
    for option, given in (("--seed", seed is not None), ("--scenario", bool(scenarios)),
                          ("--set", bool(overrides))):
        if given:
            raise UsageError(f"{option} changes scenario files; a finished run stays as it is")
