"""Random small scenarios: a few days, fleets and classes, every mechanism, from idle to overloaded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from random_parts import classes_of, policies_of, services, surges_of

from fleetsim.ledger.contracts import (
    Credits,
    EnterpriseCommitment,
    Lease,
    OnDemand,
    Owned,
    Reserved,
    SavingsPlan,
    Spot,
    TakeOrPay,
    VolumeTiers,
)
from fleetsim.ledger.contracts.savings_plan import PlanRate
from fleetsim.ledger.contracts.volume_tiers import Tier
from fleetsim.model.fleet import Elastic, Fleet, Slip, Tranche, Window
from fleetsim.model.hardware import GpuType
from fleetsim.model.pool import Pool, Share
from fleetsim.model.scenario import Horizon, Scenario

GPUS = {
    "a100": GpuType(bf16_dense_tflops=312, memory_gb=80, bandwidth_gb_per_s=2039, tdp_w=400,
                    server_w_per_gpu=800, flops_factor=1.0, bandwidth_factor=1.0),
    "gb200": GpuType(bf16_dense_tflops=2500, memory_gb=192, bandwidth_gb_per_s=8000, tdp_w=1200,
                     server_w_per_gpu=1800, flops_factor=6.3, bandwidth_factor=3.7, gpus_per_node=4),
}
STARTS = [datetime(2024, 2, 28, tzinfo=UTC), datetime(2024, 12, 31, tzinfo=UTC),
          datetime(2024, 6, 14, 7, tzinfo=UTC)]
"""Two of them lead over the end of a month."""


@st.composite
def scenarios(draw: Any, *, steps_s: tuple[int, ...] = (300, 900, 3_600), most_days: int = 3,
              warm_up: bool = True, gpus: tuple[str, ...] = ("a100", "gb200")) -> Scenario:
    """A scenario that `fleetsim check` would accept."""
    horizon = draw(horizons(steps_s, most_days, warm_up=warm_up))
    fleets = {f"fleet{i}": draw(fleets_of(f"fleet{i}", horizon, gpus))
              for i in range(draw(st.integers(1, 3)))}
    serving = [name for name, fleet in fleets.items() if fleet.role == "serving"]
    elastic = {name for name in serving if fleets[name].elastic is not None}
    pools = draw(pools_of(serving)) if serving else {}
    known = draw(services(horizon))
    traffic = draw(classes_of(tuple(pools), tuple(known), horizon)) if pools else {}
    return Scenario(
        name="random", horizon=horizon, fleets=fleets, gpus=GPUS, pools=pools, services=known,
        traffic=traffic,
        surges=draw(surges_of(tuple(traffic), horizon)) if traffic else {},
        policies=draw(policies_of(pools, traffic, tuple(known), elastic)) if traffic else {},
        contracts=draw(contracts_of(fleets, horizon)),
    )


@st.composite
def horizons(draw: Any, steps_s: tuple[int, ...], most_days: int, *, warm_up: bool) -> Horizon:
    start, step_s = draw(st.sampled_from(STARTS)), draw(st.sampled_from(steps_s))
    days = draw(st.integers(1, most_days))
    return Horizon(
        start=start, end=start + timedelta(days=days), step_s=step_s,
        control_s=draw(st.sampled_from([s for s in (300, 900, 3_600) if s % step_s == 0])),
        warmup_days=draw(st.sampled_from([0.0, 0.25])) if warm_up else 0.0,
    )


@st.composite
def instants(draw: Any, horizon: Horizon) -> datetime:
    """A whole minute of the horizon, seldom on a step."""
    minutes = int((horizon.end - horizon.start).total_seconds()) // 60
    return horizon.start + timedelta(minutes=draw(st.integers(0, minutes - 1)))


@st.composite
def fleets_of(draw: Any, name: str, horizon: Horizon, gpus: tuple[str, ...]) -> Fleet:
    fails = draw(st.booleans())
    elastic = draw(st.booleans())
    promised = tuple(draw(st.lists(tranches(horizon), min_size=0 if elastic else 1, max_size=3)))
    return Fleet(
        gpu=draw(st.sampled_from(gpus)),
        provider=draw(st.sampled_from(["azure", "oracle"])),
        tranches=promised,
        role=draw(st.sampled_from(["serving"] * 5 + ["training"])),
        node_mtbf_h=draw(st.sampled_from([3.0, 40.0, 6_330.0])) if fails else None,
        repair_h=draw(st.sampled_from([0.5, 6.0, 24.0])),
        draining_frac=draw(st.sampled_from([0.0, 0.0364, 0.4])),
        outages=draw(windows(horizon)),
        maintenance=draw(windows(horizon)),
        elastic=Elastic(max_gpus=draw(st.integers(1, 300)),
                        provisioning_delay_s=draw(st.sampled_from([0, 250, 7_200])),
                        contract=f"{name}-elastic") if elastic else None,
    )


@st.composite
def tranches(draw: Any, horizon: Horizon) -> Tranche:
    date = draw(st.just(horizon.start) | instants(horizon) | st.just(horizon.start - timedelta(days=9)))
    stays = draw(st.booleans())
    slips = st.sampled_from([None, Slip(-0.5, 0.0, 0.5), Slip(0.0, 0.2, 1.0)])
    return Tranche(date=date, gpus=draw(st.integers(1, 250)),
                   end=None if stays else max(date, horizon.start) + timedelta(
                       minutes=draw(st.integers(30, 2_880))),
                   slip=draw(slips))


@st.composite
def windows(draw: Any, horizon: Horizon) -> dict[str, Window]:
    found = {}
    for i in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        start = draw(instants(horizon))
        by_number = draw(st.booleans())
        found[f"window{i}"] = Window(
            start=start, end=start + timedelta(minutes=draw(st.integers(20, 900))),
            gpus=draw(st.integers(0, 200)) if by_number else None,
            share_frac=None if by_number else draw(st.sampled_from([0.3, 0.75, 1.0])),
            repeat_days=draw(st.sampled_from([None, 1.0])))
    return found


@st.composite
def pools_of(draw: Any, fleets: list[str]) -> dict[str, Pool]:
    """Pools over some of the fleets; the shares of a fleet are all numbers or all fractions."""
    by_number = {fleet: draw(st.booleans()) for fleet in fleets}
    pools = {}
    for i in range(draw(st.integers(1, 3))):
        order = draw(st.permutations(fleets))[: draw(st.integers(1, len(fleets)))]
        pools[f"pool{i}"] = Pool(
            fleets={fleet: Share(gpus=draw(st.integers(0, 200))) if by_number[fleet]
                    else Share(share_frac=draw(st.sampled_from([0.1, 1 / 3, 0.3]))) for fleet in order},
            target_load_frac=draw(st.sampled_from([0.5, 0.92])))
    return pools


@st.composite
def contracts_of(draw: Any, fleets: dict[str, Fleet], horizon: Horizon) -> dict[str, Any]:
    """One contract a fleet at most, the one of its elastic part, and now and then a pot for all of them.

    None of them takes GPUs away.
    """
    contracts: dict[str, Any] = {}
    for name, fleet in fleets.items():
        price = Decimal(draw(st.integers(1, 9_999_999))) / 1_000_000
        listed = draw(st.sampled_from([None, price * 3]))
        kind = draw(st.sampled_from([Reserved, OnDemand, TakeOrPay, None, Lease, Owned, SavingsPlan, Spot,
                                     VolumeTiers]))
        if kind is not None:
            contracts[name] = contract_of(kind, name, price, listed, horizon)
        if kind is TakeOrPay:
            least = draw(st.sampled_from([0.0, 0.6, 1.0]))
            contracts[name] = replace(contracts[name], minimum_frac=least)
        if fleet.elastic is not None:
            contracts[fleet.elastic.contract] = OnDemand(fleet=name, usd_per_gpu_hour=price * 2)
    pot = draw(st.sampled_from([None, None, Credits, EnterpriseCommitment]))
    if pot is not None and contracts:
        contracts["pot"] = pot(fleets_=tuple(fleets), usd=Decimal(draw(st.integers(0, 9_999))),
                               start=horizon.start, end=horizon.end)
    return contracts


def contract_of(kind: Any, fleet: str, price: Decimal, listed: Decimal | None, horizon: Horizon) -> Any:
    """A contract of a kind for a fleet."""
    if kind is SavingsPlan:
        return SavingsPlan(usd_per_hour=price * 50, rates={fleet: PlanRate(
            on_demand_usd_per_gpu_hour=price * 2, usd_per_gpu_hour=price, list_usd_per_gpu_hour=listed)})
    if kind is Owned:
        return Owned(fleet=fleet, capex_usd_per_gpu=price * 1_000, life_months=1, usd_per_kwh=price,
                     kw_per_gpu=Decimal(1), colocation_usd_per_kw_month=price, list_usd_per_gpu_hour=listed)
    more: dict[str, Any] = {}
    if kind is VolumeTiers:
        tiers = (Tier(0, price), Tier(500, price / 2))
        return VolumeTiers(fleet=fleet, start=horizon.start, tiers=tiers, list_usd_per_gpu_hour=listed)
    if kind is Lease:
        more = {"term_months": 1}
    if kind is Spot:
        more = {"price_cv_frac": 0.3}
    return kind(fleet=fleet, usd_per_gpu_hour=price, list_usd_per_gpu_hour=listed, **more)
