"""Random portfolios: any kinds, several on one fleet, terms that begin and end inside months and hours."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from metered import utc
from random_usage import dear, instants

from fleetsim.ledger.contracts import (
    CapacityBlock,
    CostPassThrough,
    Credits,
    EnterpriseCommitment,
    Lease,
    Negotiated,
    OnDemand,
    Owned,
    Reserved,
    SavingsPlan,
    Spot,
    TakeOrPay,
    VolumeTiers,
)
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.contracts.escalator import Escalator
from fleetsim.ledger.contracts.most_favoured import MostFavoured
from fleetsim.ledger.contracts.payment_schedule import PaymentSchedule
from fleetsim.ledger.contracts.provider_delay import ProviderDelay
from fleetsim.ledger.contracts.savings_plan import PlanRate
from fleetsim.ledger.contracts.sla_credit import SlaBracket, SlaCredit
from fleetsim.ledger.contracts.volume_tiers import Tier

FIRST, LAST = utc(2023, 12, 10, 5), utc(2024, 5, 20, 7)
DELIVERED = utc(2024, 1, 10)
"""Tranches are accepted before, so that terms of two or three months end inside."""


@st.composite
def terms(draw: Any) -> tuple[datetime, datetime]:
    """A term that lies inside the hours that are billed."""
    start, end = sorted((draw(instants(FIRST, LAST - timedelta(hours=1))), draw(instants(FIRST, LAST))))
    return start, max(end, start + timedelta(minutes=1))


schedules = st.sampled_from(["0", "0.3", "1"]).map(lambda frac: PaymentSchedule(upfront_frac=Decimal(frac)))
clauses = st.fixed_dictionaries(
    {},
    optional={
        "escalator": st.just(
            Escalator(frac_per_step=Decimal("0.07"), start=utc(2023, 11, 3, 4, 20), every_months=2)
        ),
        "most_favoured": st.builds(
            MostFavoured,
            market_usd_per_gpu_hour=dear,
            decline_per_year=st.just(Decimal("0.4")),
            start=st.just(utc(2023, 10, 3, 7, 40)),
            every_months=st.integers(1, 3),
        ),
        "sla": st.just(SlaCredit(brackets=(SlaBracket(Decimal("0.99"), Decimal("0.1")),))),
        "delay_relief": st.builds(
            ProviderDelay, credit_usd_per_gpu_day=dear, grace_days=st.integers(0, 3)
        ),
    },
)
endings = st.fixed_dictionaries(
    {},
    optional={
        "termination": st.builds(
            EarlyTermination,
            date=instants(FIRST, LAST - timedelta(hours=1)),
            fee_frac=st.just(Decimal("0.2")),
            refund_frac=st.just(Decimal("0.5")),
        )
    },
)


@st.composite
def contracts(draw: Any, kind: type, fleet: str, other: str) -> Any:
    """One contract of a kind; plans and pots take in another fleet too."""
    start, end = draw(terms())
    price = draw(dear)
    clause = draw(clauses)
    dated = draw(st.just(price) | st.builds(lambda step, later: {FIRST: price, step: later},
                                            instants(FIRST + timedelta(hours=1), LAST), dear))
    own: dict[str, Any] = {"fleet": fleet, "usd_per_gpu_hour": dated, **clause}
    ended = draw(endings)
    if kind is Reserved:
        whole: dict[str, Any] = draw(st.sampled_from([
            {"start": start, "end": end}, {"end": end}, {"term_months": 2}]))
        if draw(st.booleans()):
            whole = {"gpus": draw(st.integers(1, 300)), "start": start, "end": end}
        return Reserved(**own, **ended, **whole, payment=draw(schedules))
    if kind is Lease:
        return Lease(**own, **ended, term_months=draw(st.integers(1, 3)), payment=draw(schedules))
    if kind is TakeOrPay:
        bank = draw(st.sampled_from([None, 1, 2]))
        part = {"gpus": draw(st.integers(1, 300)), "start": start, "term_months": draw(st.integers(1, 3))}
        return TakeOrPay(
            **own,
            **ended,
            **(part if draw(st.booleans()) else {}),
            minimum_frac=draw(st.sampled_from([0.0, 0.6, 1.0])),
            fixed_end=end,
            make_up_months=bank,
            overage_usd_per_gpu_hour=draw(st.none() | dear),
        )
    if kind is CapacityBlock:
        own["usd_per_gpu_hour"] = price
        return CapacityBlock(**own, gpus=draw(st.integers(1, 200)), start=start, end=end)
    if kind is CostPassThrough:
        return CostPassThrough(**own, **ended, revenue_share_frac=Decimal("0.2"))
    if kind is Owned:
        return Owned(
            fleet=fleet,
            capex_usd_per_gpu=price * 1_000,
            residual_usd_per_gpu=price * 100,
            life_months=draw(st.integers(1, 3)),
            kw_per_gpu=Decimal(1),
            usd_per_kwh=Decimal("0.07"),
            colocation_usd_per_kw_month=price,
            opex_frac_per_year=Decimal("0.03"),
        )
    return _by_the_hour_or_dollars(draw, kind, fleet, other, (start, end), own, price)


def _by_the_hour_or_dollars(
    draw: Any, kind: type, fleet: str, other: str, term: Any, own: Any, price: Decimal
) -> Any:
    """A contract of a kind that commits no GPUs."""
    start, end = term
    clause = {name: value for name, value in own.items() if name not in ("fleet", "usd_per_gpu_hour")}
    ended = draw(endings)
    if kind is SavingsPlan:
        rates = {
            name: PlanRate(on_demand_usd_per_gpu_hour=draw(dear) + 20, usd_per_gpu_hour=draw(dear))
            for name in (fleet, other)
        }
        clause = {name: value for name, value in clause.items() if name == "escalator"}
        return SavingsPlan(
            rates=rates,
            usd_per_hour=draw(st.decimals(0, 2_000, places=2)),
            start=start,
            end=end,
            payment=draw(schedules),
            **clause,
            **ended,
        )
    if kind in (Credits, EnterpriseCommitment):
        return kind(
            fleets_=(fleet, other),
            usd=Decimal(draw(st.integers(0, 10**6))),
            start=start,
            end=end,
            period_months=draw(st.sampled_from([None, 1, 2])),
            **ended,
        )
    if kind is Negotiated:
        return Negotiated(fleet=fleet, list_usd_per_gpu_hour=price, discount_frac=Decimal("0.15"), **clause)
    if kind is VolumeTiers:
        return VolumeTiers(
            fleet=fleet,
            start=start,
            period_months=draw(st.integers(1, 3)),
            **clause,
            mode=draw(st.sampled_from(["graduated", "all_units"])),
            tiers=(Tier(0, price), Tier(20_000, price * 9 / 10), Tier(90_000, price / 2)),
        )
    if kind is Spot:
        share = draw(st.sampled_from([None, Decimal("0.3")]))
        return Spot(**own, price_cv_frac=0.3, share_frac=share, start=start, end=end)
    return OnDemand(**own, start=start, end=end)


KINDS = (
    Reserved,
    OnDemand,
    TakeOrPay,
    Spot,
    SavingsPlan,
    VolumeTiers,
    Lease,
    CapacityBlock,
    Negotiated,
    EnterpriseCommitment,
    Credits,
    CostPassThrough,
    Owned,
)


@st.composite
def portfolios(draw: Any, kinds: tuple[type, ...] = KINDS, most: int = 6) -> dict[str, Any]:
    """Up to so many contracts over the fleets `azure` and `b`."""
    found = {}
    for i in range(draw(st.integers(1, most))):
        fleet, other = draw(st.sampled_from([("azure", "b"), ("b", "azure")]))
        kind = draw(st.sampled_from(kinds))
        found[f"{kind.__name__}-{i}"] = draw(contracts(kind, fleet, other))
    return found
