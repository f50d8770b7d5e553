"""Owned hardware: bought at acceptance, written off evenly over its life, run at a cost.

Cash: the price at acceptance and, at the end of its life, the residual value back. Cost: depreciation of
(price - residual value), power as metered, colocation by kW and calendar month, spares and staff by the
year of 8,760 h. The cost of capital is no charge; it is a figure of its own.
"""

from datetime import timedelta
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from fleetsim.ledger.charges import Line, Rows, purchase
from fleetsim.ledger.commitment import Rated
from fleetsim.ledger.meter import Meter
from fleetsim.ledger.money import MICRO, micro_usd, scaled
from fleetsim.ledger.periods import by_month, hour_of
from fleetsim.ledger.primitives import OwnedCost
from fleetsim.ledger.spans import Span, accrued
from fleetsim.timebase import HOUR_S, YEAR_H, add_months, earliest, instant_of, months_after

if TYPE_CHECKING:
    Int64 = np.ndarray[Any, np.dtype[np.int64]]


def rate_owned(name: str, terms: OwnedCost, meter: Meter) -> Rated:
    """Depreciation with the GPU-hours it pays for, running costs, and the purchases.

    A public price is that of the GPU-hours, running costs included: those have none of their own then.
    """
    fleet, hour_s, committed = meter.usage.fleet, meter.hour_s, meter.committed
    meter.claim(committed)
    written_off, purchases = [], []
    within = np.zeros_like(committed)
    for each in meter.usage.deliveries:
        end = months_after(each.accepted_s, terms.life_months)
        price = micro_usd(terms.capex_usd_per_gpu * each.gpus)
        residual = micro_usd(terms.residual_usd_per_gpu * each.gpus)
        written_off.append(Span(each.gpus, each.accepted_s, end, price - residual))
        purchases += [(each.accepted_s, price), (end - 1, -residual)]  # in the last hour of its life
        back = None if each.end_us is None else each.end_us // MICRO
        within = within + each.gpus * meter.seconds_within(each.accepted_s, earliest(end, back))
    within = np.minimum(within, committed)
    depreciation = accrued(written_off, hour_s, None)
    nothing = np.zeros_like(committed)
    rows = [
        Rows(Line(fleet, name, "Usage", clause), gpu_s, *_without_owning(terms, gpu_s, cost, hour_s), nothing,
             cost)
        for clause, gpu_s, cost in (("depreciation", within, depreciation),
                                    ("past_life", committed - within, nothing))]
    for second, amount in purchases:
        place = hour_of(second, hour_s)
        if place is not None:
            rows.append(purchase(Line(fleet, name, "Purchase", "capex"), [place], [0], [amount]))
    per_year = Fraction(terms.opex_frac_per_year * terms.capex_usd_per_gpu) / YEAR_H
    staff = Fraction(terms.staff_usd_per_gpu_year) / YEAR_H
    for clause, amounts in (
        ("power", _power(terms, meter)),
        ("colocation", _colocation(terms, committed, hour_s)),
        ("maintenance", _by_hour(committed, per_year)),
        ("staff", _by_hour(committed, staff)),
    ):
        listed = amounts if terms.list is None and terms.contracted is None else nothing
        rows.append(Rows(Line(fleet, name, "Usage", clause), nothing, listed, listed, amounts, amounts))
    return Rated(rows)


def _without_owning(terms: OwnedCost, gpu_s: "Int64", cost: "Int64",
                    hour_s: "Int64") -> "tuple[Int64, Int64]":
    """What GPU-hours cost in public and by negotiation; what they cost here where no price is given."""
    contracted = terms.contracted or terms.list
    listed = terms.list or contracted
    return (cost if listed is None else listed.charge(gpu_s, hour_s),
            cost if contracted is None else contracted.charge(gpu_s, hour_s))


def _power(terms: OwnedCost, meter: Meter) -> "Int64":
    """Metered watt-hours at the price of electricity."""
    if meter.usage.energy_wh is None:
        return np.zeros_like(meter.committed)
    # A price per kWh charges units x seconds / 3600: 1 Wh is 3.6 kWh-seconds.
    return terms.usd_per_kwh.scaled(Fraction(1, 1000)).charge(meter.usage.energy_wh * HOUR_S, meter.hour_s)


def _colocation(terms: OwnedCost, committed: "Int64", hour_s: "Int64") -> "Int64":
    """kW x price per kW and calendar month, spread over the month's hours."""
    amounts = np.zeros_like(committed)
    for month in by_month(hour_s):
        begins = instant_of(int(hour_s[month.start]))
        first = begins.replace(day=1, hour=0, minute=0, second=0)
        hours = (add_months(first, 1) - first) / timedelta(hours=1)
        price = terms.colocation_usd_per_kw_month.at(int(hour_s[month.start]))
        amounts[month] = _by_hour(committed[month], Fraction(terms.kw_per_gpu * price) / int(hours))
    return amounts


def _by_hour(gpu_s: "Int64", usd_per_gpu_hour: Fraction) -> "Int64":
    per_gpu_s = usd_per_gpu_hour * MICRO / HOUR_S
    return scaled(gpu_s, per_gpu_s.numerator, per_gpu_s.denominator)
