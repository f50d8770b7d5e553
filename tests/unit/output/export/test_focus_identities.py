"""FOCUS rows of every contract kind: the sums and products that the public validator cannot see."""

from decimal import Decimal
from pathlib import Path

import pytest
from focus_file import FocusFile, of_run

import fleetsim as fs
from fleetsim.ledger.charges import CLAUSES
from fleetsim.ledger.contracts import CONTRACTS
from fleetsim.output.export.words import base_clause
from fleetsim.output.run import Run

PURCHASED = "ChargeCategory = 'Purchase'"
WITHIN_TERM = ("partial-upfront", "plan", "plan-of-one", "total", "block", "lease", "ended-later",
               "ended-soon", "banked", "pass-through", "elastic-minimum")
"""Commitments whose terms end, or are settled every month, within the run."""


def far(product: str, cost: str) -> str:
    """Where a product is not the cost, to 1e-9."""
    return f"abs({product}::double - {cost}::double) > 1e-9 * greatest(abs({cost}::double), 1)"


def test_the_run_has_every_kind_and_every_clause_that_a_run_can_have(kinds: Run) -> None:
    found = of_run(kinds, "select distinct kind from dim_contract")
    assert {kind for (kind,) in found} == set(CONTRACTS)
    clauses = {base_clause(name) for (name,) in of_run(kinds, "select distinct clause from fact_cost_hourly")}
    # Fleets never use more than they have, so nothing is above a take-or-pay commitment.
    assert clauses == set(CLAUSES) - {"overage"}


def test_price_times_quantity_is_the_cost(focus: FocusFile) -> None:
    priced = "ChargeCategory in ('Usage', 'Purchase')"
    for kind in ("List", "Contracted"):
        product = f"({kind}UnitPrice::double * PricingQuantity::double)"
        wrong = focus.ask(f"select * from focus where {priced} and {far(product, kind + 'Cost')}")
        assert wrong == []
    assert focus.ask(f"select count(*) from focus where {priced} and (ListUnitPrice is null or "
                     "ContractedUnitPrice is null or PricingQuantity is null)") == [(0,)]


def test_usage_without_a_commitment_costs_what_it_is_billed(focus: FocusFile) -> None:
    plain = ("ChargeCategory = 'Usage' and CommitmentDiscountId is null "
             "and x_ContractName <> 'hardware'")
    assert focus.ask(f"select count(*) > 0 from focus where {plain}") == [(True,)]
    assert focus.ask(f"select * from focus where {plain} and "
                     "(BilledCost <> EffectiveCost or BilledCost <> ContractedCost)") == []


def test_running_costs_of_hardware_have_no_public_price_beside_that_of_its_hours(focus: FocusFile) -> None:
    own = "x_ContractName = 'hardware' and ChargeCategory = 'Usage'"
    running = f"{own} and x_CostComponent not in ('depreciation', 'past_life')"
    assert focus.ask(f"select count(*) > 0 from focus where {running}") == [(True,)]
    assert focus.ask(f"select * from focus where {running} and (BilledCost <> EffectiveCost or ListCost <> 0 "
                     "or ContractedCost <> 0)") == []
    hours = "x_CostComponent in ('depreciation', 'past_life')"
    gpu_hours = focus.total("PricingQuantity", f"{own} and {hours}")
    assert focus.total("ListCost", own) == gpu_hours * Decimal("4.1")


@pytest.mark.parametrize("contract", WITHIN_TERM)
def test_a_commitment_costs_what_was_paid_for_it(focus: FocusFile, contract: str) -> None:
    own = f"CommitmentDiscountId = 'contract/{contract}'"
    used = focus.total("EffectiveCost", f"{own} and ChargeCategory = 'Usage'")
    paid = focus.total("BilledCost", f"{own} and {PURCHASED}")
    assert used == paid
    assert used > 0


def test_a_pot_costs_what_was_paid_for_it_less_what_was_drawn(focus: FocusFile) -> None:
    own = "CommitmentDiscountId = 'contract/prepaid'"
    lapsed = focus.total("EffectiveCost", f"{own} and ChargeCategory = 'Usage'")
    assert lapsed == focus.total("BilledCost", f"{own} and ChargeCategory in ('Purchase', 'Credit')") == 3_000
    assert focus.total("EffectiveCost", f"{own} and ChargeCategory <> 'Usage'") == 0


def test_hardware_is_written_off_to_its_residual_value(focus: FocusFile) -> None:
    written_off = focus.total("EffectiveCost", "x_CostComponent = 'depreciation'")
    assert written_off == focus.total("BilledCost", "x_CostComponent = 'capex'") == 24 * (17_500 - 2_000)
    bought = focus.ask("select PricingQuantity, ListUnitPrice from focus where x_CostComponent = 'capex' "
                       "order by PricingQuantity")
    assert bought == [(-16, 2_000), (-8, 2_000), (8, 17_500), (16, 17_500)]


@pytest.mark.parametrize("contract", ["partial-upfront", "block", "ended-later", "ended-soon", "pass-through",
                                      "lease", "total", "elastic-minimum"])
def test_used_and_unused_are_what_was_committed(focus: FocusFile, contract: str) -> None:
    grain = "month" if focus.grain == "month" else "hour"
    split = focus.ask(f"""
        select date_trunc('{grain}', ChargePeriodStart) as period, sum(CommitmentDiscountQuantity)::double
        from focus where CommitmentDiscountId = 'contract/{contract}' and ChargeCategory = 'Usage'
        group by period having sum(CommitmentDiscountQuantity) > 0 order by period""")
    committed = of_run(focus.run, f"""
        select date_trunc('{grain}', hour)::timestamptz as period, sum(committed_gpu_hours) as hours
        from fact_commitment_hourly where contract = '{contract}' group by period having hours > 0
        order by period""")
    assert [hours for _, hours in split] == pytest.approx([hours for _, hours in committed], rel=1e-9)
    assert len(split) == len(committed) > 0


def test_a_spend_plan_is_used_in_dollars(focus: FocusFile) -> None:
    plan = "CommitmentDiscountId = 'contract/plan'"
    used = focus.total("CommitmentDiscountQuantity", f"{plan} and ChargeCategory = 'Usage'")
    assert used == focus.total("CommitmentDiscountQuantity", f"{plan} and {PURCHASED}") == 60 * 1_440
    assert focus.ask(f"select distinct CommitmentDiscountUnit from focus where {plan}") == [("USD",)]


def test_what_was_paid_and_not_taken_is_made_up_later(monthly: FocusFile) -> None:
    rows = monthly.ask("""
        select month(ChargePeriodStart), x_CostComponent, ChargeCategory, CommitmentDiscountStatus,
            CommitmentDiscountQuantity::double, BilledCost::double, EffectiveCost::double from focus
        where x_ContractName = 'banked' and x_CostComponent in ('make_up', 'made_up') order by all""")
    assert rows == [(1, "make_up", "Purchase", None, 6_528, 12_403.2, 0),
                    (2, "made_up", "Usage", "Used", 6_528, 0, 12_403.2)]


def test_an_invoice_is_the_sum_of_its_rows(focus: FocusFile) -> None:
    found = focus.ask("select InvoiceId, sum(BilledCost), sum(EffectiveCost) from focus group by all "
                      "order by all")
    invoices = of_run(focus.run, """
        select provider || '-' || strftime(month, '%Y-%m') as id, sum(billed_usd) as billed,
            sum(effective_usd) as effective from fact_invoice_monthly group by id order by id""")
    assert found == invoices
    assert len(found) == 6 * 3 - 1, "six providers, three months; Oracle's leases end in February"
    assert all(billed == round(billed, 2) for _, billed, _ in found)
    assert focus.ask("select * from focus where ChargePeriodStart < BillingPeriodStart or "
                     "ChargePeriodEnd > BillingPeriodEnd or ChargePeriodStart >= ChargePeriodEnd") == []


def test_the_file_is_the_ledger(focus: FocusFile) -> None:
    totals = focus.run.manifest["totals"]
    by_fleet = focus.ask("select x_FleetName, sum(BilledCost), sum(EffectiveCost) from focus group by all "
                         "order by all")
    assert by_fleet == of_run(focus.run, "select fleet, sum(billed_usd) as b, sum(effective_usd) as e "
                                         "from fact_cost_hourly group by all order by all")
    for column, name in (("BilledCost", "billed_usd"), ("EffectiveCost", "effective_usd")):
        assert focus.total(column) == Decimal(totals[name])
        assert focus.total(column) == sum(
            Decimal(contract[name]) for contract in focus.run.summary["contracts"].values())
    usage = "ChargeCategory = 'Usage'"
    assert focus.total("ListCost", usage) == Decimal(totals["list_usd"])
    assert focus.total("ContractedCost", usage) == Decimal(totals["contracted_usd"])


def test_gpu_hours_of_usage_are_those_that_were_metered(focus: FocusFile) -> None:
    # Of plan-two the savings plans cover a part; depreciation carries the GPU-hours of owned hardware.
    for fleet, column in (("plan-two", "allocated"), ("block", "rented"), ("owned", "rented"),
                          ("reserved", "allocated")):
        hours = focus.total("ConsumedQuantity + 0", f"x_FleetName = '{fleet}' and ConsumedUnit = 'GPU-Hours'")
        lost = focus.total("CommitmentDiscountQuantity", f"x_FleetName = '{fleet}' and "
                           "CommitmentDiscountStatus = 'Unused' and CommitmentDiscountUnit = 'GPU-Hours'")
        metered = of_run(focus.run, f"select sum({column}_gpu_hours) from fact_capacity_hourly "
                                    f"where fleet = '{fleet}'")[0][0]
        unused = lost if column == "rented" else 0
        assert float(hours + unused) == pytest.approx(metered, rel=1e-9)


def test_net_saving_leaves_purchases_out(monthly: FocusFile) -> None:
    saving = monthly.total("ContractedCost - EffectiveCost", "ChargeCategory = 'Usage'")
    by_hand = of_run(monthly.run, "select sum(contracted_usd) - sum(effective_usd) as s "
                                  "from fact_cost_hourly where charge_category = 'Usage'")[0][0]
    assert saving == by_hand != 0


def test_no_row_stands_twice(focus: FocusFile) -> None:
    key = ("ChargePeriodStart, ChargePeriodEnd, SkuPriceId, ResourceId, SubAccountId, x_ContractName, "
           "x_CostComponent, CommitmentDiscountStatus, ChargeCategory, Tags")
    assert focus.ask(f"select {key} from focus group by {key} having count(*) > 1") == []


def test_both_grains_say_the_same(kinds: Run, monthly: FocusFile, focus: FocusFile) -> None:
    question = ("select BillingPeriodStart, x_ContractName, x_FleetName, x_CostComponent, sum(BilledCost), "
                "sum(EffectiveCost), sum(ListCost) from focus group by all order by all")
    assert focus.ask(question) == monthly.ask(question)


SPEND_PLAN = """\
fleetsim: 1
name: one-hour
horizon: {start: 2024-02-29T05:00:00, end: 2024-02-29T06:00:00}
fleets: {f: {gpu: a100-80gb, provider: aws, role: training, tranches: [{date: 2024-02-29, gpus: 4}]}}
contracts:
  plan: {kind: savings_plan, usd_per_hour: 13,
         rates: {f: {on_demand_usd_per_gpu_hour: 5, usd_per_gpu_hour: 4}}}
  rest: {kind: on_demand, fleet: f, usd_per_gpu_hour: 5}
"""


def test_the_worked_example_of_a_spend_plan(tmp_path: Path) -> None:
    (tmp_path / "hour.yaml").write_text(SPEND_PLAN, encoding="utf-8")
    run = fs.simulate(fs.load(tmp_path / "hour.yaml"), results=tmp_path / "results")
    rows = FocusFile.of(run, tmp_path / "hour.parquet", "hour").ask("""
        select x_CostComponent, BilledCost::double, EffectiveCost::double, PricingQuantity::double,
            ListCost::double, ContractedCost::double, CommitmentDiscountQuantity::double,
            CommitmentDiscountUnit from focus order by x_CostComponent desc""")
    assert rows == [("used", 0, 13, 3.25, 16.25, 16.25, 13, "USD"),
                    ("recurring", 13, 0, 13, 13, 13, 13, "USD"),
                    ("on_demand", 3.75, 3.75, 0.75, 3.75, 3.75, None, None)]
