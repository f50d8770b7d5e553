"""FOCUS rows: the charges of a run with quantities, unit prices and costs as FOCUS 1.2 wants them.

A purchase costs what it bills per unit bought. What a commitment paid for and nobody used has a price and
the quantity 0, so that list and contracted cost count usage alone. Credits and adjustments have no price.
"""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from fleetsim.output.export.charges import Amounts, RunCharges, charges_of
from fleetsim.output.export.lines import Line
from fleetsim.output.export.periods import ChargePeriod, Grain
from fleetsim.output.export.prices import as_text, fixed, hours, unit_price, usd
from fleetsim.output.export.words import GPU_HOURS, HOURS, USD

if TYPE_CHECKING:
    from fleetsim.output.run import Run

ZERO = Decimal(0)
CORRECTION = "Correction"


class Priced(NamedTuple):
    """Quantity and prices of a row; None on credits and adjustments."""

    quantity: Decimal | None = None
    unit: str | None = None
    list_price: Decimal | None = None
    contracted_price: Decimal | None = None


class FocusRow(NamedTuple):
    """A row of CostAndUsage, as far as it is neither its line's nor its period's."""

    line: Line
    period: ChargePeriod
    priced: Priced
    list_cost: Decimal
    contracted_cost: Decimal
    billed_cost: Decimal
    effective_cost: Decimal
    consumed: Decimal | None = None
    committed: Decimal | None = None
    """Units of the commitment."""
    committed_unit: str | None = None
    charge_class: str | None = None

    @property
    def sku_price(self) -> str | None:
        """The SKU at this public price under this contract."""
        price = self.priced.list_price
        if price is None:
            return None
        own = f"{self.line.contract_id}/{self.line.clause}"
        return f"{self.line.sku}/{own}@{as_text(price)}"

    @property
    def invoice(self) -> str:
        """One per provider and month."""
        return f"{self.line.provider}-{self.period.billing_start:%Y-%m}"


def focus_rows(run: "Run", grain: Grain) -> list[FocusRow]:
    """The rows of a run, in order of time, then provider, fleet, contract and clause."""
    charges = charges_of(run, grain)
    known = _Known(charges.rows)
    rows = [_row(amounts, charges, known) for amounts in charges.rows]
    return sorted(rows, key=lambda row: (
        row.period, row.line.provider, row.line.fleet.name, row.line.contract.name, row.line.category,
        row.line.clause, row.priced.quantity or ZERO))


class _Known:
    """Prices of a contract that its other rows tell."""

    def __init__(self, rows: Iterable[Amounts]) -> None:
        self.usage: dict[tuple[str, str], dict[ChargePeriod, Priced]] = {}
        """By contract and fleet, then period: prices of covered usage."""
        self.prepaid: dict[str, tuple[ChargePeriod, Decimal]] = {}
        """By contract: when it was first paid ahead, and at which price per unit."""
        for row in rows:
            line = row.line
            if line.words.status == "Used" and row.gpu_s:
                quantity = hours(row.gpu_s)
                self.usage.setdefault((line.contract.name, line.fleet.name), {})[row.period] = Priced(
                    ZERO, GPU_HOURS, unit_price(usd(row.list), quantity),
                    unit_price(usd(row.contracted), quantity))
            elif line.clause == "upfront":
                price = Decimal(1) if line.in_usd else unit_price(usd(row.billed), hours(row.gpu_s))
                self.prepaid.setdefault(line.contract.name, (row.period, price))

    def of_unused(self, row: Amounts) -> Priced:
        """Prices of the usage that did not come: as in the same period, as ever, or as the contract says."""
        line = row.line
        if line.in_usd:
            return Priced(ZERO, USD, Decimal(1), Decimal(1))
        seen = self.usage.get((line.contract.name, line.fleet.name))
        if seen:
            return seen.get(row.period) or next(iter(seen.values()))
        own = line.contract.own_price or (
            unit_price(usd(row.effective), hours(row.gpu_s)) if row.gpu_s else ZERO)
        listed = line.contract.list_price
        return Priced(ZERO, GPU_HOURS, own if listed is None else listed, own if listed is None else listed)


def _row(amounts: Amounts, charges: RunCharges, known: _Known) -> FocusRow:
    line = amounts.line
    billed, effective = usd(amounts.billed), usd(amounts.effective)
    if line.category == "Purchase":
        return _purchase(amounts, known)
    if line.category != "Usage":
        return FocusRow(line, amounts.period, Priced(), billed, billed, billed, effective)
    spent = effective if line.contract.committed == "usd" else hours(amounts.gpu_s)
    if line.words.status == "Unused":
        return FocusRow(line, amounts.period, known.of_unused(amounts), ZERO, ZERO, billed, effective,
                        committed=spent, committed_unit=_commitment_unit(line))
    quantity, unit = _consumed(amounts, charges)
    listed, contracted = usd(amounts.list), usd(amounts.contracted)
    prices = Priced(quantity, unit, unit_price(listed, quantity), unit_price(contracted, quantity))
    covered = line.commitment_id is not None
    return FocusRow(line, amounts.period, prices, listed, contracted, billed, effective, quantity,
                    spent if covered else None, _commitment_unit(line) if covered else None)


def _consumed(amounts: Amounts, charges: RunCharges) -> tuple[Decimal, str]:
    """Quantity and unit of usage: GPU-hours, metered electricity, or the hours of a service."""
    unit = amounts.line.unit
    if unit == "kWh":
        wh = charges.energy_wh.get((amounts.line.fleet.name, amounts.period), 0)
        if wh:
            return fixed(Decimal(wh) / 1000), unit
        unit = HOURS
    return (hours(amounts.gpu_s), unit) if unit == GPU_HOURS else (Decimal(amounts.hours), unit)


def _purchase(amounts: Amounts, known: _Known) -> FocusRow:
    """Cash for a commitment or for hardware: billed now, effective in what it buys."""
    line, billed = amounts.line, usd(amounts.billed)
    quantity, unit, kind = hours(amounts.gpu_s), line.unit, None
    if line.clause == "refund":
        quantity, unit, kind = _refunded(amounts, known)
    elif line.clause == "capex":
        quantity = _gpus(line, billed)
    elif line.in_usd or not quantity:
        quantity, unit = billed, USD
    price = unit_price(billed, quantity)
    counts = line.commitment_id is not None and unit == _commitment_unit(line) and kind is None
    bought = quantity if counts else None
    return FocusRow(line, amounts.period, Priced(quantity, unit, price, price), billed, billed, billed,
                    usd(amounts.effective), committed=bought,
                    committed_unit=None if bought is None else unit, charge_class=kind)


def _refunded(amounts: Amounts, known: _Known) -> tuple[Decimal, str, str | None]:
    """Units given back at the price they were bought for; a correction when another month billed them."""
    line, billed = amounts.line, usd(amounts.billed)
    period, price = known.prepaid.get(line.contract.name, (None, ZERO))
    same_month = period is not None and period.billing_start == amounts.period.billing_start
    kind = None if same_month else CORRECTION
    if line.in_usd or not price:
        return billed, USD, kind
    return fixed(billed / price), line.unit, kind


def _gpus(line: Line, billed: Decimal) -> Decimal:
    """GPUs bought (positive) or sold (negative) for an amount."""
    key = "capex_usd_per_gpu" if billed > 0 else "residual_usd_per_gpu"
    return fixed(billed / Decimal(str(line.contract.terms[key])))


def _commitment_unit(line: Line) -> str:
    return USD if line.contract.committed == "usd" else GPU_HOURS
