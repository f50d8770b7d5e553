"""A flat fleet: what so many GPUs, rented all year and in use, cost under real contracts, by the ledger."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.timebase import HOUR_S, HOUR_US, YEAR_H, epoch_us

if TYPE_CHECKING:
    from fleetsim.model.contract import Contract

YEAR_START = datetime(2024, 1, 1, tzinfo=UTC)
"""Of contracts that name no start."""


@dataclass(frozen=True)
class FlatCost:
    """A year of a flat fleet."""

    contracts: tuple[str, ...]
    fleet: str
    """The fleet of the contracts that the GPUs stand for."""
    gpus: int
    year_start: datetime
    effective_usd: float
    """What the year costs."""
    billed_usd: float
    """Cash of the year."""
    billed_gpu_hours: float
    """GPU-hours of the fleet that the contracts bill."""
    unused_usd: float = 0.0
    """Of the effective cost: committed and not used by this fleet."""
    remarks: tuple[str, ...] = ()
    """What the price has in it, or has not, that a reader may not expect."""

    @property
    def gpu_hours(self) -> int:
        """Of the fleet in the year."""
        return self.gpus * YEAR_H

    @property
    def covered_frac(self) -> float:
        """Share of the fleet's GPU-hours that the contracts bill."""
        return self.billed_gpu_hours / self.gpu_hours

    @property
    def usd_per_gpu_hour(self) -> float:
        """Effective cost per GPU-hour of the fleet that is billed."""
        return self.effective_usd / self.billed_gpu_hours


def signed(path: str | os.PathLike[str], contract: str | None = None) -> "dict[str, Contract]":
    """The contracts of a contract file, or the one that is named.

    ScenarioError when the file is wrong, UsageError when it has no such contract.
    """
    from fleetsim.spec import load_contracts

    _, found = load_contracts(path)
    if contract is None:
        return found
    if contract not in found:
        raise UsageError(f"{path} has no contract {contract!r} ({did_you_mean(contract, sorted(found))})")
    return {contract: found[contract]}


def flat_cost(contracts: "Mapping[str, Contract]", gpus: int, *, watts_per_gpu: float | None = None,
              seed: int = 0) -> FlatCost:
    """A year of `gpus` GPUs, accepted on its first day and allocated in every hour.

    The year begins with the first contract that names a start, else in 2024. Contracts apply as they are
    written, a number of GPUs or dollars included. `watts_per_gpu` is the power that hardware of one's own
    draws. UsageError where the contracts bill several fleets' GPU-hours, or none of the year's.
    """
    import numpy as np

    from fleetsim.ledger.money import MICRO
    from fleetsim.ledger.rating import Biller
    from fleetsim.ledger.usage import Delivery, HourlyUsage
    from fleetsim.rng import Streams

    fleet = _fleet(contracts)
    start = min((each for contract in contracts.values() if (each := _start(contract)) is not None),
                default=YEAR_START).replace(minute=0, second=0, microsecond=0)
    start_us = epoch_us(start)
    hour_us = start_us + HOUR_US * np.arange(YEAR_H, dtype=np.int64)
    gpu_s = np.full(YEAR_H, gpus * HOUR_S, dtype=np.int64)
    energy = None if watts_per_gpu is None else np.full(YEAR_H, round(watts_per_gpu * gpus), dtype=np.int64)
    usage = HourlyUsage(fleet=fleet, hour_us=hour_us, committed_gpu_s=gpu_s, allocated_gpu_s=gpu_s,
                        elastic_allocated_gpu_s=np.zeros_like(gpu_s), energy_wh=energy,
                        deliveries=(Delivery(accepted_us=start_us, gpus=gpus),))
    charges = Biller(contracts, last_us=start_us + YEAR_H * HOUR_US,
                     streams=Streams(seed)).bill([usage]).charges
    used = np.array([line.charge_category == "Usage" and line.clause != "unused" for line in charges.lines],
                    dtype=bool)
    billed_gpu_s = int(charges.gpu_s[used[charges.line]].sum()) if len(charges) else 0
    if not billed_gpu_s:
        raise UsageError(f"{', '.join(contracts)}: bills no GPU-hour of the year from {start:%Y-%m-%d}; "
                         "name a contract that does, or leave --contract out to apply the whole file")
    unused = np.array([line.clause == "unused" for line in charges.lines], dtype=bool)[charges.line]
    return FlatCost(tuple(contracts), fleet, gpus, start, int(charges.effective_micro_usd.sum()) / MICRO,
                    int(charges.billed_micro_usd.sum()) / MICRO, billed_gpu_s / HOUR_S,
                    int(charges.effective_micro_usd[unused].sum()) / MICRO, _remarks(contracts))


def _remarks(contracts: "Mapping[str, Contract]") -> tuple[str, ...]:
    """What is in a price for these GPUs alone, and what is not in it."""
    found = []
    for name, contract in contracts.items():
        terms = contract.terms()
        if getattr(terms.primitive, "total_usd", None) is not None:
            found.append(f"{name}: its total is paid for these GPUs alone")
        if terms.revenue_share is not None:
            found.append(f"{name}: its share of revenue is not in the price")
        if contract.kind == "spot":
            found.append(f"{name}: interruptions are not replayed")
    return tuple(found)


def _fleet(contracts: "Mapping[str, Contract]") -> str:
    """The one fleet whose GPU-hours are billed; pots are for all that they name."""
    from fleetsim.ledger.primitives import Pot

    names = ", ".join(contracts)
    fleets = dict.fromkeys(fleet for contract in contracts.values() for fleet in contract.fleets
                           if not isinstance(contract.terms().primitive, Pot))
    if not fleets:
        raise UsageError(f"{names}: bills no GPU-hours by itself, other contracts' charges are drawn from "
                         "it; name one that does")
    if len(fleets) > 1:
        raise UsageError(f"{names}: bills the fleets {', '.join(fleets)}, and these GPUs are one; name a "
                         "contract of one fleet with --contract")
    return next(iter(fleets))


def _start(contract: Any) -> datetime | None:
    start: datetime | None = getattr(contract, "start", None)
    return start
