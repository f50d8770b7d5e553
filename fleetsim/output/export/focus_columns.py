"""The columns of FOCUS CostAndUsage 1.2: a table, so that another version is another table.

Source: FOCUS 1.2 (2025-05-29), focus.finops.org; its 57 columns by name, then those of fleetsim, whose
names begin with `x_`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from fleetsim.output.export.focus_rows import FocusRow
from fleetsim.output.export.lines import Line
from fleetsim.output.export.periods import ChargePeriod
from fleetsim.output.export.plain_text import ascii_of

FOCUS_VERSION = "1.2"
CURRENCY = "USD"
Type = Literal["String", "Decimal", "Date/Time", "JSON"]


@dataclass(frozen=True)
class FocusColumn:
    """One column. `value` takes the row's line or period where it depends on nothing else, or the row."""

    name: str
    type: Type
    of: Literal["line", "period", "row"]
    value: Callable[[Any], Any]


def _line(name: str, value: Callable[[Line], str | None], dtype: Type = "String") -> FocusColumn:
    return FocusColumn(name, dtype, "line", value)


def _time(name: str, value: Callable[[ChargePeriod], Any]) -> FocusColumn:
    return FocusColumn(name, "Date/Time", "period", value)


def _money(name: str, value: Callable[[FocusRow], Any]) -> FocusColumn:
    return FocusColumn(name, "Decimal", "row", value)


def _text(name: str, value: Callable[[FocusRow], str | None]) -> FocusColumn:
    return FocusColumn(name, "String", "row", value)


def _provider(line: Line) -> str:
    return ascii_of(line.provider)


def _account(line: Line) -> str:
    return ascii_of(line.scenario)


def _region(line: Line) -> str | None:
    return None if line.fleet.region is None else ascii_of(line.fleet.region)


def _fleet(line: Line) -> str:
    return ascii_of(line.fleet.name)


COLUMNS_1_2: tuple[FocusColumn, ...] = (
    _line("AvailabilityZone", lambda line: None),
    _money("BilledCost", lambda row: row.billed_cost),
    _line("BillingAccountId", _account),
    _line("BillingAccountName", _account),
    _line("BillingAccountType", lambda line: "Simulated"),
    _line("BillingCurrency", lambda line: CURRENCY),
    _time("BillingPeriodEnd", lambda period: period.billing_end),
    _time("BillingPeriodStart", lambda period: period.billing_start),
    _line("CapacityReservationId", lambda line: line.reservation_id),
    _line("CapacityReservationStatus", lambda line: line.words.status if line.reservation_id else None),
    _line("ChargeCategory", lambda line: line.category),
    _text("ChargeClass", lambda row: row.charge_class),
    _line("ChargeDescription", lambda line: line.description),
    _line("ChargeFrequency", lambda line: line.words.frequency),
    _time("ChargePeriodEnd", lambda period: period.end),
    _time("ChargePeriodStart", lambda period: period.start),
    _line("CommitmentDiscountCategory", lambda line: line.commitment_category),
    _line("CommitmentDiscountId", lambda line: line.commitment_id),
    _line("CommitmentDiscountName", lambda line: line.commitment_id and ascii_of(line.contract.name)),
    _money("CommitmentDiscountQuantity", lambda row: row.committed),
    _line("CommitmentDiscountStatus", lambda line: line.commitment_status),
    _line("CommitmentDiscountType", lambda line: line.commitment_id and line.contract.kind),
    _text("CommitmentDiscountUnit", lambda row: row.committed_unit),
    _money("ConsumedQuantity", lambda row: row.consumed),
    _text("ConsumedUnit", lambda row: None if row.consumed is None else row.priced.unit),
    _money("ContractedCost", lambda row: row.contracted_cost),
    _money("ContractedUnitPrice", lambda row: row.priced.contracted_price),
    _money("EffectiveCost", lambda row: row.effective_cost),
    _text("InvoiceId", lambda row: ascii_of(row.invoice)),
    _line("InvoiceIssuerName", _provider),
    _money("ListCost", lambda row: row.list_cost),
    _money("ListUnitPrice", lambda row: row.priced.list_price),
    _line("PricingCategory", lambda line: line.words.pricing if line.priced else None),
    _line("PricingCurrency", lambda line: CURRENCY),
    _money("PricingCurrencyContractedUnitPrice", lambda row: row.priced.contracted_price),
    _money("PricingCurrencyEffectiveCost", lambda row: row.effective_cost),
    _money("PricingCurrencyListUnitPrice", lambda row: row.priced.list_price),
    _money("PricingQuantity", lambda row: row.priced.quantity),
    _text("PricingUnit", lambda row: row.priced.unit),
    _line("ProviderName", _provider),
    _line("PublisherName", _provider),
    _line("RegionId", _region),
    _line("RegionName", _region),
    _line("ResourceId", lambda line: line.resource[0]),
    _line("ResourceName", lambda line: line.resource[1]),
    _line("ResourceType", lambda line: line.resource[2]),
    _line("ServiceCategory", lambda line: line.service[1]),
    _line("ServiceName", lambda line: line.service[0]),
    _line("ServiceSubcategory", lambda line: line.service[2]),
    _line("SkuId", lambda line: line.sku),
    _line("SkuMeter", lambda line: line.meter),
    _line("SkuPriceDetails", lambda line: line.price_details, "JSON"),
    _text("SkuPriceId", lambda row: row.sku_price),
    _line("SubAccountId", lambda line: line.fleet_id),
    _line("SubAccountName", _fleet),
    _line("SubAccountType", lambda line: "Fleet"),
    _line("Tags", lambda line: line.tags, "JSON"),
)

OWN_COLUMNS: tuple[FocusColumn, ...] = (
    _line("x_ContractKind", lambda line: line.contract.kind),
    _line("x_ContractName", lambda line: ascii_of(line.contract.name)),
    _line("x_CostComponent", lambda line: line.clause),
    _line("x_FleetName", _fleet),
    _line("x_PoolName", lambda line: None if line.fleet.pool is None else ascii_of(line.fleet.pool)),
    _line("x_RunId", lambda line: line.run_id),
    _line("x_ScenarioName", _account),
)

FOCUS_COLUMNS: dict[str, tuple[FocusColumn, ...]] = {FOCUS_VERSION: (*COLUMNS_1_2, *OWN_COLUMNS)}
"""By version of FOCUS."""
