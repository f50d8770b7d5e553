"""Early ends and what is still owed: fixed ends, prepayments to come, what lapses, terms without a start."""

from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from metered import billed, delivery, effective, hours, rows, usage, utc

from fleetsim.ledger.columns import commitment_columns
from fleetsim.ledger.contracts import Lease, Reserved, SavingsPlan, TakeOrPay
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.contracts.payment_schedule import PaymentSchedule
from fleetsim.ledger.contracts.savings_plan import PlanRate
from fleetsim.ledger.contracts.sla_credit import SlaBracket, SlaCredit
from fleetsim.ledger.rating import Biller, rate

HOURS = hours(utc(2024, 1, 1), utc(2025, 3, 1))
TEN = delivery(utc(2024, 1, 1), 10)
HALF = EarlyTermination(date=utc(2024, 4, 1), fee_frac=Decimal("0.5"))


def days(start: datetime, end: datetime) -> int:
    return (end - start).days


def remaining(contract: Any, *deliveries: Any) -> list[int]:
    """What is still due after each hour, micro-dollars."""
    bill = Biller({"c": contract}).bill([usage(HOURS, *deliveries)])
    owed = bill.commitments[0].remaining_micro_usd
    assert owed is not None
    found: list[int] = owed().tolist()
    return found


@pytest.mark.parametrize("kind", [Lease, TakeOrPay])
def test_the_fee_is_of_what_is_owed_up_to_the_fixed_end(kind: type) -> None:
    """10 GPUs at $1 to 1 June instead of for 12 months, ended on 1 April: half of 61 days."""
    price = Decimal(1)
    terms = {"fleet": "azure", "usd_per_gpu_hour": price, "term_months": 12, "fixed_end": utc(2024, 6, 1)}
    charges = rate({"c": kind(**terms, termination=HALF)}, [usage(HOURS, TEN)])
    assert billed(charges, "termination_fee") == 61 * 24 * 10_000_000 // 2
    assert remaining(kind(**terms), TEN)[0] == (152 * 24 - 1) * 10_000_000


@pytest.mark.parametrize("kind", [Lease, TakeOrPay])
def test_the_fee_of_a_total_with_a_fixed_end(kind: type) -> None:
    """$366,000 over the 366 days of 2024, cut on 1 June: of $1,000 a day 61 days are left on 1 April."""
    terms = {"fleet": "azure", "total_usd": Decimal(366_000), "term_months": 12, "fixed_end": utc(2024, 6, 1)}
    charges = rate({"c": kind(**terms, termination=HALF)}, [usage(HOURS, TEN)])
    price = round(Fraction(366_000 * 10**6, 366 * 240))  # to a millionth of a dollar
    assert billed(charges, "termination_fee") == 61 * 240 * price // 2
    assert billed(charges, "recurring") == 91_000 * 10**6
    assert billed(rate({"c": kind(**terms)}, [usage(HOURS, TEN)])) == 152_000 * 10**6


def test_a_prepayment_that_is_not_due_yet_is_owed() -> None:
    """A second tranche of 5 GPUs comes on 1 March: half of its 31 days is paid then, the rest in March."""
    lease = Lease(fleet="azure", usd_per_gpu_hour=Decimal(1), term_months=1,
                  payment=PaymentSchedule(upfront_frac=Decimal("0.5")))  # fmt: skip
    owed = remaining(lease, TEN, delivery(utc(2024, 3, 1), 5))
    of_second = 31 * 24 * 5_000_000
    assert owed[31 * 24 - 1] == owed[60 * 24 - 1] == of_second
    assert owed[60 * 24] == of_second // 2 - 2_500_000
    assert owed[91 * 24] == 0


def test_a_plan_that_starts_later_owes_its_prepayment() -> None:
    plan = SavingsPlan(
        usd_per_hour=Decimal(8),
        rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(2), usd_per_gpu_hour=Decimal(1))},
        start=utc(2024, 2, 1),
        term_months=1,
        payment=PaymentSchedule(upfront_frac=Decimal("0.25")),
    )
    owed = remaining(plan, TEN)
    assert owed[0] == 29 * 24 * 8_000_000
    assert owed[31 * 24] == 29 * 24 * 6_000_000 - 6_000_000


@pytest.mark.parametrize("ended", [False, True])
def test_a_term_without_a_start_owes_up_to_its_end(ended: bool) -> None:
    more: dict[str, Any] = {"end": utc(2024, 6, 1), "termination": HALF if ended else None}
    plan = SavingsPlan(
        usd_per_hour=Decimal(8),
        rates={"azure": PlanRate(on_demand_usd_per_gpu_hour=Decimal(2), usd_per_gpu_hour=Decimal(1))},
        **more,
    )
    reserved = Reserved(fleet="azure", usd_per_gpu_hour=Decimal(1), gpus=8, **more)
    for contract in (plan, reserved):
        charges = rate({"c": contract}, [usage(HOURS, TEN)])
        assert billed(charges, "termination_fee") == (61 * 24 * 4_000_000 if ended else 0)
        last = utc(2024, 4, 1) if ended else utc(2024, 6, 1)
        assert remaining(contract, TEN)[0] == (days(utc(2024, 1, 1), last) * 24 - 1) * 8_000_000


PREPAID = Reserved(
    fleet="azure",
    usd_per_gpu_hour=Decimal(1),
    gpus=10,
    start=utc(2024, 1, 1),
    end=utc(2025, 1, 1),
    payment=PaymentSchedule(upfront_frac=Decimal("0.5")),
    termination=EarlyTermination(date=utc(2024, 4, 11), fee_frac=Decimal("0.1"), refund_frac=Decimal("0.2")),
    sla=SlaCredit(brackets=(SlaBracket(Decimal("0.99"), Decimal("0.1")),)),
)


def test_what_lapses_is_unused_in_the_table_too() -> None:
    bill = Biller({"c": PREPAID}).bill([usage(HOURS, TEN)])
    table = commitment_columns(bill.commitments, bill.hour_us, {"azure": "x"})
    lapsed = (366 - 101) * 24 * 5_000_000 * 4 // 5
    assert effective(bill.charges, "unused") == lapsed == int(table["unused_usd"].sum())
    assert np.array_equal(table["used_usd"] + table["unused_usd"], table["committed_usd"])


def test_an_uptime_credit_is_of_the_months_usage_alone() -> None:
    """Half of April's GPU-hours are lost: 10% of 10 days of rent, and nothing of fee, refund and lapse."""
    lost = np.where(HOURS[91 * 24] <= HOURS, 18_000, 0)
    charges = rate({"c": PREPAID}, [usage(HOURS, TEN, lost_gpu_s=lost)])
    given = [row[8] for row in rows(charges) if row[4] == "sla_credit"]
    assert given == [-10 * 24 * 1_000_000]
    assert billed(charges, "termination_fee") > 0


def test_an_uptime_credit_leaves_out_what_lapses_from_the_bank() -> None:
    contract = TakeOrPay(
        fleet="azure", usd_per_gpu_hour=Decimal(1), make_up_months=1,
        sla=SlaCredit(brackets=(SlaBracket(Decimal("0.99"), Decimal("0.1")),)),
    )  # fmt: skip
    hour_us = hours(utc(2024, 6, 1), utc(2024, 8, 1))
    idle = usage(hour_us, delivery(utc(2024, 6, 1), 10), allocated=np.zeros_like(hour_us),
                 lost_gpu_s=np.full_like(hour_us, 18_000))  # fmt: skip
    charges = rate({"c": contract}, [idle])
    assert effective(charges, "unused") == 720 * 10_000_000
    assert billed(charges, "sla_credit") == 0


@pytest.mark.parametrize("names", [("azure", "b"), ("b", "azure")])
def test_an_uptime_credit_is_of_the_fleet_that_was_down(names: tuple[str, str]) -> None:
    """10 GPUs of each of two fleets under one plan in June; only b fails: 10% of its $7,200."""
    rate_of = PlanRate(on_demand_usd_per_gpu_hour=Decimal(2), usd_per_gpu_hour=Decimal(1))
    plan = SavingsPlan(usd_per_hour=Decimal(20), rates=dict.fromkeys(names, rate_of),
                       sla=SlaCredit(brackets=(SlaBracket(Decimal("0.99"), Decimal("0.1")),)))  # fmt: skip
    hour_us = hours(utc(2024, 6, 1), utc(2024, 7, 1))
    charges = rate({"c": plan}, [
        usage(hour_us, TEN, fleet="azure", lost_gpu_s=np.zeros_like(hour_us)),
        usage(hour_us, TEN, fleet="b", lost_gpu_s=np.full_like(hour_us, 18_000)),
    ])  # fmt: skip
    assert [row[1:2] + row[8:] for row in rows(charges) if row[4] == "sla_credit"] == [
        ("b", -720_000_000, -720_000_000)]  # fmt: skip


def test_the_default_list_price_of_a_total_has_what_is_paid_ahead() -> None:
    lease = Lease(fleet="azure", total_usd=Decimal(366 * 240), term_months=12,
                  payment=PaymentSchedule(upfront_frac=Decimal("0.25")))  # fmt: skip
    charges = rate({"c": lease}, [usage(HOURS, TEN)])
    assert int(charges.list_micro_usd.sum()) == int(charges.contracted_micro_usd.sum()) == 366 * 240 * 10**6
