"""Payers: how a price or a rate limit moves the messages of the classes that a subscription pays for."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np

from fleetsim.engine.index import Index
from fleetsim.model.base import at, change_dates
from fleetsim.model.revenue import Subscription
from fleetsim.model.scenario import Scenario
from fleetsim.policies import static_plan

StepAt = Callable[[datetime], int]
"""The first step that starts at or after an instant."""


class Payers:
    """The factor on the payers of every elastic subscription, block by block.

    factor = (price / reference)^price_elasticity x let_through^rate_limit_elasticity, where let_through
    is what the rate limits of the classes let pass of their mean expected messages (no shape, no noise,
    no retries), before anybody leaves because of them.
    """

    def __init__(self, scenario: Scenario, index: Index) -> None:
        self.elastic = scenario.finance.elastic() if scenario.finance else {}
        self.start = scenario.horizon.start
        self._classes = {name: [index.classes.index(each) for each in stream.traffic_classes]
                         for name, stream in self.elastic.items()}
        limits = static_plan(scenario.policies.values()).max_messages_per_s
        self._limits = np.array([limits.get(name, np.inf) for name in index.classes])
        self.by_limits: dict[str, np.ndarray] = {}
        """By subscription: the part of the factor that comes from rate limits, for each step of the block."""

    def move(self, plain: np.ndarray, rates: np.ndarray, first: int, last: int, step_at: StepAt) -> None:
        """Multiply the classes' rates (N, C) by their payers' factor; `plain` are the rates without shape."""
        for name, stream in self.elastic.items():
            factor = self._by_price(stream, first, last, step_at)
            places = self._classes[name]
            wanted = plain[:, places] * factor[:, None]
            passed = np.minimum(wanted, self._limits[places]).sum(axis=1)
            whole = wanted.sum(axis=1)
            share = np.divide(passed, whole, out=np.ones_like(whole), where=whole > 0)
            self.by_limits[name] = share**stream.rate_limit_elasticity
            factor = factor * self.by_limits[name]
            for place in places:
                rates[:, place] *= factor

    def _by_price(self, stream: Subscription, first: int, last: int, step_at: StepAt) -> np.ndarray:
        """The part of the factor that comes from the price; it steps where the price does."""
        dates: list[Any] = [self.start, *(date for date in change_dates(stream.usd_per_month)
                                          if date > self.start)]
        ends = [min(max(step_at(date), first), last) for date in dates[1:]]
        factors = [stream.price_factor(float(at(stream.usd_per_month, date))) for date in dates]
        return np.repeat(factors, np.diff([first, *ends, last]))
