"""Dated prices of contracts: the first one holds from the first hour that is billed."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from fleetsim.spec.checks.cover import accepted
from fleetsim.spec.checks.horizon import shown
from fleetsim.spec.draft import Draft


def check_prices(draft: Draft, name: str, contract: Any) -> None:
    """Warn of a price that begins after what it bills: the first one then holds before its date too."""
    if draft.horizon is None:
        return
    first = max(_first_use(draft, contract), contract.term[0] or draft.horizon.start)
    for key, dates in _dated(contract):
        if min(dates) > first:
            message = (f"has no price before {shown(min(dates))} and is billed from {shown(first)}: "
                       "the first price holds from then on")
            draft.warning("no-price-yet", ("contracts", name, *key), message, "add the price of that time")


def _first_use(draft: Draft, contract: Any) -> datetime:
    """The first instant of the horizon at which one of its fleets can have GPUs."""
    assert draft.horizon is not None, "called with a horizon"
    fleets = [draft.fleets[fleet] for fleet in contract.fleets if fleet in draft.fleets]
    if any(fleet.elastic for fleet in fleets):
        return draft.horizon.start
    starts = [accepted(tranche)[0] for fleet in fleets for tranche in fleet.tranches]
    return max(min(starts, default=draft.horizon.start), draft.horizon.start)


def _dated(terms: Any, key: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[datetime]]]:
    """Where values by date stand in the terms, and their dates; those of a plan's fleets too."""
    for field in fields(terms):
        value = getattr(terms, field.name)
        if not isinstance(value, Mapping):
            continue
        dates = [date for date in value if isinstance(date, datetime)]
        if dates:
            yield (*key, field.name), dates
        elif field.name == "rates":
            for fleet, rate in value.items():
                yield from _dated(rate, (field.name, fleet))
