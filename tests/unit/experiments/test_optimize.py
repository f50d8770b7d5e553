"""The optimiser against brute force, which tries every portfolio and asks the ledger what it costs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from math import ceil
from typing import Any

import numpy as np
import pytest

from fleetsim.experiments.optimize import best_portfolio
from fleetsim.ledger.contracts import OnDemand, Reserved, SavingsPlan, TakeOrPay, VolumeTiers
from fleetsim.ledger.contracts.savings_plan import PlanRate
from fleetsim.ledger.contracts.volume_tiers import Tier
from fleetsim.ledger.rating import Biller
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.model.contract import Offer, OfferTier

START = datetime(2024, 1, 30, tzinfo=UTC)
HOUR_US = 3_600_000_000
CENT = 0.01


def usage_of(gpus: Any, start: datetime = START) -> HourlyUsage:
    """So many GPUs in each hour from a date on."""
    seconds = np.rint(np.asarray(gpus, dtype=np.float64) * 3_600).astype(np.int64)
    hours = int(start.timestamp()) * 1_000_000 + np.arange(len(seconds), dtype=np.int64) * HOUR_US
    return HourlyUsage(fleet="main", hour_us=hours, committed_gpu_s=np.zeros_like(seconds),
                       allocated_gpu_s=seconds, elastic_allocated_gpu_s=np.zeros_like(seconds))


def cost(contracts: dict[str, Any], usage: HourlyUsage) -> float:
    """Effective dollars by the ledger; the horizon ends with the usage."""
    bill = Biller(contracts, last_us=int(usage.hour_us[-1]) + HOUR_US).bill([usage])
    return float(bill.charges.effective_micro_usd.sum()) / 1e6


def offer(price: float, **terms: Any) -> Offer:
    terms = {"lead_time_days": 0, **terms}
    return Offer(gpu="a100-80gb", usd_per_gpu_hour=Decimal(str(price)), **terms)


def random_case(seed: int) -> tuple[HourlyUsage, dict[str, Offer]]:
    """A few days across a month's end and up to three offers."""
    draw = np.random.default_rng(seed)
    hours = int(draw.integers(20, 60))
    demand = draw.uniform(0.0, 5.0, hours) * (draw.random(hours) < 0.9)
    demand[0] = 1.0
    dear = round(float(draw.uniform(3.0, 5.0)), 2)
    tiers = tuple(OfferTier(int(quantity), Decimal(str(round(dear * share, 2)))) for quantity, share in
                  zip(sorted(draw.choice(np.arange(10, 120), 2, replace=False)), (0.6, 0.4), strict=True))
    rests = {"on-demand": offer(dear, kind="on_demand"),
             "graduated": offer(dear, kind="volume_tiers", tiers=tiers),
             "all-units": offer(dear, kind="volume_tiers", tiers=tiers, tier_mode="all_units")}
    commitments = {
        "reserved": offer(round(dear * float(draw.uniform(0.2, 0.8)), 2), term_months=12),
        "blocks": offer(round(dear * float(draw.uniform(0.2, 0.8)), 2), min_gpus=2, block_gpus=2, max_gpus=4),
        "plan": offer(round(dear * float(draw.uniform(0.2, 0.8)), 2), kind="savings_plan", term_months=12,
                      list_usd_per_gpu_hour=Decimal(str(dear))),
        "minimum": offer(round(dear * float(draw.uniform(0.2, 0.8)), 2), kind="take_or_pay",
                         term_months=12, minimum_frac=0.5),
    }
    rest = list(rests)[seed % 3]
    names = list(draw.permutation(list(commitments))[: int(draw.integers(1, 3))])
    return usage_of(demand), {rest: rests[rest], **{name: commitments[name] for name in names}}


def sizes(name: str, offer: Offer, peak: int) -> list[int]:
    if name == "plan":
        return [0]
    most = peak if offer.max_gpus is None else offer.max_gpus
    return [0, *range(offer.min_gpus, most + 1, offer.block_gpus)]


def contract(name: str, offer: Offer, gpus: int) -> Any:
    if name == "minimum":
        return TakeOrPay(fleet="main", usd_per_gpu_hour=offer.usd_per_gpu_hour, gpus=gpus, start=START,
                         term_months=12, minimum_frac=0.5)
    return Reserved(fleet="main", usd_per_gpu_hour=offer.usd_per_gpu_hour, gpus=gpus, start=START,
                    end=datetime(2025, 1, 30, tzinfo=UTC))


def price_list(name: str, offer: Offer) -> Any:
    if name == "on-demand":
        return OnDemand(fleet="main", usd_per_gpu_hour=offer.usd_per_gpu_hour)
    tiers = (Tier(0, offer.usd_per_gpu_hour),
             *(Tier(each.from_gpu_hours, each.usd_per_gpu_hour) for each in offer.tiers))
    return VolumeTiers(fleet="main", tiers=tiers, mode=offer.tier_mode, start=START)


def plans(offer: Offer, usage: HourlyUsage) -> Iterator[SavingsPlan]:
    """Every plan that just covers some hour's GPUs, less any whole number of them."""
    hours = usage.allocated_gpu_s / 3_600
    wanted = {float(gpus) - less for gpus in hours for less in range(ceil(gpus))}
    for gpus in sorted(each for each in wanted if each > 0):
        dollars = ceil(gpus * float(offer.usd_per_gpu_hour) * 1e6 - 1e-6)
        yield SavingsPlan(
            usd_per_hour=Decimal(dollars) / 1_000_000, start=START, term_months=12,
            rates={"main": PlanRate(on_demand_usd_per_gpu_hour=offer.list_usd_per_gpu_hour or Decimal(1),
                                    usd_per_gpu_hour=offer.usd_per_gpu_hour)})


def brute_force(usage: HourlyUsage, offers: dict[str, Offer]) -> float:
    """The cheapest cost of all portfolios."""
    rest = next(name for name in offers if name in ("on-demand", "graduated", "all-units"))
    signed = [name for name in offers if name != rest]
    peak = ceil(usage.allocated_gpu_s.max() / 3_600)
    best = float("inf")
    for gpus in product(*(sizes(name, offers[name], peak) for name in signed)):
        held = {name: contract(name, offers[name], count)
                for name, count in zip(signed, gpus, strict=True) if count}
        held[rest] = price_list(rest, offers[rest])
        best = min(best, cost(held, usage))
        if "plan" in offers:
            best = min(best, *(cost({**held, "plan": plan}, usage) for plan in plans(offers["plan"], usage)))
    return best


@pytest.mark.parametrize("seed", range(24))
def test_the_answer_is_the_cheapest_of_all_portfolios(seed: int) -> None:
    usage, offers = random_case(seed)
    if "plan" in offers:
        usage = usage_of((usage.allocated_gpu_s / 3_600)[:20])
    found = best_portfolio(usage, offers, order_every_months=0)
    assert found.ledger_usd == pytest.approx(brute_force(usage, offers), abs=CENT)
    assert found.bound_usd <= found.ledger_usd + CENT
    assert cost(dict(found.contracts), usage) == pytest.approx(found.ledger_usd, abs=1e-6)
