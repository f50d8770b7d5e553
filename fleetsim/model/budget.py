"""Budgets: what may be spent in a month, on everything or on some fleets and contracts."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from fleetsim.model.base import FILE_CONFIG, Dated
from fleetsim.units import UsdPerMonth


@dataclass(frozen=True)
class Budget:
    """Dollars a month, beside which each month's charges stand."""

    __pydantic_config__: ClassVar = FILE_CONFIG

    usd_per_month: Dated[UsdPerMonth]
    """What may be spent in a month, by the date from which it holds; a month has that of its first day."""
    fleets: tuple[str, ...] = ()
    """Only the charges of these fleets; of all by default."""
    contracts: tuple[str, ...] = ()
    """Only the charges of these contracts; of all by default."""
    ledger: Literal["effective", "billed"] = "effective"
    """Whether cost or cash counts."""
