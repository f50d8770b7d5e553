"""Re-bill: a finished run under other contracts, without simulating again unless they change capacity.

Billing is a pure function of metered hourly usage, so most contracts can be compared on one run. Those that
take capacity away (spot interruptions) change what was served: then the scenario is simulated again under
them, with the same seed.
"""

import os
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from fleetsim.errors import UsageError
from fleetsim.experiments.basis import bases, fleets_with_other_contracts
from fleetsim.experiments.metered_run import REPLACED, MeteredRun, providers_of
from fleetsim.experiments.pnl import rebilled_pnl
from fleetsim.experiments.usage import Basis
from fleetsim.ledger.allocation import Allocation, allocate, hourly_cost
from fleetsim.ledger.billing_columns import BILLING, billing_columns
from fleetsim.ledger.rating import Bill
from fleetsim.model.scenario import Scenario
from fleetsim.output.run import Run

BILLED = re.compile(r"^(contracts|cost|finance|budgets)\.|usd|covered")
"""In the names of figures that depend on contracts."""
BY_CLASS = re.compile(r"^traffic\.|^cost\.idle")
"""Of them: those that divide cost by class."""


@dataclass(frozen=True)
class Rebilled:
    """A run under other contracts: its tables, figures and queries with the new charges in them."""

    meter: MeteredRun
    """Where the usage comes from."""
    scenario: Scenario
    """The scenario under the contracts that were rated."""
    bill: Bill
    basis: Mapping[str, Basis]
    """By fleet: what its use is; `required` is a bound."""
    other: frozenset[str]
    """Fleets under other contracts than those of the run asked about."""
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

    def on_required(self, fleets: Collection[str]) -> "Rebilled":
        """With the use of these fleets what they required, too, where a contract bills use."""
        basis = bases(self.scenario, self.other.union(fleets))
        if basis == self.basis:
            return self
        return replace(self, bill=self.meter.rate(self.scenario, basis), basis=basis)

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


def rebill(run: Run, contracts: str | os.PathLike[str] | Scenario, *,
           meter: MeteredRun | None = None) -> Rebilled:
    """The run under the contracts of a contract file, or of a scenario with the same fleets.

    ScenarioError when the file is wrong, UsageError when the scenario has other fleets, or must be simulated
    again and cannot be. `meter` saves reading the usage again for a second rating of the same run.
    """
    from fleetsim.spec import with_contract_file
    from fleetsim.spec.checks.names import MOST_CHARACTERS

    meter = meter or MeteredRun(run)
    if isinstance(contracts, Scenario):
        return under(meter, contracts)
    signed = with_contract_file(meter.scenario, contracts).scenario
    # A name of its own, so that the name of the run goes on meaning the run under its own contracts.
    name = f"{meter.scenario.name}-{Path(contracts).stem}"
    return under(meter, signed, name=re.sub(r"[^A-Za-z0-9_-]+", "-", name)[:MOST_CHARACTERS])


def under(meter: MeteredRun, scenario: Scenario, name: str = "", *,
          required: Collection[str] = ()) -> Rebilled:
    """The run under a scenario's contracts; simulated again when they take other capacity away.

    Where a contract bills use, that is what was required for fleets under other contracts than the run's, and
    for those in `required`. Errors as for `rebill`; `name` is that of a run that is simulated.
    """
    if scenario.fleets != meter.scenario.fleets:
        raise UsageError(f"{scenario.name} has other fleets than {meter.run.path}; simulate it")
    other = fleets_with_other_contracts(scenario, meter.scenario)
    basis, own = bases(scenario, other.union(required)), meter.with_interruptions(scenario, name)
    return Rebilled(own, scenario, own.rate(scenario, basis), basis, other, own is not meter)
