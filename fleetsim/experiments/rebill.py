"""Re-bill: a finished run under other contracts, without simulating again unless they change capacity.

Billing is a pure function of metered hourly usage, so most contracts can be compared on one run. Those that
take capacity away (spot interruptions) change what was served: then the scenario is simulated again under
them, with the same seed.
"""

import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from fleetsim.errors import UsageError
from fleetsim.experiments.physics import interruptions
from fleetsim.experiments.pnl import rebilled_pnl, revenue_of
from fleetsim.experiments.usage import Basis, metered_usage, work_of
from fleetsim.ledger.allocation import Allocation, ShareUse, Work, allocate, hourly_cost
from fleetsim.ledger.billing_columns import BILLING, billing_columns
from fleetsim.ledger.contracts import Spot
from fleetsim.ledger.rating import Bill, Biller
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.model.contract import Contract
from fleetsim.model.scenario import Scenario
from fleetsim.output.run import Run
from fleetsim.rng import Streams
from fleetsim.timebase import epoch_us

REPLACED = (*BILLING, "fact_pnl_monthly", "dim_contract")
"""Tables of a run that other contracts change."""
BILLED = re.compile(r"^(contracts|cost|finance|budgets)\.|usd|covered")
"""In the names of figures that depend on contracts."""
BY_CLASS = re.compile(r"^traffic\.|^cost\.idle")
"""Of them: those that divide cost by class."""


@dataclass(frozen=True)
class Rebilled:
    """A run under other contracts: its tables, figures and queries with the new charges in them."""

    meter: "Meter"
    """Where the usage comes from."""
    scenario: Scenario
    """The scenario under the contracts that were rated."""
    bill: Bill
    basis: Mapping[str, Basis]
    """By fleet: what its use is; `required` is a bound."""
    simulated_again: bool
    """Whether the contracts change capacity, so that the run is another than the one asked about."""

    @property
    def run(self) -> Run:
        """The run that the usage comes from."""
        return self.meter.run

    @property
    def tables(self) -> Mapping[str, Any]:
        """The replaced tables, as `pyarrow.Table` by name."""
        return {name: self.arrow(name) for name in REPLACED}

    def arrow(self, name: str) -> Any:
        """A table as `pyarrow.Table`, amounts as exact decimals."""
        if name not in REPLACED:
            return self.run.arrow(name)
        if name not in self._made:
            from fleetsim.output.sink import TableSink

            sink, columns = TableSink(self.run.run_id), self._columns(name)
            if columns is not None:
                sink.write(name, columns)
            self._made[name] = sink.table(name)
        return self._made[name]

    @cached_property
    def _made(self) -> dict[str, Any]:
        return {}

    def _columns(self, name: str) -> Mapping[str, Any] | None:
        """The columns of a replaced table; None when it has no rows."""
        if name in BILLING:
            return billing_columns(name, self.bill, providers_of(self.scenario), self.scenario.budgets,
                                   self._allocation)
        if name == "fact_pnl_monthly":
            return rebilled_pnl(self.run, self.scenario, self.bill.charges)
        from fleetsim.output.dimensions import dimension_rows

        return dimension_rows(self.scenario, seed=0, replication=0, resolution="hour")[name]

    def _allocation(self, bill: Bill) -> Allocation:
        serving = [fleet for fleet, spec in self.scenario.fleets.items() if spec.role == "serving"]
        return allocate(hourly_cost(bill.charges, bill.hour_us, serving), *self.meter.work)

    def table(self, name: str) -> Any:
        """A table as `pandas.DataFrame`, amounts as float64."""
        from fleetsim.output.frames import as_frame

        return as_frame(self.arrow(name))

    def sql(self, query: str) -> Any:
        """The result of one SELECT over the tables, as `pandas.DataFrame`."""
        from fleetsim.output.frames import as_frame

        return as_frame(self._with(REPLACED).sql(query).to_arrow_table())

    def figure(self, name: str) -> float | str | None:
        """A registered figure over the whole run; those that no contract changes are the run's."""
        from fleetsim.output.figures import compute

        name = name.removeprefix("result:")
        own = self.run.summary["figures"]
        if name in own and not BILLED.search(name):
            value: float | str | None = own[name]
            return value
        if BY_CLASS.search(name):
            self._with(REPLACED)
        return compute(self._facts, name)

    @cached_property
    def figure_names(self) -> list[str]:
        """Every registered figure of its fleets, pools, classes, contracts and budgets."""
        from fleetsim.output.figures import figure_names

        return figure_names(self._facts)

    @property
    def figures(self) -> dict[str, float | str | None]:
        """Every registered figure."""
        return {name: self.figure(name) for name in self.figure_names}

    @cached_property
    def _connection(self) -> Any:
        connection = self.meter.connection.cursor()
        connection.execute("set TimeZone = 'UTC'")
        return connection

    def _with(self, tables: Iterable[str]) -> Any:
        """The connection with these of the replaced tables in it."""
        for name in tables:
            if name not in self._viewed:
                # `register` would import pandas, which takes longer than all queries together. Views are
                # seen by all cursors, temporary ones only by their own.
                own = f"{name}_{next(self.meter.numbers)}"
                self._connection.from_arrow(self.arrow(name)).create_view(own)
                self._connection.execute(f"create temp view {name} as select * from {own}")
                self._viewed.add(name)
        return self._connection

    @cached_property
    def _viewed(self) -> set[str]:
        return set()

    @cached_property
    def _facts(self) -> Any:
        from fleetsim.output.facts import Facts, Things

        # Cost by class takes time; it is divided when a figure first asks for it.
        connection = self._with(name for name in REPLACED if name != "fact_cost_allocation_hourly")
        bound = [fleet for fleet, basis in self.basis.items() if basis == "required"]
        return Facts(connection, Things.of(connection, bound), self.run.window)


class Meter:
    """A run's usage, read once and rated under as many contracts as one likes."""

    def __init__(self, run: Run, scenario: Scenario | None = None) -> None:
        """`scenario` is the one that was simulated, where it is at hand: reading it again takes time."""
        self.run = run
        self._given = scenario
        self.numbers = count()
        """Tell the tables of different bills apart."""
        self._again: dict[str, Meter] = {}

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

    def under(self, scenario: Scenario, name: str = "") -> Rebilled:
        """The run under a scenario's contracts.

        When they take other capacity away than the run's own, it is simulated again, and kept under `name`
        or the scenario's. UsageError when the scenario has other fleets, or when it has to be simulated and
        its traffic files are not at hand.
        """
        if scenario.fleets != self.scenario.fleets:
            raise UsageError(f"{scenario.name} has other fleets than {self.run.path}; simulate it")
        basis = {fleet: _basis(fleet, scenario, self.scenario) for fleet in scenario.fleets}
        meter, taken = self, interruptions(scenario)
        if taken != interruptions(self.scenario):
            key = json.dumps(taken, default=str)
            if key not in self._again:
                self._again[key] = self._simulated(scenario, name)
            meter = self._again[key]
        return Rebilled(meter, scenario, meter.rate(scenario, basis), basis, meter is not self)

    def rate(self, scenario: Scenario, basis: Mapping[str, Basis]) -> Bill:
        """The bill under a scenario's contracts, with each fleet's use on its basis."""
        usage = [self._usage[fleet][basis[fleet]] for fleet in scenario.fleets]
        drawn = Streams(int(self.run.manifest["seed"]), int(self.run.manifest["replication"]))
        contracts = {name: _by_the_hour(contract, basis) for name, contract in scenario.contracts.items()}
        biller = Biller(contracts, providers=providers_of(scenario),
                        last_us=epoch_us(scenario.horizon.end), streams=drawn)
        return biller.bill(usage, self._revenue)

    def _simulated(self, scenario: Scenario, name: str) -> "Meter":
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
        return Meter(again, named)


def rebill(run: Run, contracts: str | os.PathLike[str] | Scenario, *,
           meter: Meter | None = None) -> Rebilled:
    """The run under the contracts of a contract file, or of a scenario with the same fleets.

    ScenarioError when the file is wrong, UsageError when the scenario has other fleets, or must be simulated
    again and cannot be. `meter` saves reading the usage again for a second rating of the same run.
    """
    from fleetsim.spec import with_contract_file
    from fleetsim.spec.checks.names import MOST_CHARACTERS

    meter = meter or Meter(run)
    if isinstance(contracts, Scenario):
        return meter.under(contracts)
    signed = with_contract_file(meter.scenario, contracts).scenario
    # A name of its own, so that the name of the run goes on meaning the run under its own contracts.
    name = f"{meter.scenario.name}-{Path(contracts).stem}"
    return meter.under(signed, name=re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:MOST_CHARACTERS])


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


def is_elastic(fleet: str, scenario: Scenario) -> bool:
    """Whether a contract's bill moves with what the fleet uses."""
    return any(fleet in contract.fleets and contract.bills_use for contract in scenario.contracts.values())


def _basis(fleet: str, scenario: Scenario, before: Scenario) -> Basis:
    """`required` where the fleet would be rented by the hour and was not."""
    spec = scenario.fleets[fleet]
    if spec.role == "training" or spec.elastic is not None:
        return "metered"
    return "required" if is_elastic(fleet, scenario) and not is_elastic(fleet, before) else "metered"


def _by_the_hour(contract: Contract, basis: Mapping[str, Basis]) -> Contract:
    """A contract as it bills a fleet whose use is what was required: spot GPUs are given back, too."""
    if isinstance(contract, Spot) and contract.share_frac is None and basis[contract.fleet] == "required":
        return replace(contract, share_frac=Decimal(1))
    return contract
