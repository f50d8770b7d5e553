"""FOCUS rows: columns, types, allowed values and null rules in every row, and the words of each clause."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from focus_file import FocusFile, of_run

import fleetsim as fs
from fleetsim.ledger.charges import CLAUSES
from fleetsim.output.export.charges import Amounts, RunCharges
from fleetsim.output.export.focus_columns import COLUMNS_1_2, FOCUS_COLUMNS
from fleetsim.output.export.focus_rows import _Known, _row
from fleetsim.output.export.lines import ContractFacts, FleetFacts, Line
from fleetsim.output.export.periods import ChargePeriod
from fleetsim.output.export.plain_text import ascii_of
from fleetsim.output.export.prices import unit_price
from fleetsim.output.export.words import WORDS
from fleetsim.output.run import Run

ALLOWED = {
    "ChargeCategory": {"Usage", "Purchase", "Credit", "Adjustment"},
    "ChargeClass": {None, "Correction"},
    "ChargeFrequency": {"One-Time", "Recurring", "Usage-Based"},
    "PricingCategory": {None, "Standard", "Committed", "Dynamic"},
    "CommitmentDiscountStatus": {None, "Used", "Unused"},
    "CommitmentDiscountCategory": {None, "Usage", "Spend"},
    "CapacityReservationStatus": {None, "Used", "Unused"},
    "BillingCurrency": {"USD"},
    "PricingCurrency": {"USD"},
    "ServiceCategory": {"Compute", "Management and Governance"},
    "PricingUnit": {None, "GPU-Hours", "USD", "GPUs", "kWh", "Hours"},
    "CommitmentDiscountUnit": {None, "GPU-Hours", "USD"},
    "ConsumedUnit": {None, "GPU-Hours", "kWh", "Hours"},
}
NEVER_NULL = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency",
    "BillingPeriodStart", "BillingPeriodEnd", "ChargeCategory", "ChargeDescription", "ChargeFrequency",
    "ChargePeriodStart", "ChargePeriodEnd", "ContractedCost", "EffectiveCost", "InvoiceId",
    "InvoiceIssuerName", "ListCost", "PricingCurrency", "PricingCurrencyEffectiveCost", "ProviderName",
    "PublisherName", "ServiceCategory", "ServiceName", "ServiceSubcategory", "Tags")
PRICED = "ChargeCategory in ('Usage', 'Purchase')"
FORBIDDEN = {
    "priced rows have a price, others none": " or ".join(
        f"({PRICED}) <> ({name} is not null)" for name in (
            "ContractedUnitPrice", "ListUnitPrice", "PricingCategory", "PricingQuantity", "PricingUnit",
            "SkuId", "SkuPriceId", "SkuMeter", "SkuPriceDetails", "PricingCurrencyListUnitPrice",
            "PricingCurrencyContractedUnitPrice")),
    "prices are not negative": "ContractedUnitPrice < 0 or ListUnitPrice < 0",
    "purchases are never usage-based": "ChargeCategory = 'Purchase' and ChargeFrequency = 'Usage-Based'",
    "purchases have no effective cost": "ChargeCategory = 'Purchase' and EffectiveCost <> 0",
    "what a commitment covers is billed with it": "CommitmentDiscountStatus is not null and BilledCost <> 0",
    "a commitment has all its columns or none": " or ".join(
        f"(CommitmentDiscountId is null) <> ({name} is null)"
        for name in ("CommitmentDiscountCategory", "CommitmentDiscountName", "CommitmentDiscountType")),
    "usage of a commitment has a status, nothing else has":
        "(CommitmentDiscountId is not null and ChargeCategory = 'Usage') <> "
        "(CommitmentDiscountStatus is not null)",
    "units of a commitment on usage and purchases": f"(CommitmentDiscountId is not null and {PRICED} and "
        "ChargeClass is null) <> (CommitmentDiscountQuantity is not null)",
    "a quantity has a unit": "(CommitmentDiscountQuantity is null) <> (CommitmentDiscountUnit is null) or "
        "(ConsumedQuantity is null) <> (ConsumedUnit is null)",
    "usage that came was consumed": "(ChargeCategory = 'Usage' and CommitmentDiscountStatus is distinct from "
        "'Unused') <> (ConsumedQuantity is not null)",
    "unused has no quantity":
        "CommitmentDiscountStatus = 'Unused' and (PricingQuantity <> 0 or ListCost <> 0)",
    "a capacity block stands on its usage":
        "(x_ContractKind = 'capacity_block' and ChargeCategory = 'Usage') "
        "<> (CapacityReservationId is not null) or CapacityReservationStatus is distinct from "
        "(case when CapacityReservationId is not null then CommitmentDiscountStatus end)",
    "region all or none": "(RegionId is null) <> (RegionName is null)",
    "a resource has its type and another name": "(ResourceId is null) <> (ResourceType is null) or "
        "ResourceName = ResourceId",
    "purchases and unused shares are of the commitment": "CommitmentDiscountId is not null and "
        "(ChargeCategory = 'Purchase' or CommitmentDiscountStatus = 'Unused') and "
        "ResourceId is distinct from CommitmentDiscountId",
    "the issuer is the provider": "InvoiceIssuerName <> ProviderName",
    "currencies agree": "PricingCurrencyEffectiveCost <> EffectiveCost or "
        "PricingCurrencyListUnitPrice is distinct from ListUnitPrice",
    "months": "BillingPeriodEnd <> BillingPeriodStart + interval 1 month or day(BillingPeriodStart) <> 1",
}


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_row_breaks_a_rule(focus: FocusFile, what: str) -> None:
    assert focus.ask(f"select x_ContractName, x_CostComponent from focus where {FORBIDDEN[what]}") == []


@pytest.mark.parametrize("column", ALLOWED)
def test_values_are_allowed_and_all_occur(focus: FocusFile, column: str) -> None:
    assert {value for (value,) in focus.ask(f"select distinct {column} from focus")} == ALLOWED[column]


@pytest.mark.parametrize("column", NEVER_NULL)
def test_what_is_never_null(focus: FocusFile, column: str) -> None:
    assert focus.ask(f"select count(*) from focus where {column} is null") == [(0,)]


def test_the_57_columns_come_first_with_their_types(focus: FocusFile) -> None:
    schema = focus.table.schema
    assert len(COLUMNS_1_2) == 57
    names = [column.name for column in FOCUS_COLUMNS["1.2"]]
    assert schema.names == names
    assert len({name.lower() for name in names}) == len(names)
    assert all(name.startswith("x_") for name in names[57:])
    types = {"String": pa.string(), "JSON": pa.string(), "Decimal": pa.decimal128(38, 12),
             "Date/Time": pa.timestamp("us", tz="UTC")}
    assert [field.type for field in schema] == [types[column.type] for column in FOCUS_COLUMNS["1.2"]]


def test_text_is_ascii_and_never_empty(focus: FocusFile) -> None:
    for column in FOCUS_COLUMNS["1.2"]:
        if column.type in ("String", "JSON"):
            for text in set(focus.table.column(column.name).drop_null().to_pylist()):
                assert text.isascii(), column.name
                assert text.strip() not in ("", "N/A"), column.name


def test_objects_are_flat_and_carry_the_labels(focus: FocusFile) -> None:
    for column in ("Tags", "SkuPriceDetails"):
        for text in set(focus.table.column(column).drop_null().to_pylist()):
            pairs = json.loads(text, object_pairs_hook=list)
            assert len({key for key, _ in pairs}) == len(pairs)
            assert all(isinstance(value, str | int | float | bool | None) for _, value in pairs)
    tags = json.loads(focus.ask("select distinct Tags from focus where x_FleetName = 'reserved'")[0][0])
    assert tags == {"team": "Z\u00fcrich \u2013 ops", "cost_centre": "c1", "fleetsim:scenario": "all-kinds",
                    "fleetsim:fleet": "reserved", "fleetsim:role": "training"}
    pool = json.loads(focus.ask("select distinct Tags from focus where x_FleetName = 'elastic'")[0][0])
    assert pool["fleetsim:pool"] == "chat"


def test_rows_are_in_order_and_periods_within_the_run(focus: FocusFile) -> None:
    starts = focus.table.column("ChargePeriodStart").to_pylist()
    assert starts == sorted(starts)
    assert starts[0] == datetime(2024, 1, 10, tzinfo=UTC)
    assert max(focus.table.column("ChargePeriodEnd").to_pylist()) == datetime(2024, 3, 21, tzinfo=UTC)


def test_an_id_means_one_thing(focus: FocusFile) -> None:
    for many, one in (("SkuPriceId", "SkuId"), ("SkuPriceId", "ListUnitPrice"),
                      ("ResourceId", "ResourceType"), ("InvoiceId", "ProviderName"),
                      ("ServiceName", "ServiceCategory || ServiceSubcategory"),
                      ("CommitmentDiscountId", "CommitmentDiscountCategory")):
        assert focus.ask(f"select {many} from focus where {many} is not null group by {many} "
                         f"having count(distinct {one}) > 1") == []


def test_gpu_hours_are_one_sku_however_they_are_paid(monthly: FocusFile) -> None:
    found = monthly.ask("select PricingCategory, SkuId from focus where x_FleetName = 'block' and SkuMeter = "
                        "'GPU hours' group by all order by all")
    assert found == [(how, "aws/test-gpu/gpu-hours") for how in ("Committed", "Dynamic", "Standard")]


def test_a_refund_corrects_an_earlier_invoice(monthly: FocusFile) -> None:
    rows = monthly.ask("""
        select x_ContractName, ChargeClass, PricingQuantity::double, PricingUnit, ContractedUnitPrice::double,
            BilledCost::double, EffectiveCost::double
        from focus where x_CostComponent = 'refund' order by all""")
    assert rows == [
        ("ended-later", "Correction", -8_908.8, "GPU-Hours", 1.2, -10_690.56, 0),
        ("ended-soon", None, -5_644.8, "GPU-Hours", 0.6, -3_386.88, 0),
        ("plan-of-one", "Correction", -2_592, "USD", 1, -2_592, 0),
        ("prepaid", "Correction", -2_000, "USD", 1, -2_000, 0),
    ]


def test_power_is_metered_and_a_month_of_colocation_is_by_the_hour(monthly: FocusFile) -> None:
    rows = monthly.ask("""
        select x_CostComponent, ConsumedQuantity::double, ConsumedUnit, ListUnitPrice::double,
               BilledCost::double from focus
        where x_ContractName = 'hardware' and month(ChargePeriodStart) = 2
            and x_CostComponent in ('power', 'colocation') order by all""")
    energy = of_run(monthly.run, "select sum(energy_kwh) as e from fact_capacity_hourly "
                                 "where fleet = 'owned' and month(hour) = 2")[0][0]
    assert [row[0] for row in rows] == ["colocation", "power"]
    assert rows[0][1:3] == (29 * 24, "Hours")
    # The public price is that of the GPU-hours, running costs included.
    assert rows[1][1:] == (pytest.approx(energy, rel=1e-6), "kWh", 0.0,
                           pytest.approx(0.07 * energy, rel=1e-6))


def test_metadata_describes_the_file_without_a_clock(kinds: Run, monthly: FocusFile, tmp_path: Path) -> None:
    again = FocusFile.of(kinds, tmp_path / "focus.parquet", "month")
    described = monthly.path.with_name("focus.metadata.json")
    assert again.path.read_bytes() == monthly.path.read_bytes()
    assert (tmp_path / described.name).read_bytes() == described.read_bytes()
    metadata = json.loads(described.read_text())
    schema = metadata["Schema"]
    assert (schema["FocusVersion"], schema["CreationDate"]) == ("1.2", "2024-03-21T00:00:00Z")
    assert metadata["DataGenerator"]["DataGenerator"] == f"fleetsim {fs.__version__}"
    columns = {column["ColumnName"]: column for column in schema["ColumnDefinition"]}
    assert list(columns) == monthly.table.schema.names
    assert columns["BilledCost"] == {"ColumnName": "BilledCost", "DataType": "DECIMAL",
                                     "NumericPrecision": 38, "NumberScale": 12}
    assert columns["x_RunId"]["StringMaxLength"] == 16
    assert metadata["x_Totals"]["billed_usd"] == kinds.manifest["totals"]["billed_usd"]


def test_every_clause_of_the_ledger_has_its_words() -> None:
    assert WORDS.keys() == CLAUSES.keys()
    assert all(re.fullmatch(r"[A-Za-z0-9 /-]+", words.unit) for words in WORDS.values())


def test_use_above_a_commitment_is_a_row_of_its_own() -> None:
    line = Line("run", "s", "p", FleetFacts("f", "g", "serving", None, None, {}),
                ContractFacts("c", "take_or_pay", "gpu_hours", None, None, {}), "Usage", "overage")
    start = datetime(2024, 2, 1, tzinfo=UTC)
    period = ChargePeriod(start, start, start, start)
    amounts = Amounts(line, period, 3_600 * 4, 1, 12_000_000, 10_000_000, 10_000_000, 10_000_000)
    row = _row(amounts, RunCharges([amounts], {}), _Known([amounts]))
    assert (row.priced.quantity, row.priced.list_price, row.priced.contracted_price) == (4, 3, Decimal("2.5"))
    assert (row.billed_cost, row.effective_cost, row.committed) == (10, 10, None)
    assert (line.words.pricing, line.commitment_id, line.commitment_status) == ("Standard", None, None)


@pytest.mark.parametrize(("cost", "quantity", "price"), [
    ("13", "4", "3.25"), ("0.000001", "3600", "0.000000000278"), ("1000000.000004", "500000", "2"),
    ("10", "3", "3.333333333"), ("0", "0", "0"), ("-12", "-4", "3")])
def test_a_unit_price_has_as_few_digits_as_it_needs(cost: str, quantity: str, price: str) -> None:
    assert unit_price(Decimal(cost), Decimal(quantity)) == Decimal(price)


def test_a_cost_without_a_quantity_has_no_price() -> None:
    with pytest.raises(ValueError, match="has no quantity"):
        unit_price(Decimal(1), Decimal(0))


def test_names_stay_apart_in_ascii() -> None:
    assert [ascii_of(name) for name in ("azure-a100", "Zürich", "Zurich", "100%", "a b")] == [
        "azure-a100", "Z%C3%BCrich", "Zurich", "100%25", "a b"]
