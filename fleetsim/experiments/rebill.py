"""Re-bill: a finished run under other contracts, without simulating again unless they change capacity.

Billing is a pure function of metered hourly usage, so most contracts can be compared on one run. Those that
take capacity away (spot interruptions) change what was served: then the scenario is simulated again under
them, with the same seed.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from fleetsim.errors import UsageError
from fleetsim.experiments.pnl import rebilled_pnl, revenue_of
from fleetsim.experiments.usage import Basis, metered_usage, work_of
from fleetsim.ledger.allocation import allocate, hourly_cost
from fleetsim.ledger.budgets import budget_columns
from fleetsim.ledger.columns import commitment_columns, cost_columns, invoice_columns
from fleetsim.ledger.primitives import RateCard, SpendCommitment
from fleetsim.ledger.rating import Bill, Biller
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.model.scenario import Scenario
from fleetsim.output.run import Run
from fleetsim.rng import Streams
from fleetsim.timebase import epoch_us

REPLACED = ("fact_cost_hourly", "fact_commitment_hourly", "fact_invoice_monthly",
            "fact_cost_allocation_hourly", "fact_budget_monthly", "fact_pnl_monthly", "dim_contract")
"""Tables of a run that other contracts change."""


BILLED = re.compile(r"^(contracts|cost|finance)\.|usd|covered")
"""In the names of figures that depend on contracts."""


@dataclass(frozen=True)
class Rebilled:
    """A run under other contracts: its tables, figures and queries with the new charges in them."""

    run: Run
    """The run that the usage comes from."""
    scenario: Scenario
    """The scenario under the contracts that were rated."""
    bill: Bill
    basis: Mapping[str, Basis]
    """By fleet: what its use is; `required` is a bound."""
    simulated_again: bool
    """Whether the contracts change capacity, so that the run is another than the one asked about."""

    @cached_property
    def tables(self) -> Mapping[str, Any]:
        """The replaced tables, as `pyarrow.Table` by name."""
        from fleetsim.output.dimensions import dimension_rows
        from fleetsim.output.sink import TableSink

        providers = providers_of(self.scenario)
        sink = TableSink(self.run.run_id)
        sink.write("fact_cost_hourly", cost_columns(self.bill.charges, providers))
        if self.bill.commitments:
            sink.write("fact_commitment_hourly",
                       commitment_columns(self.bill.commitments, self.bill.hour_us, providers))
        sink.write("fact_invoice_monthly", invoice_columns(self.bill, providers))
        serving = [name for name, fleet in self.scenario.fleets.items() if fleet.role == "serving"]
        cost = hourly_cost(self.bill.charges, self.bill.hour_us, serving)
        allocation = allocate(cost, *work_of(self.run, self.bill.hour_us))
        sink.write("fact_cost_allocation_hourly", allocation.columns(self.bill.hour_us))
        if self.scenario.budgets:
            sink.write("fact_budget_monthly",
                       budget_columns(self.scenario.budgets, self.bill.charges, self.bill.hour_us))
        pnl = rebilled_pnl(self.run, self.scenario, self.bill.charges)
        if pnl is not None:
            sink.write("fact_pnl_monthly", pnl)
        rows = dimension_rows(self.scenario, seed=0, replication=0, resolution="hour")
        sink.write("dim_contract", rows["dim_contract"])
        return {name: sink.table(name) for name in REPLACED}

    def arrow(self, name: str) -> Any:
        """A table as `pyarrow.Table`, amounts as exact decimals."""
        return self.tables[name] if name in self.tables else self.run.arrow(name)

    def table(self, name: str) -> Any:
        """A table as `pandas.DataFrame`, amounts as float64."""
        from fleetsim.output.frames import as_frame

        return as_frame(self.arrow(name))

    def sql(self, query: str) -> Any:
        """The result of one SELECT over the tables, as `pandas.DataFrame`."""
        from fleetsim.output.frames import as_frame

        return as_frame(self._connection.sql(query).to_arrow_table())

    def figure(self, name: str) -> float | str | None:
        """A registered figure over the whole run."""
        from fleetsim.output.figures import compute

        return compute(self._facts, name)

    @cached_property
    def figures(self) -> dict[str, float | str | None]:
        """Every registered figure; those that no contract changes are the run's."""
        from fleetsim.output.figures import compute, figure_names

        own = self.run.summary["figures"]
        return {name: compute(self._facts, name) if BILLED.search(name) or name not in own else own[name]
                for name in figure_names(self._facts)}

    @cached_property
    def _connection(self) -> Any:
        from fleetsim.output.database import connect

        kept = [name for name in self.run.tables if name not in REPLACED]
        connection = connect(self.run.path, kept, threads=1)
        for name, rows in self.tables.items():
            connection.register(name, rows)
        return connection

    @cached_property
    def _facts(self) -> Any:
        from fleetsim.output.facts import Facts, Things

        return Facts(self._connection, Things.of(self._connection), self.run.window)


class Meter:
    """A run's usage, read once and rated under as many contracts as one likes."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.scenario = scenario_of(run)
        self._usage = metered_usage(run, self.scenario)
        self._revenue = revenue_of(run)

    def rate(self, scenario: Scenario) -> tuple[Bill, dict[str, Basis]]:
        """The bill under a scenario's contracts, and the basis of each fleet."""
        basis = {fleet: self._basis(fleet, scenario) for fleet in scenario.fleets}
        usage: list[HourlyUsage] = [self._usage[fleet][basis[fleet]] for fleet in scenario.fleets]
        drawn = Streams(int(self.run.manifest["seed"]), int(self.run.manifest["replication"]))
        biller = Biller(scenario.contracts, providers=providers_of(scenario),
                        last_us=epoch_us(scenario.horizon.end), streams=drawn)
        return biller.bill(usage, self._revenue), basis

    def _basis(self, fleet: str, scenario: Scenario) -> Basis:
        """`required` where the fleet would be rented by the hour and was not."""
        if scenario.fleets[fleet].role == "training" or scenario.fleets[fleet].elastic is not None:
            return "metered"
        elastic = is_elastic(fleet, scenario)
        return "required" if elastic and not is_elastic(fleet, self.scenario) else "metered"


def rebill(run: Run, contracts: str | os.PathLike[str] | Scenario, *,
           meter: Meter | None = None) -> Rebilled:
    """The run under the contracts of a contract file, or of a scenario with the same fleets.

    ScenarioError when the file is wrong, UsageError when the scenario has other fleets. `meter` saves
    reading the usage again for a second rating of the same run.
    """
    from fleetsim.spec import with_contract_file

    meter = meter or Meter(run)
    own = meter.scenario
    scenario = contracts if isinstance(contracts, Scenario) else with_contract_file(own, contracts).scenario
    if scenario.fleets != own.fleets:
        raise UsageError(f"{scenario.name} has other fleets than {run.path}; simulate it")
    if interruptions(scenario) == interruptions(own):
        return Rebilled(run, scenario, *meter.rate(scenario), simulated_again=False)
    from fleetsim.runner import simulate

    again = simulate(scenario, seed=int(run.manifest["seed"]), replication=int(run.manifest["replication"]),
                     results=run.path.parent.parent)
    return Rebilled(again, scenario, *Meter(again).rate(scenario), simulated_again=True)


def scenario_of(run: Run) -> Scenario:
    """The scenario of a run, without the traffic files that only a simulation needs."""
    from fleetsim.spec import from_source

    source = dict(run.scenario)
    traffic = source.get("traffic")
    if isinstance(traffic, dict):
        source["traffic"] = {name: _without_file(entry) for name, entry in traffic.items()}
    return from_source(source, Path())


def _without_file(entry: Any) -> Any:
    volume = entry.get("messages_per_day") if isinstance(entry, dict) else None
    has_file = isinstance(volume, dict) and ("file" in volume or "series" in volume)
    return {**entry, "messages_per_day": 0} if has_file else entry


def providers_of(scenario: Scenario) -> dict[str, str]:
    """By fleet: who sends the invoice."""
    return {name: fleet.provider for name, fleet in scenario.fleets.items()}


def is_elastic(fleet: str, scenario: Scenario) -> bool:
    """Whether a contract bills what the fleet uses, and not what is committed."""
    return any(fleet in contract.fleets and isinstance(contract.terms().primitive, RateCard | SpendCommitment)
               for contract in scenario.contracts.values())


def interruptions(scenario: Scenario) -> dict[str, tuple[Any, ...]]:
    """By fleet: how its contracts take capacity away."""
    fields = ("interruption_mtbf_h", "interrupted_frac", "interruption_h", "restart_s")
    return {contract.fleets[0]: tuple(getattr(contract, name) for name in fields)
            for contract in scenario.contracts.values() if getattr(contract, "changes_capacity", False)}
