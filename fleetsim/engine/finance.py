"""The books of a run: what was served and charged, put into the statement month by month."""

from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.bills import bills
from fleetsim.ledger.charges import Charges
from fleetsim.ledger.money import MICRO
from fleetsim.ledger.opening import opening_prepaid
from fleetsim.ledger.periods import month_number
from fleetsim.ledger.pnl_columns import pnl_columns
from fleetsim.ledger.recorded_month import RecordedMonth
from fleetsim.ledger.revenue import Served, earned
from fleetsim.ledger.statement import Month, RunningStatement
from fleetsim.timebase import HOUR_US

if TYPE_CHECKING:
    from fleetsim.engine.world import Block, World


def served(world: "World", block: "Block", skip: int, hour_us: np.ndarray) -> Served:
    """The tokens that a block served after its first `skip` hours, and what rate limits left of payers."""
    classes, specs = world.index.classes, world.scenario.traffic
    messages = block.hourly.served[skip:].sum(axis=2)
    calls = {name: messages[:, c] * specs[name].calls_per_message for c, name in enumerate(classes)}
    first_step = skip * world.things.steps_per_hour
    return Served(
        hour_us=hour_us,
        prompt_tokens={name: calls[name] * specs[name].prompt_tokens.mean for name in classes},
        output_tokens={name: calls[name] * specs[name].output_tokens.mean for name in classes},
        payers_factor={name: float(factor[first_step:].mean())
                       for name, factor in world.demand.payers.by_limits.items()},
    )


class Books:
    """Keeps what was served until the charges of the same months are known."""

    def __init__(self, world: "World", sink: Any) -> None:
        self.world = world
        self.sink = sink
        finance = world.scenario.finance
        assert finance is not None, "books are kept where there is a finance section"
        self._finance = finance
        self._statement: RunningStatement | None = None
        self._open: list[tuple[RecordedMonth, Served]] = []

    def record(self, block: "Block", skip: int, hour_us: np.ndarray) -> None:
        """Take note of what a block served; it lies in one calendar month."""
        if self._statement is None:
            self._statement = self._opened(int(hour_us[0]) // 1_000_000)
        period = RecordedMonth(int(hour_us[0]), int(hour_us[-1]) + HOUR_US)
        self._open.append((period, served(self.world, block, skip, hour_us)))

    def _opened(self, first_s: int) -> RunningStatement:
        """The statement before the first recorded hour; tranches that come later were not paid before."""
        scenario = self.world.scenario
        roles = {name: fleet.role for name, fleet in scenario.fleets.items()}
        return RunningStatement(self._finance, roles,
                                opening_prepaid(scenario.contracts, self.world.acceptances, first_s))

    def revenue(self) -> dict[str, dict[int, int]]:
        """What each stream earned in the months that are noted, micro-dollars, for shares of revenue."""
        streams = self._finance.revenue
        return {name: {month_number(period.start_us // 1_000_000):
                       round(earned(streams, name, period, found).usd * MICRO)
                       for period, found in self._open} for name in streams}

    def close(self, charges: Charges) -> None:
        """Write the months that are noted, with their charges."""
        assert self._statement is not None, "something is recorded before it is closed"
        for period, found in self._open:
            self.sink.write("fact_pnl_monthly", pnl_columns(self._statement.close(
                Month(period, found, bills(charges, period)))))
        self._open = []
