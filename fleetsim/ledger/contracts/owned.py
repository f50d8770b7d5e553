"""Owned: hardware of one's own."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Literal

from fleetsim.ledger.contracts.agreement import FleetAgreement
from fleetsim.ledger.levelised import capital_recovery_factor
from fleetsim.ledger.price import Price
from fleetsim.ledger.primitives import OwnedCost
from fleetsim.model.base import Dated
from fleetsim.timebase import YEAR_H
from fleetsim.units import ExactFraction, ExactKw, Months, UsdPerGpu, UsdPerKwh, UsdPerKwMonth, YearlyRate


@dataclass(frozen=True, kw_only=True)
class Owned(FleetAgreement):
    """Bills capex at each tranche's acceptance and running costs; the cost is depreciation and those.

    Power is metered by the run: prefill, decode and idle draw of the gpu type x PUE of the fleet.
    """

    kind: ClassVar[str] = "owned"
    bills: ClassVar[Literal["committed", "allocated"]] = "committed"

    capex_usd_per_gpu: UsdPerGpu
    """Price of a GPU with its share of the server."""
    residual_usd_per_gpu: UsdPerGpu = Decimal(0)
    """What it is sold for at the end of its life."""
    life_months: Months = 48
    """Life over which it is written off, evenly."""
    usd_per_kwh: Dated[UsdPerKwh] = Decimal(0)
    """Price of electricity."""
    kw_per_gpu: ExactKw = Decimal(0)
    """Rated power that colocation is charged for, kW per GPU."""
    colocation_usd_per_kw_month: Dated[UsdPerKwMonth] = Decimal(0)
    """Space and cooling, per rated kW and calendar month."""
    opex_frac_per_year: ExactFraction = Decimal(0)
    """Spares and repair, share of the price per year."""
    staff_usd_per_gpu_year: UsdPerGpu = Decimal(0)
    """Staff who run it, per GPU and year."""
    wacc_frac_per_year: YearlyRate = Decimal(0)
    """Cost of capital; no charge, a figure of its own."""

    def __post_init__(self) -> None:
        if self.residual_usd_per_gpu > self.capex_usd_per_gpu:
            raise ValueError("the residual value is above the price")
        if self.termination or self.escalator or self.most_favoured:
            raise ValueError("hardware of one's own has no price and no term to end; "
                             "leave termination, escalator and most_favoured out")

    def primitive(self) -> OwnedCost:
        """Owned cost."""
        listed, negotiated = self.list_usd_per_gpu_hour, self.contracted_usd_per_gpu_hour
        return OwnedCost(
            fleet=self.fleet, capex_usd_per_gpu=self.capex_usd_per_gpu,
            residual_usd_per_gpu=self.residual_usd_per_gpu, life_months=self.life_months,
            usd_per_kwh=Price.of(self.usd_per_kwh), kw_per_gpu=self.kw_per_gpu,
            colocation_usd_per_kw_month=Price.of(self.colocation_usd_per_kw_month),
            opex_frac_per_year=self.opex_frac_per_year, staff_usd_per_gpu_year=self.staff_usd_per_gpu_year,
            list=None if listed is None else Price.of(listed),
            contracted=None if negotiated is None else Price.of(negotiated))

    @property
    def capital_charge_usd_per_gpu_hour(self) -> float:
        """The level payment that pays for hardware and capital, less depreciation, per available GPU-hour."""
        years, rate = self.life_months / 12, float(self.wacc_frac_per_year)
        capex, residual = float(self.capex_usd_per_gpu), float(self.residual_usd_per_gpu)
        level: float = (capex - residual / (1 + rate) ** years) * capital_recovery_factor(rate, years)
        return (level - (capex - residual) / years) / YEAR_H
