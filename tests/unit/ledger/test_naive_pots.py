"""Pots equal plain loops: credits that are drawn down and lapse, commitments whose shortfall is due."""

from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metered import billed, block, delivery, effective, hours, rows, usage, utc
from naive import micro, months_after
from random_usage import Metered, fleets, instants, prices

from fleetsim.ledger.contracts import Credits, EnterpriseCommitment, OnDemand, Reserved
from fleetsim.ledger.contracts.agreement import EarlyTermination
from fleetsim.ledger.rating import Biller, rate
from fleetsim.timebase import epoch_us

START, END = utc(2024, 1, 20), utc(2024, 7, 8)


@given(
    fleet=fleets(days=170),
    price=prices,
    usd=st.integers(0, 20_000_000),
    start=instants(START, END),
    term=st.integers(1, 6),
    period=st.none() | st.integers(1, 4),
    prepaid=st.booleans(),
)
def test_pots(
    fleet: Metered, price: Decimal, usd: int, start: datetime, term: int, period: int | None, prepaid: bool
) -> None:
    kind: Any = Credits if prepaid else EnterpriseCommitment
    pot = kind(fleets_=("azure",), usd=Decimal(usd), start=start, term_months=term, period_months=period)
    contracts = {"od": OnDemand(fleet="azure", usd_per_gpu_hour=price), "pot": pot}
    charges = rate(contracts, [fleet.usage])
    end = months_after(start, term)
    bounds = [start]
    while period is not None and months_after(start, period * len(bounds)) < end:
        bounds.append(months_after(start, period * len(bounds)))
    bought, drawn, settled = 0, [], []
    for first, last in pairwise([*bounds, end]):
        left = None
        for i, hour in enumerate(fleet.hours):
            if not first.replace(minute=0) <= hour < last or (hour < first and first is not start):
                continue
            if left is None:
                left, bought = usd * 1_000_000, bought + 1
            part = min(left, micro(fleet.allocated[i], price))
            left -= part
            drawn.append((epoch_us(hour), part))
            if i + 1 == len(fleet.hours) or fleet.hours[i + 1] >= last:
                over = i + 1 < len(fleet.hours) or fleet.hours[i].timestamp() + 3_600 >= last.timestamp()
                settled += [(epoch_us(hour), left)] if over and left else []
    said = {
        clause: [(row[0], row[8], row[9]) for row in rows(charges) if row[2:5:2] == ("pot", clause)]
        for clause in ("upfront", "drawdown", "unused", "shortfall")
    }
    if prepaid:
        assert [row[1:] for row in said["upfront"]] == ([(usd * 1_000_000, 0)] * bought if usd else [])
        assert said["drawdown"] == [(hour, -part, 0) for hour, part in drawn if part]
        assert said["unused"] == [(hour, 0, left) for hour, left in settled]
    else:
        assert said["shortfall"] == [(hour, left, left) for hour, left in settled]
    assert {row[3] for row in rows(charges) if row[2] == "pot"} <= {
        "Purchase",
        "Credit",
        "Usage",
        "Adjustment",
    }
    if end <= fleet.hours[-1]:
        assert billed(charges) == effective(charges)
    cuts = [
        0,
        *(i for i, hour in enumerate(fleet.hours) if hour.day == 1 and hour.hour == 0),
        len(fleet.hours),
    ]
    biller = Biller(contracts)
    blocks = [biller.bill([block(fleet.usage, *cut)]).charges for cut in pairwise(cuts)]
    assert sorted(rows(*blocks)) == sorted(rows(charges))


YEARS = hours(utc(2024, 1, 1), utc(2027, 1, 1))
GPU = usage(YEARS, delivery(utc(2024, 1, 1), 1))
FLAT = {"od": OnDemand(fleet="azure", usd_per_gpu_hour=Decimal(1))}


def test_a_yearly_commitment_is_settled_at_each_anniversary() -> None:
    """$8,760 a year are 8,760 h at $1: 24 more in the leap year, nothing missing in the others."""
    macc = EnterpriseCommitment(
        fleets_=("azure",), usd=Decimal(8_800), start=utc(2024, 1, 1), term_months=36, period_months=12
    )
    short = [(row[0], row[8]) for row in rows(rate({**FLAT, "macc": macc}, [GPU])) if row[4] == "shortfall"]
    ends = [epoch_us(utc(year, 1, 1)) - 3_600_000_000 for year in (2025, 2026, 2027)]
    assert short == list(zip(ends, [16_000_000, 40_000_000, 40_000_000], strict=True))


def test_only_the_named_contracts_draw_on_a_pot() -> None:
    elsewhere = usage(YEARS, delivery(utc(2024, 1, 1), 1), fleet="b")
    contracts = {
        **FLAT,
        "b": OnDemand(fleet="b", usd_per_gpu_hour=Decimal(1)),
        "r": Reserved(fleet="azure", usd_per_gpu_hour=Decimal(1), gpus=1),
    }
    credit = Credits(fleets_=("azure",), contracts=("od",), usd=Decimal(100), start=utc(2024, 1, 1))
    assert billed(rate({**contracts, "pot": credit}, [GPU, elsewhere]), "drawdown") == 0
    credit = Credits(fleets_=("azure",), contracts=("r",), usd=Decimal(100), start=utc(2024, 1, 1))
    assert billed(rate({**contracts, "pot": credit}, [GPU, elsewhere]), "drawdown") == -100_000_000


def test_a_charge_is_drawn_from_one_pot_and_order_changes_nothing() -> None:
    """$26,304 of charges: credits of $10,000 and $5,000 are drawn once each, no credit buys another one."""
    contracts = {
        **FLAT,
        "first": Credits(fleets_=("azure",), usd=Decimal(10_000), start=utc(2024, 1, 1)),
        "second": Credits(fleets_=("azure",), usd=Decimal(5_000), start=utc(2024, 1, 1)),
        "macc": EnterpriseCommitment(
            fleets_=("azure",), usd=Decimal(30_000), start=utc(2024, 1, 1), term_months=36
        ),
    }
    charges = rate(contracts, [GPU])
    drawn = {
        name: sum(row[8] for row in rows(charges) if row[2:5:2] == (name, "drawdown")) for name in contracts
    }
    assert drawn == {"od": 0, "first": -10_000_000_000, "second": -5_000_000_000, "macc": 0}
    # What was invoiced counts: the charges less what credits paid, and the credits themselves.
    assert billed(charges, "shortfall") == 30_000_000_000 - 26_304_000_000
    back = rate(dict(reversed(contracts.items())), [GPU])
    assert sorted(rows(back)) == sorted(rows(charges))


@pytest.mark.parametrize("prepaid", [True, False])
def test_a_pot_that_is_ended_early(prepaid: bool) -> None:
    """After 1.5 years of 3: half of the year and one more are left, 10% of it is due, 40% comes back."""
    kind: Any = Credits if prepaid else EnterpriseCommitment
    pot = kind(
        fleets_=("azure",),
        usd=Decimal(10_000),
        start=utc(2024, 1, 1),
        term_months=36,
        period_months=12,
        termination=EarlyTermination(
            date=utc(2025, 7, 1), fee_frac=Decimal("0.1"), refund_frac=Decimal("0.4")
        ),
    )
    charges = rate({**FLAT, "pot": pot}, [GPU])
    left = 10_000 - 181 * 24
    if prepaid:
        assert billed(charges, "upfront") == 20_000_000_000
        assert billed(charges, "termination_fee") == 1_000_000_000
        assert billed(charges, "refund") == -left * 400_000
        assert effective(charges, "unused") == (10_000 - 8_784) * 1_000_000 + left * 600_000
    else:
        assert billed(charges, "shortfall") == (10_000 - 8_784) * 1_000_000
        assert billed(charges, "termination_fee") == (10_000 + left) * 100_000
    assert billed(charges) == effective(charges)


def test_a_pot_has_no_price_for_a_clause_to_move() -> None:
    from fleetsim.ledger.contracts.agreement import Escalator

    with pytest.raises(ValueError, match="no price"):
        Credits(
            fleets_=("azure",),
            usd=Decimal(1),
            start=utc(2024, 1, 1),
            escalator=Escalator(frac_per_step=Decimal(1), start=utc(2024, 1, 1)),
        )
