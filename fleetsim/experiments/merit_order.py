"""Merit order: the cheapest offer for a GPU by the hours that it is needed."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.experiments.orders import MONTH_H
from fleetsim.model.contract import Offer

if TYPE_CHECKING:
    Floats = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True, kw_only=True)
class MeritRange:
    """A range of hours a year in which one offer is the cheapest for a GPU needed that long."""

    offer: str
    from_h: float
    to_h: float


def merit_order(offers: Mapping[str, Offer], hours: int) -> tuple[MeritRange, ...]:
    """For a GPU needed so many of `hours`: the offer that is cheapest, from 0 to all of them.

    Fixed cost F and running cost v per GPU; between i and j the switch is at (F_j - F_i) / (v_i - v_j).
    """
    at = np.arange(hours + 1, dtype=np.float64)
    names = list(offers)
    costs = np.array([_cost_of_hours(offers[name], at, hours) for name in names])
    best = costs.argmin(axis=0)
    edges = [0, *(np.flatnonzero(np.diff(best)) + 1).tolist(), hours + 1]
    return tuple(MeritRange(offer=names[int(best[left])], from_h=float(left), to_h=float(right - 1))
                 for left, right in pairwise(edges))


def _cost_of_hours(offer: Offer, at: "Floats", hours: int) -> "Floats":
    price = float(offer.usd_per_gpu_hour)
    if not offer.commits:
        return price * at
    if offer.kind == "take_or_pay":
        return price * np.maximum(at, offer.minimum_frac * hours)
    if offer.upfront_usd_per_gpu and offer.term_months:
        price += float(offer.upfront_usd_per_gpu) / (offer.term_months * MONTH_H)
    return np.full(len(at), price * hours)
