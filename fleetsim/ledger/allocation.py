"""Cost by traffic class: each hour's effective cost of the serving fleets, divided by the work done.

A class pays for its busy GPU-seconds at the fleet's cost per rented GPU-second of that hour; what was rented
and not busy stays on a row of its own. Shared, the idle part is divided like the rest. The parts of an hour
add up to its cost exactly.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fleetsim.ledger.charges import Charges
from fleetsim.model.traffic import IDLE
from fleetsim.units import Coded

if TYPE_CHECKING:
    Float = np.ndarray[Any, np.dtype[np.float64]]
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


class ShareUse(NamedTuple):
    """A pool's part of a fleet, by hour."""

    fleet: str
    pool: str
    rented_gpu_hours: "Float"
    busy_gpu_hours: "Float"


class Work(NamedTuple):
    """What a class had done by a service, by hour."""

    traffic_class: str
    service: str
    pool: str
    busy_gpu_hours: "Float"


@dataclass(frozen=True)
class Allocation:
    """Per row of work, and last for idle, one value per hour: (rows + 1, hours)."""

    work: tuple[Work, ...]
    gpu_hours: "Float"
    effective_micro_usd: "Int64"
    shared_micro_usd: "Int64"

    def columns(self, hour_us: "Int64") -> dict[str, Any]:
        """Columns of `fact_cost_allocation_hourly`, by hour then row, without rows that say nothing."""
        hours, rows = np.nonzero((self.gpu_hours.T > 0) | (self.effective_micro_usd.T != 0))
        classes = tuple(dict.fromkeys([*(each.traffic_class for each in self.work), IDLE]))
        services = tuple(dict.fromkeys([*(each.service for each in self.work), IDLE]))
        of_class = np.array([*(classes.index(each.traffic_class) for each in self.work),
                             classes.index(IDLE)], dtype=np.int32)
        of_service = np.array([*(services.index(each.service) for each in self.work),
                               services.index(IDLE)], dtype=np.int32)
        return {
            "hour": hour_us[hours],
            "traffic_class": Coded(of_class[rows], classes),
            "service": Coded(of_service[rows], services),
            "gpu_hours": self.gpu_hours[rows, hours],
            "effective_usd": self.effective_micro_usd[rows, hours],
            "shared_usd": self.shared_micro_usd[rows, hours],
        }


def allocate(cost_micro_usd: Mapping[str, "Int64"], shares: Sequence[ShareUse],
             work: Sequence[Work]) -> Allocation:
    """Divide each fleet's cost of every hour among the work that its pools did, and idle."""
    # In one order whoever asks, so that rounding falls on the same rows.
    shares, work = sorted(shares, key=lambda each: each[:2]), sorted(work, key=lambda each: each[:3])
    hours = len(next(iter(cost_micro_usd.values()))) if cost_micro_usd else 0
    gpu_hours = np.zeros((len(work) + 1, hours))
    effective = np.zeros((len(work) + 1, hours), dtype=np.int64)
    shared = np.zeros_like(effective)
    of_pool: dict[str, Float] = {}
    for each in work:
        of_pool[each.pool] = of_pool.get(each.pool, 0.0) + each.busy_gpu_hours
    for fleet, cost in cost_micro_usd.items():
        own = [share for share in shares if share.fleet == fleet]
        busy = np.zeros((len(work) + 1, hours))
        for share in own:
            for row, each in enumerate(work):
                if each.pool == share.pool:
                    whole = of_pool[each.pool]
                    busy[row] += share.busy_gpu_hours * np.divide(
                        each.busy_gpu_hours, whole, out=np.zeros(hours), where=whole > 0)
        rented = np.sum([share.rented_gpu_hours for share in own], axis=0) if own else np.zeros(hours)
        with_idle = busy.copy()
        with_idle[-1] = np.maximum(rented - busy.sum(axis=0), 0.0)
        gpu_hours += with_idle
        effective += _divided(cost, with_idle)
        shared += _divided(cost, busy)
    return Allocation(tuple(work), gpu_hours, effective, shared)


def hourly_cost(charges: Charges, hour_us: "Int64", fleets: Sequence[str]) -> "dict[str, Int64]":
    """Effective micro-dollars of each fleet and hour."""
    found = {fleet: np.zeros(len(hour_us), dtype=np.int64) for fleet in fleets}
    codes, names = charges.text("fleet")
    hour = np.searchsorted(hour_us, charges.hour_us)
    for code, name in enumerate(names):
        if name in found:
            own = codes == code
            np.add.at(found[name], hour[own], charges.effective_micro_usd[own])
    return found


def _divided(cost: "Int64", weights: "Float") -> "Int64":
    """Whole parts of each hour's cost in proportion to the weights, by cumulative rounding.

    Without any weight all of it falls on the last row.
    """
    reached = np.cumsum(weights, axis=0)
    whole = reached[-1]
    parts = np.divide(reached, whole, out=np.zeros_like(reached), where=whole > 0)
    upto = np.rint(parts * cost).astype(np.int64)
    upto[-1] = cost
    # Rounding of the sum must not leave a remainder on a row without weight.
    last = np.where(whole > 0, len(weights) - 1 - np.argmax((weights > 0)[::-1], axis=0), len(weights) - 1)
    rows = np.arange(len(weights))[:, None]
    upto = np.where(rows >= last, cost, upto)
    return np.diff(upto, axis=0, prepend=0)
