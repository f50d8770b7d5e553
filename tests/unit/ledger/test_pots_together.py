"""Pots and what is charged: credits and refunds go back, and no charge is paid twice."""

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metered import billed, block, delivery, effective, hours, rows, usage, utc

from fleetsim.ledger.contracts import (
    CostPassThrough,
    Credits,
    EnterpriseCommitment,
    OnDemand,
    Reserved,
    VolumeTiers,
)
from fleetsim.ledger.contracts.early_termination import EarlyTermination
from fleetsim.ledger.contracts.payment_schedule import PaymentSchedule
from fleetsim.ledger.contracts.provider_delay import ProviderDelay
from fleetsim.ledger.contracts.sla_credit import SlaBracket, SlaCredit
from fleetsim.ledger.contracts.volume_tiers import Tier
from fleetsim.ledger.rating import Biller, rate

JUNE = hours(utc(2024, 6, 1), utc(2024, 7, 1))
TEN = delivery(utc(2024, 1, 1), 10)
LOST = np.full_like(JUNE, 3_600)
SLA = SlaCredit(brackets=(SlaBracket(Decimal("0.99"), Decimal("0.1")),))
TIERS = VolumeTiers(fleet="azure", start=utc(2024, 6, 1), mode="all_units",
                    tiers=(Tier(0, Decimal(2)), Tier(5_000, Decimal(1))))  # fmt: skip
RENT: dict[str, Any] = {"usd_per_gpu_hour": Decimal(1)}
"""7,200 GPU-hours in June: $7,200."""
OD = OnDemand(fleet="azure", **RENT)
OF_B = OnDemand(fleet="b", **RENT)


def credit(usd: int, *fleets: str, **terms: Any) -> Credits:
    return Credits(fleets_=fleets or ("azure",), usd=Decimal(usd), start=utc(2024, 6, 1), **terms)


def macc(usd: int, **terms: Any) -> EnterpriseCommitment:
    return EnterpriseCommitment(
        fleets_=("azure",), usd=Decimal(usd), start=utc(2024, 6, 1), term_months=1, **terms)


def drawn(contracts: dict[str, Any], *fleets: str) -> dict[str, int]:
    """Dollars drawn from each pot in June."""
    charges = rate(contracts, [usage(JUNE, TEN, fleet=fleet) for fleet in fleets or ("azure",)])
    found: dict[str, int] = {}
    for row in rows(charges):
        if row[4] == "drawdown":
            found[row[2]] = found.get(row[2], 0) - row[8]
    return {name: amount // 1_000_000 for name, amount in found.items()}


@pytest.mark.parametrize(
    ("contract", "net"), [(TIERS, 7_200), (OnDemand(fleet="azure", **RENT, sla=SLA), 6_480)])
def test_settlements_and_uptime_credits_count(contract: Any, net: int) -> None:
    metered = usage(JUNE, TEN, lost_gpu_s=LOST)
    paid = rate({"c": contract, "pot": credit(10_000)}, [metered])
    assert billed(paid, "drawdown") == -net * 1_000_000
    assert billed(paid) == 10_000_000_000
    assert effective(paid) == net * 1_000_000
    short = rate({"c": contract, "pot": macc(10_000)}, [metered])
    assert billed(short, "shortfall") == (10_000 - net) * 1_000_000


def test_a_refund_goes_back_into_the_pot_that_paid() -> None:
    """June and July, half paid ahead, ended on 11 July with a refund: 40 days of $240 are drawn."""
    reserved = Reserved(
        fleet="azure", **RENT, gpus=10, start=utc(2024, 6, 1), end=utc(2024, 8, 1),
        payment=PaymentSchedule(upfront_frac=Decimal("0.5")),
        termination=EarlyTermination(date=utc(2024, 7, 11), refund_frac=Decimal(1)),
    )  # fmt: skip
    contracts = {"r": reserved, "pot": credit(20_000)}
    metered = usage(hours(utc(2024, 6, 1), utc(2024, 8, 1)), TEN)
    charges = rate(contracts, [metered])
    assert billed(charges, "drawdown") == -40 * 240_000_000
    assert billed(charges) == 20_000_000_000
    biller = Biller(contracts)
    blocks = [biller.bill([block(metered, *cut)]).charges for cut in ((0, 720), (720, 1_464))]
    assert sorted(rows(*blocks)) == sorted(rows(charges))


def test_credits_do_not_pay_for_credits() -> None:
    assert drawn({"od": OD, "p1": credit(10_000), "p2": credit(6_000)}) == {"p1": 7_200}


@given(
    usd=st.integers(0, 60_000),
    prepaid=st.booleans(),
    period=st.sampled_from([None, 1, 2]),
    seed=st.integers(0, 2**32),
)
def test_a_pot_is_drawn_up_to_what_was_charged_in_its_period(
    usd: int, prepaid: bool, period: int | None, seed: int
) -> None:
    """Hours in which credits are more than charges, by a plain loop; month by month is the whole."""
    hour_us = hours(utc(2024, 1, 10), utc(2024, 7, 10))
    months = [0, *(i for i, hour in enumerate(hour_us.astype("datetime64[us]").tolist())
                   if hour.day == 1 and hour.hour == 0), len(hour_us)]  # fmt: skip
    generator = np.random.default_rng(seed)
    use = generator.integers(0, 36_001, len(hour_us)) * generator.integers(0, 2, len(hour_us))
    metered = usage(hour_us, TEN, allocated=use, lost_gpu_s=np.full_like(hour_us, 3_600))
    kind: Any = Credits if prepaid else EnterpriseCommitment
    pot = kind(fleets_=("azure",), usd=Decimal(usd), start=utc(2024, 2, 1), term_months=5,
               period_months=period)  # fmt: skip
    rent = OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(2), sla=SlaCredit(
        brackets=(SlaBracket(Decimal("0.99"), Decimal("0.6")),)))  # fmt: skip
    contracts = {"c": rent, "tiers": TIERS, "pot": pot}
    charges = Biller(contracts).bill([metered]).charges
    charged = [0] * len(hour_us)
    said = [0] * len(hour_us)
    for row in rows(charges):
        place = (row[0] - int(hour_us[0])) // 3_600_000_000
        if row[2] != "pot":
            charged[place] += row[8]
        elif row[4] == "drawdown":
            said[place] -= row[8]
    month_of = np.searchsorted(months, np.arange(len(hour_us)), side="right") - 1
    expected, left = [0] * len(hour_us), {}
    raw: dict[int, int] = {}
    for place, amount in enumerate(charged):
        since = int(month_of[place]) - 1  # the pot's months begin with February
        if not 0 <= since < 5:
            continue
        number = since // period if period else 0
        before = min(max(raw.get(number, 0), 0), usd * 1_000_000)
        raw[number] = raw.get(number, 0) + amount
        expected[place] = min(max(raw[number], 0), usd * 1_000_000) - before
        left[number] = usd * 1_000_000 - min(max(raw[number], 0), usd * 1_000_000)
    assert not prepaid or said == expected
    if not prepaid:
        missing = [row[8] for row in rows(charges) if row[4] == "shortfall"]
        assert missing == [over for over in left.values() if over]
    biller = Biller(contracts)
    blocks = [biller.bill([block(metered, *cut)]).charges for cut in pairwise(months)]
    assert sorted(rows(*blocks)) == sorted(rows(charges))


def test_two_pots_that_name_one_contract_pay_it_once() -> None:
    contracts = {"od": OD, "p1": credit(6_000, contracts=("od",)), "p2": credit(6_000, contracts=("od",))}
    assert drawn(contracts) == {"p1": 6_000, "p2": 1_200}


def test_a_pot_for_one_of_the_fleets_of_another_pays_what_that_leaves() -> None:
    contracts = {"od": OD, "of_b": OF_B, "p1": credit(20_000, "azure", "b"), "p2": credit(6_000, "b")}
    assert drawn(contracts, "azure", "b") == {"p1": 14_400}
    contracts["p1"] = credit(9_000, "azure", "b")
    # Both fleets draw $20 an hour for 450 of the 720 hours.
    assert drawn(contracts, "azure", "b") == {"p1": 9_000, "p2": 2_700}


def test_what_credits_paid_does_not_count_for_a_commitment_to_the_same_contract() -> None:
    contracts = {"od": OD, "p1": credit(6_000), "macc": macc(7_200, contracts=("od",))}
    assert billed(rate(contracts, [usage(JUNE, TEN)]), "shortfall") == 6_000_000_000
    contracts["macc"] = macc(7_200)  # the invoice for the credits counts where all of the fleet does
    assert billed(rate(contracts, [usage(JUNE, TEN)]), "shortfall") == 0


def test_a_credit_gives_back_to_a_commitment_in_its_hour() -> None:
    """$10.45 less a credit of 1 cent in each of two hours is $10.43 of $11: a shortfall of 57 cents.

    The second hour charges nothing but its credit, so that the pot then counts one cent less.
    """
    start = utc(2023, 12, 10, 5)
    late = [replace(delivery(accepted, 1), promised_us=delivery(utc(2023, 12, 9, 5), 1).accepted_us)
            for accepted in (start, utc(2023, 12, 10, 6))]
    contracts = {
        "share": CostPassThrough(
            fleet="b", usd_per_gpu_hour=Decimal("0.01"), revenue_share_frac=Decimal("0.2"),
            delay_relief=ProviderDelay(credit_usd_per_gpu_day=Decimal("0.01"), grace_days=0)),
        "promise": EnterpriseCommitment(fleets_=("b",), usd=Decimal(11), start=start,
                                        end=utc(2023, 12, 10, 6, 1))}
    bill = Biller(contracts).bill([usage(hours(start, utc(2024, 1, 1)), *late, fleet="b")])
    (pot,) = [each for each in bill.commitments if each.contract == "promise"]
    assert pot.used_micro_usd[:3].tolist() == [10_440_000, -10_000, 0]
    assert pot.committed_micro_usd[:3].tolist() == [10_440_000, 560_000, 0]
    assert [row[8] for row in rows(bill.charges) if row[4] == "delay_credit"] == [-10_000, -10_000]
    assert billed(bill.charges, "shortfall") == 570_000
