"""A finished run as what was metered: its usage, read once and rated under as many contracts as one likes."""

import json
from collections.abc import Mapping
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from fleetsim.errors import UsageError
from fleetsim.experiments.basis import given_back
from fleetsim.experiments.physics import interruptions
from fleetsim.experiments.pnl import revenue_of
from fleetsim.experiments.usage import Basis, metered_usage, work_of
from fleetsim.ledger.allocation import ShareUse, Work
from fleetsim.ledger.billing_columns import BILLING
from fleetsim.ledger.rating import Bill, Biller
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.model.scenario import Scenario
from fleetsim.output.run import Run
from fleetsim.rng import Streams
from fleetsim.timebase import epoch_us

REPLACED = (*BILLING, "fact_pnl_monthly", "dim_contract")
"""Tables of a run that other contracts change."""


class MeteredRun:
    """A run's usage, read once and rated under as many contracts as one likes."""

    def __init__(self, run: Run, scenario: Scenario | None = None) -> None:
        """`scenario` is the one that was simulated, where it is at hand: reading it again takes time."""
        self.run = run
        self._given = scenario
        self.numbers = count()
        """Tell the tables of different bills apart."""
        self._again: dict[str, MeteredRun] = {}

    @cached_property
    def scenario(self) -> Scenario:
        """What was simulated; without its traffic files when it was read from the run."""
        return self._given or scenario_of(self.run)

    @cached_property
    def work(self) -> tuple[list[ShareUse], list[Work]]:
        """What each pool's part of a fleet was and what each class had done."""
        return work_of(self.run)

    @cached_property
    def connection(self) -> Any:
        """DuckDB over the run's tables that no contract changes; take a cursor to add others."""
        from fleetsim.output.database import connect

        return connect(self.run.path, [name for name in self.run.tables if name not in REPLACED], threads=1)

    @cached_property
    def _usage(self) -> dict[str, dict[Basis, HourlyUsage]]:
        return metered_usage(self.run, self.scenario)

    @cached_property
    def _revenue(self) -> dict[str, dict[int, int]]:
        return revenue_of(self.run)

    def rate(self, scenario: Scenario, basis: Mapping[str, Basis]) -> Bill:
        """The bill under a scenario's contracts, with each fleet's use on its basis."""
        usage = [self._usage[fleet][basis[fleet]] for fleet in scenario.fleets]
        drawn = Streams(int(self.run.manifest["seed"]), int(self.run.manifest["replication"]))
        contracts = {name: given_back(contract, basis) for name, contract in scenario.contracts.items()}
        biller = Biller(contracts, providers=providers_of(scenario),
                        last_us=epoch_us(scenario.horizon.end), streams=drawn)
        return biller.bill(usage, self._revenue)

    def with_interruptions(self, scenario: Scenario, name: str) -> "MeteredRun":
        """The run in which a scenario's contracts take GPUs away: itself, or one that is simulated.

        That one is kept under `name` or the scenario's. UsageError when it has to be simulated and its
        traffic files are not at hand.
        """
        taken = interruptions(scenario)
        if taken == interruptions(self.scenario):
            return self
        key = json.dumps(taken, default=str)
        if key not in self._again:
            self._again[key] = self._simulated(scenario, name)
        return self._again[key]

    def _simulated(self, scenario: Scenario, name: str) -> "MeteredRun":
        from fleetsim.runner import simulate
        from fleetsim.spec import override

        if self._given is None and has_traffic_files(self.run):
            raise UsageError(f"{scenario.name}: these contracts take GPUs away, so that it must be simulated "
                             f"again, and {self.run.path} does not hold its traffic files; compare the "
                             "scenario file instead of the run")
        named = override(scenario, {"name": name}) if name else scenario
        again = simulate(named, seed=int(self.run.manifest["seed"]),
                         replication=int(self.run.manifest["replication"]),
                         results=self.run.path.parent.parent)
        return MeteredRun(again, named)


def scenario_of(run: Run) -> Scenario:
    """The scenario of a run, without the traffic files that only a simulation needs."""
    from fleetsim.spec import from_source

    source = dict(run.scenario)
    traffic = source.get("traffic")
    if isinstance(traffic, dict):
        source["traffic"] = {name: {**entry, "messages_per_day": 0} if _has_file(entry) else entry
                             for name, entry in traffic.items()}
    return from_source(source, Path())


def has_traffic_files(run: Run) -> bool:
    """Whether the traffic of a run's scenario comes from files, which a run does not hold."""
    traffic = run.scenario.get("traffic")
    return isinstance(traffic, dict) and any(_has_file(entry) for entry in traffic.values())


def _has_file(entry: Any) -> bool:
    volume = entry.get("messages_per_day") if isinstance(entry, dict) else None
    return isinstance(volume, dict) and ("file" in volume or "series" in volume)


def providers_of(scenario: Scenario) -> dict[str, str]:
    """By fleet: who sends the invoice."""
    return {name: fleet.provider for name, fleet in scenario.fleets.items()}
