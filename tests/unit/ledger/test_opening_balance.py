"""What was paid before the first hour: an asset that the run uses up, to zero when the terms end."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from metered import billed, delivery, effective, hours, usage, utc

from fleetsim.ledger.contracts import (
    CapacityBlock,
    Credits,
    EnterpriseCommitment,
    Lease,
    OnDemand,
    Owned,
    Reserved,
    SavingsPlan,
)
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.contracts.payment_schedule import PaymentSchedule
from fleetsim.ledger.contracts.savings_plan import PlanRate
from fleetsim.ledger.opening import opening_prepaid
from fleetsim.ledger.rating import Biller
from fleetsim.ledger.usage import Delivery
from fleetsim.timebase import epoch_s

FIRST, LAST = utc(2024, 1, 15), utc(2024, 6, 1)
BEFORE = delivery(utc(2023, 11, 1), 10)
UPFRONT = PaymentSchedule(upfront_frac=Decimal("0.5"))
OD = OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(1))


def opening(contract: Any, *deliveries: Delivery, at: datetime = FIRST) -> int:
    return opening_prepaid({"c": contract}, {"azure": deliveries}, epoch_s(at))


CASES: dict[str, Any] = {
    "reserved": Reserved(fleet="azure", usd_per_gpu_hour=Decimal(1), gpus=5, start=utc(2023, 12, 1),
                         term_months=4, payment=UPFRONT),
    "lease": Lease(fleet="azure", usd_per_gpu_hour=Decimal(1), term_months=6, payment=UPFRONT),
    "block": CapacityBlock(fleet="azure", usd_per_gpu_hour=Decimal(2), gpus=8, start=utc(2024, 1, 1),
                           end=utc(2024, 2, 1)),
    "plan": SavingsPlan(rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(2),
                                                 usd_per_gpu_hour=Decimal(1))},
                        usd_per_hour=Decimal(7), start=utc(2023, 12, 1), term_months=4, payment=UPFRONT),
    "plan that rises": SavingsPlan(
        rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(2), usd_per_gpu_hour=Decimal(1))},
        usd_per_hour={utc(2023, 12, 1): Decimal(7), utc(2024, 2, 1): Decimal(9), utc(2024, 3, 1): Decimal(4)},
        start=utc(2023, 12, 1), term_months=4, payment=UPFRONT),
    "owned": Owned(fleet="azure", capex_usd_per_gpu=Decimal(1_000), residual_usd_per_gpu=Decimal(100),
                   life_months=5, opex_frac_per_year=Decimal("0.1")),
    "credits": Credits(fleets_=("azure",), usd=Decimal(5_000), start=utc(2023, 12, 1), term_months=3,
                       drawn_before_usd=Decimal(1_000)),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_what_was_paid_before_is_used_up_when_the_term_ends(kind: str) -> None:
    """Opening + billed - effective is 0 at the end, to the micro-dollar."""
    contracts = {"c": CASES[kind], **({"od": OD} if kind == "credits" else {})}
    there = opening(CASES[kind], BEFORE)
    charges = Biller(contracts).bill([usage(hours(FIRST, LAST), BEFORE)]).charges
    assert there > 0
    assert there + billed(charges) - effective(charges) == 0


def test_amounts_by_hand() -> None:
    """122 days of $60 a day paid on 1 December: 45 are gone; hardware is written off over 152 days."""
    assert opening(CASES["reserved"]) == 5 * 24 * 500_000 * (122 - 45)
    assert opening(CASES["plan that rises"]) == 24 * 500_000 * (17 * 7 + 29 * 9 + 31 * 4)
    assert opening(CASES["owned"], BEFORE) == 1_000_000_000 + 9_000_000_000 * (152 - 75) // 152
    assert opening(CASES["credits"]) == 4_000_000_000


@pytest.mark.parametrize("kind", CASES)
def test_what_begins_with_the_run_or_later_was_not_paid_before(kind: str) -> None:
    assert opening(CASES[kind], BEFORE, at=utc(2023, 11, 1)) == 0


@pytest.mark.parametrize("kind", CASES)
def test_what_has_ended_before_is_gone(kind: str) -> None:
    assert opening(CASES[kind], BEFORE, at=utc(2024, 6, 1)) == 0


def test_what_is_bought_anew_with_the_first_hour_was_not_paid_before() -> None:
    monthly = Credits(fleets_=("azure",), usd=Decimal(5), start=utc(2023, 12, 1), period_months=1)
    assert opening(monthly, at=utc(2024, 1, 1)) == 0
    assert opening(monthly, at=utc(2024, 1, 2)) == 5_000_000


def test_nothing_is_paid_ahead_for_what_is_invoiced_or_was_ended() -> None:
    macc = EnterpriseCommitment(fleets_=("azure",), usd=Decimal(5), start=utc(2023, 12, 1))
    assert opening(macc) == 0
    ended = Lease(fleet="azure", usd_per_gpu_hour=Decimal(1), term_months=6, payment=UPFRONT,
                  termination=EarlyTermination(date=utc(2024, 1, 1)))  # fmt: skip
    assert opening(ended, BEFORE) == 0
