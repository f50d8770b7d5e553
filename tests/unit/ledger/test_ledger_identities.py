"""What holds for every kind, alone or with others: the two ledgers agree, and rows are what tables say."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from metered import block, delivery, hours, rows, usage, utc
from random_contracts import DELIVERED, FIRST, KINDS, LAST, contracts, portfolios
from random_usage import instants, metered, seeds

from fleetsim.ledger.charges import Charges
from fleetsim.ledger.columns import commitment_columns, cost_columns, invoice_columns
from fleetsim.ledger.contracts import CONTRACTS, Credits, EnterpriseCommitment, Reserved
from fleetsim.ledger.rating import Bill, Biller
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.rng import Streams
from fleetsim.timebase import epoch_us

REVENUE = {"plus": dict.fromkeys(range(647, 653), 123_456_789_012)}
PROVIDERS = {"azure": "microsoft", "b": "oracle"}
ELASTIC = ("it", "OnDemand-0", "OnDemand-1", "Spot-0", "VolumeTiers-1", "Negotiated-0")
"""Names that the contract of the elastic part may have; most often there is none of that name."""


@st.composite
def usages(draw: Any) -> list[HourlyUsage]:
    """Two fleets with tranches from inside months and hours; the first also has an elastic part."""
    found = []
    for fleet in ("azure", "b"):
        tranches = draw(
            st.lists(st.tuples(instants(FIRST, DELIVERED), st.integers(1, 300)), min_size=1, max_size=2)
        )
        seed, places = draw(seeds), len(hours(FIRST, LAST))
        more = np.random.default_rng(seed)
        each = metered(
            FIRST,
            LAST,
            tranches,
            seed,
            fleet=fleet,
            load=draw(st.integers(0, 1_000)),
            elastic=100_000,
            elastic_contract=draw(st.sampled_from(ELASTIC)),
            lost_gpu_s=more.integers(0, 9_000, places),
            energy_wh=more.integers(0, 10**6, places),
        ).usage
        hours_late = draw(st.integers(-50, 400))
        late = [
            replace(one, promised_us=one.accepted_us - 3_600_000_000 * hours_late) for one in each.deliveries
        ]
        found.append(replace(each, deliveries=tuple(late)))
    return found


def biller(portfolio: dict[str, Any], **options: Any) -> Biller:
    return Biller(portfolio, streams=Streams(5), last_us=epoch_us(LAST), **options)


def sums(charges: Charges) -> dict[str, list[int]]:
    """By contract: billed and effective micro-dollars."""
    found: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows(charges):
        found[row[2]][0] += row[8]
        found[row[2]][1] += row[9]
    return found


def same(left: Iterable[Charges], right: Charges) -> bool:
    return sorted(rows(*left)) == sorted(rows(right))


def test_every_kind_is_tried() -> None:
    assert set(KINDS) == set(CONTRACTS.values())


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_what_is_billed_over_a_term_is_what_it_costs(kind: type, data: st.DataObject) -> None:
    contract = data.draw(contracts(kind, "azure", "b"))
    metered_fleets = data.draw(usages())
    others = data.draw(portfolios(most=2))
    charges = biller({**others, "it": contract}).bill(metered_fleets, REVENUE).charges
    for name, (billed, effective) in sums(charges).items():
        assert billed == effective, name
    assert int(charges.billed_micro_usd.sum()) == int(charges.effective_micro_usd.sum())


@given(portfolio=portfolios(), metered_fleets=usages(), rounded=st.booleans())
def test_month_by_month_is_the_whole(
    portfolio: dict[str, Any], metered_fleets: list[HourlyUsage], rounded: bool
) -> None:
    options = {"providers": PROVIDERS} if rounded else {}
    whole = biller(portfolio, **options).bill(metered_fleets, REVENUE)
    monthly = biller(portfolio, **options)
    months = metered_fleets[0].hour_us.astype("datetime64[us]").astype("datetime64[M]").astype(int)
    edges = [0, *(np.flatnonzero(np.diff(months)) + 1).tolist(), len(months)]
    bills = [monthly.bill([block(each, *cut) for each in metered_fleets], REVENUE) for cut in pairwise(edges)]
    assert same([bill.charges for bill in bills], whole.charges)
    for k, commitment in enumerate(whole.commitments):
        for column in (
            "committed_gpu_s",
            "used_gpu_s",
            "overage_gpu_s",
            "committed_micro_usd",
            "used_micro_usd",
        ):
            parts = [getattr(bill.commitments[k], column) for bill in bills]
            assert np.array_equal(np.concatenate(parts), getattr(commitment, column))


@given(portfolio=portfolios(), metered_fleets=usages(), order=st.randoms(use_true_random=False))
def test_the_order_of_contracts_and_fleets_changes_nothing(
    portfolio: dict[str, Any], metered_fleets: list[HourlyUsage], order: Any
) -> None:
    names = list(portfolio)
    order.shuffle(names)
    shuffled = {name: portfolio[name] for name in names}
    first = biller(portfolio, providers=PROVIDERS).bill(metered_fleets, REVENUE).charges
    second = biller(shuffled, providers=PROVIDERS).bill(metered_fleets[::-1], REVENUE).charges
    assert same([second], first)


@given(portfolio=portfolios(), metered_fleets=usages())
def test_rows_are_whole_and_stand_once(portfolio: dict[str, Any], metered_fleets: list[HourlyUsage]) -> None:
    """One row per key; without commitments the amounts agree; a GPU-hour is charged at most once."""
    charges = biller(portfolio).bill(metered_fleets, REVENUE).charges
    keys = [row[:5] for row in rows(charges)]
    assert len(keys) == len(set(keys))
    taken: dict[tuple[int, str], int] = defaultdict(int)
    for hour, fleet, _, category, clause, gpu_s, listed, contracted, billed, effective in rows(charges):
        assert gpu_s >= 0
        if category in ("Purchase", "Credit", "Adjustment"):
            assert listed == contracted == 0
            assert effective == (0 if category == "Purchase" or clause == "drawdown" else billed)
        elif clause in ("used", "made_up", "depreciation"):
            assert billed == 0
        elif clause == "unused":
            assert listed == contracted == billed == 0
        else:
            assert contracted == billed == effective
        if category == "Usage" and clause not in ("unused", "depreciation", "past_life", "spot"):
            taken[hour, fleet] += gpu_s
    for each in metered_fleets:
        for hour, use, extra in zip(
            each.hour_us.tolist(),
            each.allocated_gpu_s.tolist(),
            each.elastic_allocated_gpu_s.tolist(),
            strict=True,
        ):
            assert taken[hour, each.fleet] <= use + extra


@given(portfolio=portfolios(), metered_fleets=usages())
def test_the_commitment_table(portfolio: dict[str, Any], metered_fleets: list[HourlyUsage]) -> None:
    """used + unused = committed in dollars, and so say the rows; at the end nothing is owed."""
    bill = biller(portfolio).bill(metered_fleets, REVENUE)
    table = commitment_columns(bill.commitments, bill.hour_us, PROVIDERS)
    assert np.array_equal(table["used_usd"] + table["unused_usd"], table["committed_usd"])
    names = table["contract"].names
    pots = {name for name, contract in portfolio.items()
            if isinstance(contract, Credits | EnterpriseCommitment)}
    for code, contract in enumerate(names):
        rows_of = table["contract"].codes == code
        for name in ("used_usd", "unused_usd", "remaining_usd"):
            amounts = np.ma.filled(table[name], 0)[rows_of]
            if contract in pots and name == "used_usd":  # a credit gives back what the pot has counted
                amounts = np.cumsum(amounts)
            assert amounts.min(initial=0) >= 0, (contract, name)
    said: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows(bill.charges):
        if row[3] == "Usage" and row[4] in ("used", "made_up", "unused"):
            said[row[0], row[2]][row[4] == "unused"] += row[9]
    for i, (hour, code) in enumerate(
        zip(table["hour"].tolist(), table["contract"].codes.tolist(), strict=True)
    ):
        if names[code] in pots:
            continue  # what it pays for stands on the rows of other contracts
        used, unused = said[hour, names[code]]
        assert used == table["used_usd"][i]
        assert unused == table["unused_usd"][i]
    for commitment in bill.commitments:
        if commitment.remaining_micro_usd is None:
            continue
        remaining = commitment.remaining_micro_usd()
        assert remaining[-1] == 0
        assert commitment.contract in pots or (np.diff(remaining) <= 0).all()


@given(metered_fleets=usages(), data=st.data())
def test_what_is_still_owed_falls_by_what_is_paid(
    metered_fleets: list[HourlyUsage], data: st.DataObject
) -> None:
    contract = data.draw(contracts(Reserved, "azure", "b"))
    bill = biller({"r": contract}).bill(metered_fleets, REVENUE)
    owed = bill.commitments[0].remaining_micro_usd
    assume(owed is not None)  # all tranches came after the term
    paid = [(row[0], row[8]) for row in rows(bill.charges) if row[4] in ("recurring", "upfront")]
    months = bill.hour_us.astype("datetime64[us]").astype("datetime64[M]").astype(int)
    ends = np.flatnonzero(np.diff(months, append=10**6))
    later = [sum(amount for hour, amount in paid if hour > bill.hour_us[end]) for end in ends]
    for said, exact in zip(owed()[ends].tolist(), later, strict=True):
        assert abs(said - exact) <= len(bill.hour_us)


@given(portfolio=portfolios(), metered_fleets=usages())
def test_invoices_are_the_charges_in_whole_cents(
    portfolio: dict[str, Any], metered_fleets: list[HourlyUsage]
) -> None:
    bill = biller(portfolio, providers=PROVIDERS).bill(metered_fleets, REVENUE)
    invoices = invoice_columns(bill, PROVIDERS)
    costs = cost_columns(bill.charges, PROVIDERS)
    by_key: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    months = costs["hour"].astype("datetime64[us]").astype("datetime64[M]").astype(object)
    for i, month in enumerate(months):
        key = month, *(costs[name].names[costs[name].codes[i]] for name in ("provider", "contract"))
        for k, amount in enumerate(("list", "contracted", "billed", "effective")):
            by_key[key][k] += int(costs[f"{amount}_usd"][i])
    said = {
        key: [int(invoices[f"{amount}_usd"][i]) for amount in ("list", "contracted", "billed", "effective")]
        for i, key in enumerate(
            zip(invoices["month"], invoices["provider"], invoices["contract"], strict=True)
        )
    }
    assert by_key == said
    per_provider: dict[tuple[Any, ...], int] = defaultdict(int)
    for (month, provider, _), amounts in said.items():
        per_provider[month, provider] += amounts[2]
    assert all(amount % 10_000 == 0 for amount in per_provider.values())
    unrounded = biller(portfolio).bill(metered_fleets, REVENUE).charges
    assert same([without_rounding(bill)], unrounded)


def without_rounding(bill: Bill) -> Charges:
    charges = bill.charges
    kept = [charges.lines[line].clause != "rounding" for line in charges.line]
    columns = {name: values[kept] for name, values in vars(charges).items() if isinstance(values, np.ndarray)}
    return Charges(lines=charges.lines, **columns)


def test_a_provider_with_the_second_fleet_of_a_plan_alone_has_whole_cents() -> None:
    from fleetsim.ledger.contracts import SavingsPlan
    from fleetsim.ledger.contracts.savings_plan import PlanRate
    from fleetsim.ledger.contracts.sla_credit import SlaBracket, SlaCredit

    rates = {
        name: PlanRate(on_demand_usd_per_gpu_hour=Decimal(5), usd_per_gpu_hour=price)
        for name, price in (("azure", Decimal("0.333333")), ("b", Decimal("4.1")))
    }
    plan = SavingsPlan(
        usd_per_hour=Decimal("1.2345678"),
        rates=rates,
        sla=SlaCredit(brackets=(SlaBracket(Decimal(1), Decimal("0.0123")),)),
    )
    hour_us = hours(utc(2024, 1, 1), utc(2024, 1, 1) + timedelta(days=2))
    fleets = [
        usage(hour_us, delivery(utc(2024, 1, 1), 1), fleet=name, lost_gpu_s=np.full_like(hour_us, 9))
        for name in ("b", "azure")
    ]
    charges = Biller({"plan": plan}, providers=PROVIDERS).bill(fleets).charges
    by_fleet: dict[str, int] = defaultdict(int)
    for row in rows(charges):
        by_fleet[row[1]] += row[8]
    assert by_fleet["azure"] != 0
    assert all(amount % 10_000 == 0 for amount in by_fleet.values())
