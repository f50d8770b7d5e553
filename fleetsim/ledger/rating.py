"""Rate: one pipeline from metered usage to charges, in the documented order of application.

Per fleet: reservations, minimums, then rate cards for what is left; among equals a contract with a
number of GPUs before one for all of them, the cheaper first, then by name, so that the order of a
file changes nothing. A GPU-hour is billed once. Nothing here remembers an earlier block: billing
month by month equals billing the whole.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.charges import Charges, Line, Rows, collect
from fleetsim.ledger.meter import HOUR_S, Meter, seconds
from fleetsim.ledger.minimum import rate_minimum
from fleetsim.ledger.money import priced
from fleetsim.ledger.primitives import CapacityCommitment, Minimum, Primitive, RateCard
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.model.contract import Contract

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


def rate(contracts: Mapping[str, Contract], usage: Sequence[HourlyUsage]) -> Charges:
    """The charges of one block of hours, the same for every fleet, under the contracts by name."""
    parts: list[Rows] = []
    for metered in usage:
        meter = Meter.of(metered)
        for name, primitive in _in_order(contracts, metered):
            parts += RATERS[type(primitive)](name, primitive, meter)
    hours = usage[0].hour_us if usage else np.zeros(0, dtype=np.int64)
    return collect(hours, parts)


def _in_order(contracts: Mapping[str, Contract], usage: HourlyUsage) -> list[tuple[str, Primitive]]:
    """The fleet's contracts in order of application."""

    def place(entry: tuple[str, Primitive]) -> tuple[int, bool, bool, Decimal, str]:
        name, primitive = entry
        everything = getattr(primitive, "gpus", None) is None
        price = primitive.usd_per_gpu_hour
        elastic = name == usage.elastic_contract
        return primitive.rank, elastic, everything, Decimal(0) if price is None else price, name

    own = {name: contract for name, contract in contracts.items() if contract.fleet == usage.fleet}
    return sorted(((name, contract.primitive()) for name, contract in own.items()), key=place)


def rate_commitment(name: str, terms: CapacityCommitment, meter: Meter) -> list[Rows]:
    """Used and unused GPU-hours of a reservation; together they are the hour's commitment, exactly.

    An hour partly inside the term counts in proportion, in whole GPU-seconds.
    """
    within = meter.seconds_within(seconds(terms.start), seconds(terms.end))
    committed = meter.committed * within // HOUR_S
    if terms.gpus is not None:
        committed = np.minimum(committed, terms.gpus * within)
    used = meter.claim(committed)
    contracted = np.stack(split(used, committed, terms.usd_per_gpu_hour))
    listed = contracted
    if terms.list_usd_per_gpu_hour is not None:
        listed = np.stack(split(used, committed, terms.list_usd_per_gpu_hour))
    fleet = meter.usage.fleet
    return [
        Rows(Line(fleet, name, "Usage", "used"), used, listed[0], contracted[0]),
        Rows(Line(fleet, name, "Usage", "unused"), committed - used, listed[1], contracted[1]),
    ]


def split(used: "Int64", committed: "Int64", usd_per_gpu_hour: Decimal) -> "tuple[Int64, Int64]":
    """Price of the used part, and what is missing from it to the price of the commitment."""
    price_of_used = priced(used, usd_per_gpu_hour)
    return price_of_used, priced(committed, usd_per_gpu_hour) - price_of_used


def rate_card(name: str, terms: RateCard, meter: Meter) -> list[Rows]:
    """Allocated GPU-hours that no commitment covers, and the elastic part when it is this contract's."""
    used = meter.claim_allocated() + meter.claim_elastic(name)
    contracted = priced(used, terms.usd_per_gpu_hour)
    listed = contracted
    if terms.list_usd_per_gpu_hour is not None:
        listed = priced(used, terms.list_usd_per_gpu_hour)
    return [Rows(Line(meter.usage.fleet, name, "Usage", "usage"), used, listed, contracted)]


RATERS: dict[type, Callable[[str, Any, Meter], list[Rows]]] = {
    CapacityCommitment: rate_commitment,
    Minimum: rate_minimum,
    RateCard: rate_card,
}
"""By primitive: the function that rates it."""
