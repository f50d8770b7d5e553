"""Payments that a run does not see, and hardware that outlives what was paid for it."""

from datetime import datetime, timedelta
from typing import Any

from fleetsim.spec.checks.cover import held
from fleetsim.spec.checks.horizon import shown
from fleetsim.spec.draft import Draft
from fleetsim.timebase import EPOCH, add_months


def check_payments(draft: Draft) -> None:
    for name, contract in draft.of("contracts").items():
        if contract.kind == "owned":
            _check_life(draft, name, contract)
        _check_warm_up(draft, name, contract)
        _check_revenue(draft, name, contract)


def _check_life(draft: Draft, name: str, contract: Any) -> None:
    """Hardware may serve beyond its life; from then on only running costs are left."""
    fleet, horizon = draft.fleets.get(contract.fleet), draft.horizon
    if fleet is None or horizon is None:
        return
    ends = []
    for tranche in fleet.tranches:
        early = tranche.date + timedelta(days=min(tranche.slip.low_days if tranche.slip else 0.0, 0.0))
        end, last = add_months(early, contract.life_months), held(tranche)[1]
        if end < min(horizon.end, last):
            ends.append(end)
    if ends:
        message = f"the life of its first GPUs ends on {shown(min(ends))}: from then on only running costs"
        draft.warning("life-ends", ("contracts", name), message,
                      "give a longer life_months, or the tranche an end", key=True)


def _check_warm_up(draft: Draft, name: str, contract: Any) -> None:
    """A payment on a day that is simulated and not recorded leaves no cash in the run."""
    horizon = draft.horizon
    if horizon is None or not horizon.warmup_days:
        return
    recorded = horizon.start + timedelta(days=horizon.warmup_days)
    for date in _paid_ahead(draft, contract):
        if horizon.start <= date < recorded:
            message = (f"paid on {shown(date)}, in the warm-up: it is no cash of the run, which is recorded "
                       f"from {shown(recorded)}")
            draft.warning("paid-in-warm-up", ("contracts", name), message,
                          "let it begin when recording does, or before the horizon", key=True)
            return


def _paid_ahead(draft: Draft, contract: Any) -> list[datetime]:
    """When something is paid for a term that begins then."""
    primitive = contract.primitive()
    payment = getattr(primitive, "payment", None)
    if contract.kind != "owned" and not (payment is not None and payment.ahead):
        return []
    start = getattr(primitive, "start_s", None)
    if start is not None:
        return [EPOCH + timedelta(seconds=start)]
    return [tranche.date for fleet in contract.fleets if fleet in draft.fleets
            for tranche in draft.fleets[fleet].tranches]


def _check_revenue(draft: Draft, name: str, contract: Any) -> None:
    """A share of revenue needs revenue; the streams that it names are checked as references."""
    share = contract.revenue_share_terms()
    if share is None or not share.share_frac or share.streams or draft.names("finance.revenue"):
        return
    missing = "has no stream of revenue" if draft.root.child("finance") else "is missing"
    message = f"a share of revenue, and `finance` {missing}: it would be 0"
    draft.error("no-finance", ("contracts", name, "revenue_share_frac"), message, "add `finance.revenue:`")
