"""Charges are the metered GPU-hours at the contract's price, worked out in fractions, to the micro-dollar."""

from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pandas as pd
from hypothesis import given
from random_scenarios import scenarios
from whole_run import WholeRun, gpu_seconds

from fleetsim.ledger.contracts import OnDemand, Reserved, TakeOrPay
from fleetsim.model.scenario import Scenario

AMOUNTS = ["contracted_usd", "billed_usd", "effective_usd"]


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


def charged(run: WholeRun, contract: str, columns: list[str]) -> list[list[int]]:
    """Micro-dollars of a contract per hour, one column each; hours without a row are 0."""
    rows = run.frame("fact_cost_hourly")
    rows = rows[rows["contract"] == contract].copy()
    for column in columns:
        rows[column] = [int(amount * 1_000_000) for amount in rows[column]]
    sums = rows.groupby("hour")[columns].sum().reindex(run.hours, fill_value=0)
    return [[int(amount) for amount in amounts] for amounts in sums.to_numpy().tolist()]


@given(scenarios())
def test_every_hour_is_charged_at_its_price(scenario: Scenario) -> None:
    run = WholeRun(scenario)
    for fleet, spec in scenario.fleets.items():
        own = scenario.contracts.get(fleet)
        if isinstance(own, TakeOrPay):
            continue
        meters = metered(run, fleet)
        if own is not None:
            due = [meter.committed if isinstance(own, Reserved) else meter.allocated for meter in meters]
            public = own.list_usd_per_gpu_hour or own.usd_per_gpu_hour
            assert charged(run, fleet, AMOUNTS) == [
                [micro_usd(gpu_s, own.usd_per_gpu_hour)] * 3 for gpu_s in due]
            assert charged(run, fleet, ["list_usd"]) == [[micro_usd(gpu_s, public)] for gpu_s in due]
        if spec.elastic is not None:
            elastic = scenario.contracts[spec.elastic.contract]
            assert isinstance(elastic, OnDemand)
            due = [meter.elastic + (meter.allocated if own is None else 0) for meter in meters]
            assert charged(run, spec.elastic.contract, AMOUNTS) == [
                [micro_usd(gpu_s, elastic.usd_per_gpu_hour)] * 3 for gpu_s in due]


@given(scenarios())
def test_take_or_pay_charges_what_is_taken_or_the_minimum(scenario: Scenario) -> None:
    run = WholeRun(scenario)
    rows = run.frame("fact_cost_hourly")
    rows["gpu_s"] = gpu_seconds(rows["gpu_hours"])
    for name, contract in scenario.contracts.items():
        mine = rows[rows["contract"] == name]
        if not isinstance(contract, TakeOrPay):
            continue
        meters = pd.DataFrame(metered(run, name), index=run.hours)
        for _, month in meters.groupby(run.hours.month):
            least = round(int(month["committed"].sum()) * Fraction(str(contract.minimum_frac)))
            taken = int(month["allocated"].sum())
            within = mine[mine["hour"].isin(month.index)]
            assert within["gpu_s"].sum() == max(least, taken)
        assert contract.usd_per_gpu_hour is not None
        by_hour = mine.groupby("hour")["gpu_s"].sum().reindex(run.hours, fill_value=0)
        assert charged(run, name, AMOUNTS) == [
            [micro_usd(int(gpu_s), contract.usd_per_gpu_hour)] * 3 for gpu_s in by_hour]


@given(scenarios())
def test_what_no_contract_covers_costs_nothing(scenario: Scenario) -> None:
    rows = WholeRun(scenario).frame("fact_cost_hourly")
    covered = {contract.fleet for contract in scenario.contracts.values()}
    assert set(rows["fleet"]) <= covered
    assert set(rows["contract"]) <= set(scenario.contracts)
    assert not rows.duplicated(["hour", "contract", "clause"]).any()
    for row in rows.itertuples():
        assert row.provider == scenario.fleets[row.fleet].provider
        assert scenario.contracts[row.contract].fleet == row.fleet
