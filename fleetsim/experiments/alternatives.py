"""Alternatives: what is compared, from scenario files, contract files and runs; one run serves several."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetsim.errors import UsageError
from fleetsim.experiments.rebill import Meter, Rebilled, interruptions, rebill
from fleetsim.output.layout import is_run
from fleetsim.output.run import Run

if TYPE_CHECKING:
    from fleetsim.model.scenario import Scenario

ONLY_BILLED = ("name", "description", "contracts", "offers", "objectives", "published", "budgets")
"""Sections of a scenario that change nothing of what is simulated."""


@dataclass(frozen=True)
class Alternative:
    """One column of a comparison."""

    name: str
    result: Run | Rebilled
    how: str
    """simulated, re-billed, or read."""

    @cached_property
    def figures(self) -> Mapping[str, float | str | None]:
        """Every figure by name."""
        return self.result.summary["figures"] if isinstance(self.result, Run) else self.result.figures

    @property
    def bound(self) -> list[str]:
        """Fleets whose use is what was required: their cost is a bound."""
        if isinstance(self.result, Run):
            return []
        return [fleet for fleet, basis in self.result.basis.items() if basis == "required"]

    def monthly_billed_usd(self) -> dict[str, float]:
        """Cash by month."""
        rows = self.result.sql("select month::varchar as month, sum(billed_usd) as usd "
                               "from fact_invoice_monthly group by month order by month")
        return {str(month): float(usd) for month, usd in zip(rows["month"], rows["usd"], strict=True)}


@dataclass
class Bench:
    """Makes alternatives; what was simulated or read for one serves the next."""

    results: Path
    seed: int = 0

    def __post_init__(self) -> None:
        self._runs: dict[str, tuple[Run, Meter | None]] = {}

    def of_scenario(self, name: str, scenario: "Scenario") -> Alternative:
        """A scenario: simulated, or re-billed when only its contracts differ from one that was."""
        key = physics(scenario)
        if key not in self._runs:
            run = self._simulated(scenario)
            self._runs[key] = (run, None)
            return Alternative(name, run, "read" if run.reused else "simulated")
        return Alternative(name, rebill(self._runs[key][0], scenario, meter=self._meter(key)), "re-billed")

    def of_run(self, run: Run) -> Alternative:
        """A finished run."""
        key = f"run {run.path}"
        self._runs.setdefault(key, (run, None))
        return Alternative(f"{run.manifest['scenario']}/{run.run_id[:6]}", run, "read")

    def of_contracts(self, path: Path) -> Alternative:
        """The first alternative under the contracts of a file; UsageError when there is none."""
        if not self._runs:
            raise UsageError(f"{path} holds contracts only: name a scenario or a run to bill before it")
        key = next(iter(self._runs))
        result = rebill(self._runs[key][0], path, meter=self._meter(key))
        return Alternative(path.stem, result, "simulated" if result.simulated_again else "re-billed")

    def _meter(self, key: str) -> Meter:
        run, meter = self._runs[key]
        if meter is None:
            meter = Meter(run)
            self._runs[key] = (run, meter)
        return meter

    def _simulated(self, scenario: "Scenario") -> Run:
        from fleetsim.runner import simulate

        return simulate(scenario, seed=self.seed, results=self.results)


def alternatives(paths: Sequence[str | os.PathLike[str]], *, results: Path, seed: int = 0,
                 scenarios: Sequence[str] = (), overrides: Sequence[str] = ()) -> list[Alternative]:
    """The alternatives that files and run directories stand for, in their order.

    A scenario file stands for itself and each of its named scenarios, or those in `scenarios`. UsageError
    and ScenarioError as for the files.
    """
    from fleetsim.spec import is_contract_file, load_all

    bench, found = Bench(results, seed), []
    for given in paths:
        path = Path(given)
        if path.is_dir() and is_run(path):
            found.append(bench.of_run(Run(path)))
        elif is_contract_file(path):
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
        found = [Alternative(f"{each.name}#{k}" if names.count(each.name) > 1 else each.name, each.result,
                             each.how) for k, each in enumerate(found, start=1)]
    return found


def of_runs(runs: Sequence[Run]) -> list[Alternative]:
    """The alternatives that finished runs stand for."""
    return [Alternative(f"{run.manifest['scenario']}/{run.run_id[:6]}", run, "read") for run in runs]


def of_scenarios(scenarios: "Sequence[Scenario]", *, results: Path, seed: int = 0) -> list[Alternative]:
    """The alternatives that loaded scenarios stand for."""
    bench = Bench(results, seed)
    return [bench.of_scenario(scenario.name, scenario) for scenario in scenarios]


def physics(scenario: "Scenario") -> str:
    """What decides everything but money: two scenarios with the same can share a run."""
    kept: dict[str, Any] = {key: value for key, value in scenario.source.items() if key not in ONLY_BILLED}
    kept["interruptions"] = interruptions(scenario)
    return json.dumps(kept, default=str)
