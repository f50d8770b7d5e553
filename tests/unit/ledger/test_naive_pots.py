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

from fleetsim.ledger.columns import commitment_columns
from fleetsim.ledger.contracts import Credits, EnterpriseCommitment, OnDemand, Reserved
from fleetsim.ledger.contracts.early_termination import EarlyTermination
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


def test_the_fee_of_a_pot_has_a_cap() -> None:
    """A share of two periods of $10,000 to come would be $10,000."""
    termination = EarlyTermination(date=utc(2025, 1, 1), fee_frac=Decimal("0.5"), fee_cap_usd=Decimal(300))
    macc = pot_of(EnterpriseCommitment, start=utc(2024, 1, 1), term_months=36, period_months=12,
                  termination=termination)  # fmt: skip
    assert billed(rate({**FLAT, "pot": macc}, [GPU]), "termination_fee") == 300_000_000


def test_a_pot_has_no_price_for_a_clause_to_move() -> None:
    from fleetsim.ledger.contracts.escalator import Escalator

    with pytest.raises(ValueError, match="no price"):
        Credits(
            fleets_=("azure",),
            usd=Decimal(1),
            start=utc(2024, 1, 1),
            escalator=Escalator(frac_per_step=Decimal(1), start=utc(2024, 1, 1)),
        )


def pot_of(kind: Any, **terms: Any) -> Any:
    return kind(**{"fleets_": ("azure",), "usd": Decimal(10_000), "start": utc(2023, 7, 1), **terms})


@pytest.mark.parametrize("gone", [0, 4_000, 10_000])
def test_a_pot_that_began_before_pays_with_what_is_left(gone: int) -> None:
    """$8,784 of charges in 2024: of the $10,000 of July 2023 what was not drawn before, and no purchase."""
    credit = pot_of(Credits, term_months=18, drawn_before_usd=Decimal(gone))
    charges = rate({**FLAT, "pot": credit}, [usage(YEARS[:9_000], delivery(utc(2024, 1, 1), 1))])
    left = 10_000 - gone
    drawn = min(left, 8_784)
    assert billed(charges, "upfront") == 0
    assert billed(charges, "drawdown") == -drawn * 1_000_000
    assert effective(charges, "unused") == (left - drawn) * 1_000_000


def test_a_commitment_that_began_before_knows_what_was_reached() -> None:
    """Years from July on, the first with $2,000 reached: 182 days of 2024 are $4,368, $3,632 is missing."""
    macc = pot_of(EnterpriseCommitment, term_months=36, period_months=12, drawn_before_usd=Decimal(2_000))
    charges = rate({**FLAT, "pot": macc}, [GPU])
    short = [(row[0], row[8]) for row in rows(charges) if row[4] == "shortfall"]
    assert short == [
        (epoch_us(utc(2024, 6, 30, 23)), (10_000 - 2_000 - 182 * 24) * 1_000_000),
        (epoch_us(utc(2025, 6, 30, 23)), (10_000 - 8_760) * 1_000_000),
        (epoch_us(utc(2026, 6, 30, 23)), (10_000 - 8_760) * 1_000_000),
    ]


def test_more_than_all_cannot_be_drawn_before() -> None:
    with pytest.raises(ValueError, match="drawn_before_usd is above usd"):
        pot_of(Credits, drawn_before_usd=Decimal(10_001))


def remaining(contracts: dict[str, Any], name: str, *at: datetime) -> list[int]:
    """Dollars that a contract still asks for after the hours that begin at some instants."""
    bill = Biller(contracts).bill([GPU])
    owed = next(each for each in bill.commitments if each.contract == name).remaining_micro_usd
    assert owed is not None
    places = [int((epoch_us(instant) - YEARS[0]) // 3_600_000_000) for instant in at]
    return [int(owed()[place]) // 1_000_000 for place in places]


INSTANTS = (utc(2024, 1, 1), utc(2025, 1, 31, 23), utc(2026, 6, 30, 23), utc(2026, 12, 31))


def test_what_a_commitment_still_asks_for() -> None:
    """Of years of $10,000 from July 2023: what is left of the year, and the years to come."""
    macc = pot_of(EnterpriseCommitment, term_months=36, period_months=12, drawn_before_usd=Decimal(2_000))
    left_of_second = 10_000 - (184 + 31) * 24
    assert remaining({**FLAT, "pot": macc}, "pot", *INSTANTS) == [
        10_000 - 2_000 - 1 + 20_000, left_of_second + 10_000, 0, 0]  # fmt: skip


def test_what_contracts_owe_anyway_is_not_owed_twice() -> None:
    """Of $30,000 that are due, a reservation still owes $16,104 at the end of February 2024."""
    lease = Reserved(fleet="azure", usd_per_gpu_hour=Decimal(1), gpus=1, start=utc(2024, 1, 1),
                     end=utc(2026, 1, 1))  # fmt: skip
    macc = pot_of(EnterpriseCommitment, usd=Decimal(30_000), start=utc(2024, 1, 1), term_months=36)
    at = utc(2024, 2, 29, 23)
    owed = (366 - 60 + 365) * 24
    assert remaining({"r": lease, "pot": macc}, "r", at) == [owed]
    assert remaining({"r": lease, "pot": macc}, "pot", at) == [30_000 - 60 * 24 - owed]
    small = pot_of(EnterpriseCommitment, usd=Decimal(9), start=utc(2024, 1, 1), term_months=36)
    assert remaining({"r": lease, "pot": small}, "pot", at) == [0]


def test_credits_still_to_be_bought() -> None:
    credit = pot_of(Credits, start=utc(2024, 2, 1), term_months=24, period_months=12)
    at = (utc(2024, 1, 31, 23), utc(2024, 2, 1), utc(2025, 2, 1), utc(2026, 12, 31))
    assert remaining({**FLAT, "pot": credit}, "pot", *at) == [20_000, 10_000, 0, 0]


@pytest.mark.parametrize("prepaid", [True, False])
def test_the_commitment_of_a_pot_says_what_lapsed(prepaid: bool) -> None:
    """$10,000 a year from July 2023, of which $8,760 are used: used and unused in the year's last hour."""
    pot = pot_of(Credits if prepaid else EnterpriseCommitment, term_months=36, period_months=12,
                 drawn_before_usd=Decimal(2_000))  # fmt: skip
    bill = Biller({**FLAT, "pot": pot}).bill([GPU])
    table = commitment_columns(bill.commitments, bill.hour_us, {"azure": "microsoft"})
    assert set(table["contract"].names) == {"pot"}
    lapsed = {int(hour): int(unused) for hour, unused in zip(table["hour"], table["unused_usd"], strict=True)
              if unused}  # fmt: skip
    assert lapsed == {
        epoch_us(utc(2024, 6, 30, 23)): (8_000 - 182 * 24) * 1_000_000,
        epoch_us(utc(2025, 6, 30, 23)): 1_240_000_000,
        epoch_us(utc(2026, 6, 30, 23)): 1_240_000_000,
    }
    assert table["used_usd"].sum() == (182 + 365 + 365) * 24 * 1_000_000
    last = epoch_us(utc(2026, 6, 30, 23))
    assert table["hour"].max() == last
    assert table["remaining_usd"][-1] == 0
