"""The decision of a run, pool by pool: when it runs short, by how much, and when to have ordered."""

from datetime import datetime, timedelta
from typing import Any

from fleetsim.model.contract import Offer
from fleetsim.model.scenario import Scenario
from fleetsim.output.facts import NO_HOURS, Facts
from fleetsim.output.figures import finite, iso_time
from fleetsim.timebase import EPOCH, iso


def pool_decision(scenario: Scenario, facts: Facts, pool: str) -> dict[str, Any]:
    """Load, shortage and the offers that could have prevented it, for one pool."""
    peaks = facts.peaks.get(pool, NO_HOURS)
    first = peaks.first_stock_out
    short_at = None if first is None else EPOCH + timedelta(microseconds=first)
    gpus = [scenario.fleets[fleet].gpu for fleet in scenario.pools[pool].fleets]
    return {
        # Required and missing GPUs are all counted in GPUs of the first fleet.
        "gpu": gpus[0] if gpus else None,
        "mixed_gpus": len(set(gpus)) > 1,
        "peak_load_frac": finite(peaks.peak_load),
        "peak_load_hour": iso_time(peaks.peak_load_hour),
        "work_without_gpus": peaks.peak_load is not None and finite(peaks.peak_load) is None,
        "stock_out_hours": peaks.stock_out_hours,
        "first_stock_out": iso_time(first),
        "short_gpus_at_first_stock_out": finite(peaks.short_at_first),
        "peak_required_gpus": finite(peaks.peak_required),
        "peak_required_minus_rented_gpus": finite(peaks.peak_required_minus_rented),
        "offers": {
            name: order(offer, short_at, scenario.horizon.start)
            for name, offer in scenario.offers.items() if offer.gpu in gpus
        },
    }


def order(offer: Offer, short_at: datetime | None, start: datetime) -> dict[str, Any]:
    """By when an offer had to be signed so that its GPUs serve in the first hour that runs short."""
    terms: dict[str, Any] = {
        "gpu": offer.gpu,
        "lead_time_days": offer.lead_time_days,
        "usd_per_gpu_hour": str(offer.usd_per_gpu_hour),
        "min_gpus": offer.min_gpus,
        "expires": None if offer.expires is None else iso(offer.expires),
    }
    if short_at is None:
        return {**terms, "order_by": None, "order_by_before_start": None, "expired_by_then": None,
                "reason": "the pool never runs short"}
    order_by = short_at - timedelta(days=offer.lead_time_days)
    before_start = order_by < start
    # It can be signed on the whole of the day on which it expires, when that is given as a date.
    expired = offer.expires is not None and order_by >= last_instant(offer.expires)
    reasons = [
        "it had to be signed before the horizon starts" if before_start else "",
        "the offer has expired by then" if expired else "",
    ]
    return {**terms, "order_by": iso(order_by), "order_by_before_start": before_start,
            "expired_by_then": expired, "reason": "; ".join(filter(None, reasons)) or None}


def last_instant(expires: datetime) -> datetime:
    """The end of the day an offer expires on; the instant itself when a time of day is given."""
    midnight = expires.replace(hour=0, minute=0, second=0, microsecond=0)
    return expires + timedelta(days=1) if expires == midnight else expires
