"""Billing: a year billed again, portfolios by the thousand, the cheapest of twenty offers, a comparison."""

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

from measure import WORKLOADS, Measured, cpu_s, fleetsim

from fleetsim.experiments.metered_run import scenario_of
from fleetsim.experiments.optimize import best_portfolio
from fleetsim.experiments.usage import metered_usage
from fleetsim.ledger.contracts import OnDemand, Reserved, SavingsPlan
from fleetsim.ledger.contracts.savings_plan import PlanRate
from fleetsim.ledger.rating import rate
from fleetsim.ledger.totals import totals
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.model.contract import Offer, OfferTier
from fleetsim.output import Run
from fleetsim.runner import simulate
from fleetsim.spec import load
from fleetsim.timebase import add_months, instant_of

FLEET = "azure-inference"
LIST = Decimal("4.10")
PORTFOLIOS = 10_000
SAMPLE = 500
"""So many portfolios are rated; the others take as long."""


def contracts(usage: HourlyUsage, reservations: int, k: int = 0) -> dict[str, Any]:
    """Reservations one after the other, a savings plan and a price list; `k` sizes them."""
    start, most = instant_of(int(usage.hour_us[0]) // 1_000_000), int(usage.allocated_gpu_s.max() / 3_600)
    found: dict[str, Any] = {f"reserved-{n}": Reserved(
        fleet=FLEET, usd_per_gpu_hour=Decimal("2.60") - Decimal("0.1") * n, gpus=(most + 97 * k) // (12 + n),
        start=add_months(start, n), end=add_months(start, n + 12)) for n in range(reservations)}
    found["plan"] = SavingsPlan(
        usd_per_hour=Decimal(most), start=start, term_months=12,
        rates={FLEET: PlanRate(on_demand_usd_per_gpu_hour=LIST, usd_per_gpu_hour=Decimal("2.665"))})
    return found | {"list": OnDemand(fleet=FLEET, usd_per_gpu_hour=LIST)}


def twenty_offers() -> dict[str, Offer]:
    """Price lists, tiers, spot, plans, minimums, blocks, and reservations of half a year to three."""

    def offer(price: float, kind: Any, lead_time_days: int = 0, **terms: Any) -> Offer:
        return Offer(gpu="a100-80gb", usd_per_gpu_hour=Decimal(str(price)), kind=kind,
                     lead_time_days=lead_time_days, **terms)

    minimum: dict[str, Any] = {"min_gpus": 1_000, "max_gpus": 40_000, "block_gpus": 8}
    found = {
        "list": offer(4.10, "on_demand"), "spot": offer(1.45, "spot"),
        "tiers": offer(4.00, "volume_tiers", tiers=(OfferTier(5_000_000, Decimal("3.60")),
                                                    OfferTier(20_000_000, Decimal("3.20")))),
        "plan-1y": offer(2.665, "savings_plan", list_usd_per_gpu_hour=LIST, term_months=12),
        "plan-3y": offer(2.00, "savings_plan", 40, list_usd_per_gpu_hour=LIST, term_months=36),
        "minimum-1y": offer(1.50, "take_or_pay", 60, term_months=12, minimum_frac=0.8, **minimum),
        "minimum-2y": offer(1.70, "take_or_pay", 30, term_months=24, minimum_frac=0.6, **minimum),
        "block-3m": offer(3.00, "capacity_block", 14, term_months=3, block_gpus=8, max_gpus=512),
        "block-6m": offer(2.80, "capacity_block", 20, term_months=6, block_gpus=8, max_gpus=512),
    }
    for k in range(11):
        found[f"reserved-{k}"] = offer(
            2.90 - 0.13 * k, "reserved", 7 * k, term_months=(6, 12, 24, 36)[k % 4], block_gpus=8,
            upfront_frac=Decimal(("0", "0.2", "0.5", "1")[k % 4]), min_gpus=(1, 64, 512)[k % 3],
            max_gpus=(None, 40_000, 100_000)[k % 3])
    return found


def measure() -> list[Measured]:
    """CPU on one core, of the inference fleet of openai-2024 through its year."""
    with tempfile.TemporaryDirectory() as folder:
        run: Run = simulate(load(WORKLOADS / "openai-2024.yaml").scenario, results=Path(folder))
        usage = metered_usage(run, scenario_of(run))[FLEET]["required"]
    again = cpu_s(lambda: rate(contracts(usage, 8), [usage]), repeats=20)
    portfolios = [contracts(usage, 2, k) for k in range(SAMPLE)]
    many = cpu_s(lambda: [totals(each, [usage]) for each in portfolios], repeats=5)
    by_rows = cpu_s(lambda: [rate(each, [usage]) for each in portfolios[:20]], repeats=5)
    offers = twenty_offers()
    best = best_portfolio(usage, offers)
    search = cpu_s(lambda: best_portfolio(usage, offers), repeats=1)
    with tempfile.TemporaryDirectory() as results:
        words = ("compare", str(WORKLOADS / "contract-comparison.yaml"), "--results")
        compared = min(fleetsim(*words, f"{results}/{k}").cpu_s for k in range(2))
    scale = PORTFOLIOS / SAMPLE
    return [
        Measured("a year billed again under ten contracts", again.least * 1_000, "ms CPU", 50,
                 f"median {again.middle * 1_000:.3g}"),
        Measured(f"{PORTFOLIOS:,} portfolios of four contracts", many.least * scale, "s CPU", 15,
                 f"from {SAMPLE}; {by_rows.least / 20 * SAMPLE / many.least:.1f} times as fast as with rows"),
        Measured(f"cheapest of {len(offers)} offers over a year", search.least, "s CPU", 20,
                 f"gap {best.gap_frac:.2%}, {best.portfolios_rated} portfolios rated"),
        Measured("compare contract-comparison.yaml", compared, "s CPU", 10),
    ]
