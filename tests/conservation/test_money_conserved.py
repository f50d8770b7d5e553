"""Charges are the metered GPU-hours at the contract's price, worked out in fractions, to the micro-dollar.

Invoices are the charges, in whole cents.
"""

import re
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pandas as pd
from hypothesis import given
from random_scenarios import scenarios
from whole_run import WholeRun, gpu_seconds

from fleetsim.ledger.charges import CLAUSES
from fleetsim.ledger.contracts import OnDemand, Reserved, SavingsPlan, TakeOrPay
from fleetsim.model.scenario import Scenario

AMOUNTS = ["contracted_usd", "billed_usd", "effective_usd"]
CENT = Decimal("0.01")


class Meter(NamedTuple):
    """GPU-seconds of one fleet in one hour."""

    committed: int
    """Accepted, of tranches."""
    allocated: int
    """Allocated of them."""
    elastic: int
    """Allocated of the elastic part."""


def metered(run: WholeRun, fleet: str) -> list[Meter]:
    """GPU-seconds per hour, from the capacity table."""
    columns = [run.fleet_seconds(fleet, name)
               for name in ("rented", "elastic", "allocated", "elastic_allocated")]
    return [Meter(rented - elastic, allocated - elastic_allocated, elastic_allocated)
            for rented, elastic, allocated, elastic_allocated in zip(*columns, strict=True)]


def micro_usd(gpu_s: int, usd_per_gpu_hour: Decimal) -> int:
    """The exact price, rounded once, ties to even."""
    return round(gpu_s * Fraction(usd_per_gpu_hour) * 1_000_000 / 3_600)


def charges_of(run: WholeRun, contract: str) -> pd.DataFrame:
    """The rows of a contract but for invoices' rounding; money in whole micro-dollars."""
    rows = run.frame("fact_cost_hourly")
    rows = rows[(rows["contract"] == contract) & (rows["clause"] != "rounding")].copy()
    for column in ["list_usd", *AMOUNTS]:
        rows[column] = [int(amount * 1_000_000) for amount in rows[column]]
    return rows


def charged(run: WholeRun, contract: str, columns: list[str]) -> list[list[int]]:
    """Micro-dollars of a contract per hour, one column each; hours without a row are 0."""
    sums = charges_of(run, contract).groupby("hour")[columns].sum().reindex(run.hours, fill_value=0)
    return [[int(amount) for amount in amounts] for amounts in sums.to_numpy().tolist()]


def used(run: WholeRun, contract: str) -> list[int]:
    """GPU-seconds that a contract covers, per hour."""
    rows = charges_of(run, contract)
    rows = rows[rows["clause"] == "used"]
    covered = pd.Series(gpu_seconds(rows["gpu_hours"]), index=rows["hour"])
    return [int(gpu_s) for gpu_s in covered.groupby(level=0).sum().reindex(run.hours, fill_value=0)]


def billed_by_month(run: WholeRun, contract: str) -> list[int]:
    """Micro-dollars billed in each calendar month of the run."""
    sums = pd.Series([amount for amount, in charged(run, contract, ["billed_usd"])], index=run.hours)
    return [int(month.sum()) for _, month in sums.groupby([run.hours.year, run.hours.month])]


def months_of(run: WholeRun, by_hour: list[int]) -> list[int]:
    """Sums of one value per hour over each calendar month of the run."""
    sums = pd.Series(by_hour, index=run.hours)
    return [int(month.sum()) for _, month in sums.groupby([run.hours.year, run.hours.month])]


@given(scenarios())
def test_every_hour_is_charged_at_its_price(scenario: Scenario) -> None:
    run = WholeRun(scenario)
    for fleet, spec in scenario.fleets.items():
        own = scenario.contracts.get(fleet)
        meters = metered(run, fleet)
        if isinstance(own, Reserved | OnDemand):
            price, public = own.usd_per_gpu_hour, own.list_usd_per_gpu_hour or own.usd_per_gpu_hour
            taken = [micro_usd(meter.allocated, price) for meter in meters]
            assert charged(run, fleet, ["list_usd"]) == [
                [micro_usd(meter.allocated, public)] for meter in meters]
            held = [micro_usd(meter.committed, price) for meter in meters]
            if isinstance(own, OnDemand):
                assert charged(run, fleet, AMOUNTS) == [[amount] * 3 for amount in taken]
            else:
                # A negotiated price is the public one where the contract names one.
                assert charged(run, fleet, ["contracted_usd", "effective_usd"]) == [
                    [micro_usd(meter.allocated, public), amount]
                    for meter, amount in zip(meters, held, strict=True)]
                assert billed_by_month(run, fleet) == months_of(run, held)
        if spec.elastic is not None:
            elastic = scenario.contracts[spec.elastic.contract]
            assert isinstance(elastic, OnDemand)
            left = [0] * len(meters)
            if own is None or isinstance(own, SavingsPlan):
                left = [meter.allocated for meter in meters]
            if isinstance(own, SavingsPlan):
                left = [free - covered for free, covered in zip(left, used(run, fleet), strict=True)]
            due = [meter.elastic + free for meter, free in zip(meters, left, strict=True)]
            assert charged(run, spec.elastic.contract, AMOUNTS) == [
                [micro_usd(gpu_s, elastic.usd_per_gpu_hour)] * 3 for gpu_s in due]


@given(scenarios())
def test_take_or_pay_charges_what_is_taken_or_the_minimum(scenario: Scenario) -> None:
    run = WholeRun(scenario)
    for name, contract in scenario.contracts.items():
        if not isinstance(contract, TakeOrPay):
            continue
        mine = charges_of(run, name)
        mine["gpu_s"] = gpu_seconds(mine["gpu_hours"])
        mine = mine[mine["charge_category"] == "Usage"]
        meters = pd.DataFrame(metered(run, name), index=run.hours)
        for _, month in meters.groupby([run.hours.year, run.hours.month]):
            least = round(int(month["committed"].sum()) * Fraction(str(contract.minimum_frac)))
            taken = int(month["allocated"].sum())
            within = mine[mine["hour"].isin(month.index)]
            assert within["gpu_s"].sum() == max(least, taken)
        assert contract.usd_per_gpu_hour is not None
        by_hour = mine.groupby("hour")["gpu_s"].sum().reindex(run.hours, fill_value=0)
        due = [micro_usd(int(gpu_s), contract.usd_per_gpu_hour) for gpu_s in by_hour]
        assert charged(run, name, ["effective_usd"]) == [[amount] for amount in due]
        assert billed_by_month(run, name) == months_of(run, due)


@given(scenarios())
def test_what_no_contract_covers_costs_nothing(scenario: Scenario) -> None:
    rows = WholeRun(scenario).frame("fact_cost_hourly")
    covered = {fleet for contract in scenario.contracts.values() for fleet in contract.fleets}
    assert set(rows["fleet"]) <= covered
    assert set(rows["contract"]) <= set(scenario.contracts)
    assert not rows.duplicated(["hour", "fleet", "contract", "charge_category", "clause"]).any()
    assert {re.sub(r"_tier_\d+$", "", clause) for clause in rows["clause"]} <= set(CLAUSES)
    for row in rows.itertuples():
        assert row.provider == scenario.fleets[row.fleet].provider
        assert row.fleet in scenario.contracts[row.contract].fleets


@given(scenarios())
def test_invoices_are_the_charges_in_whole_cents(scenario: Scenario) -> None:
    run = WholeRun(scenario)
    rows, invoices = run.frame("fact_cost_hourly"), run.frame("fact_invoice_monthly")
    rows["month"] = [hour.date().replace(day=1) for hour in rows["hour"]]
    columns = ["list_usd", *AMOUNTS]
    keys = ["month", "provider", "contract"]
    if rows.empty:
        assert invoices.empty
        return
    sums = {key: tuple(amounts) for key, amounts in zip(
        rows.groupby(keys).groups, rows.groupby(keys)[columns].sum().to_numpy().tolist(), strict=True)}
    said = {tuple(row[key] for key in keys): tuple(row[column] for column in columns)
            for row in invoices.to_dict("records")}
    nothing = (0, 0, 0, 0)  # a row of GPU-hours that are too few for a micro-dollar
    assert {key for key, value in sums.items() if any(value)} <= set(said) <= set(sums)
    assert all(said.get(key, nothing) == value for key, value in sums.items() if any(value))
    for _, amount in rows.groupby(["month", "provider"])["billed_usd"].sum().items():
        assert amount % CENT == 0
