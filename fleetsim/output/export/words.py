"""How FOCUS 1.2 says what a clause of the ledger charges for: one row per clause.

Source: FOCUS 1.2, columns ChargeFrequency, PricingCategory, CommitmentDiscountStatus, ResourceId, SkuId;
appendix on commitment discounts.
"""

from typing import Literal, NamedTuple

from fleetsim.ledger.charges import CLAUSES

GPU_HOURS = "GPU-Hours"
USD = "USD"
HOURS = "Hours"

COMPUTE = ("GPU Compute", "Compute", "Virtual Machines")
OWNED = ("Owned GPU Hardware", "Compute", "Other (Compute)")
SPEND = ("Spend Commitments", "Management and Governance", "Cost Management")
BILLING = ("Billing Adjustments", "Management and Governance", "Cost Management")
"""Services: name, category, subcategory."""


class Words(NamedTuple):
    """A clause in the words of FOCUS."""

    frequency: Literal["One-Time", "Recurring", "Usage-Based"]
    pricing: Literal["Standard", "Committed", "Dynamic"] | None = None
    """None on credits and adjustments, which have no price."""
    of: Literal["fleet", "commitment", "invoice"] = "fleet"
    """What the charge is about: GPUs, the commitment behind them, or the bill alone."""
    related: bool = False
    """Whether it belongs to the contract's commitment, where it has one."""
    status: Literal["Used", "Unused"] | None = None
    """Of a commitment, on usage."""
    unit: str = GPU_HOURS
    """What is counted: GPU-hours, whole GPUs, electricity, or hours of a service."""
    meter: str = "GPU hours"


WORDS: dict[str, Words] = {
    "used": Words("Usage-Based", "Committed", related=True, status="Used"),
    "made_up": Words("Usage-Based", "Committed", related=True, status="Used"),
    "unused": Words("Usage-Based", "Committed", "commitment", related=True, status="Unused"),
    "overage": Words("Usage-Based", "Standard"),
    "on_demand": Words("Usage-Based", "Standard"),
    "spot": Words("Usage-Based", "Dynamic"),
    "upfront": Words("One-Time", "Standard", "commitment", related=True),
    "recurring": Words("Recurring", "Standard", "commitment", related=True),
    "make_up": Words("One-Time", "Standard", "commitment", related=True),
    "refund": Words("One-Time", "Standard", "commitment", related=True),
    "capex": Words("One-Time", "Standard", unit="GPUs", meter="GPUs"),
    "depreciation": Words("Recurring", "Standard"),
    "past_life": Words("Recurring", "Standard"),
    "power": Words("Usage-Based", "Standard", unit="kWh", meter="Electricity"),
    "colocation": Words("Recurring", "Standard", unit=HOURS, meter="Colocation"),
    "maintenance": Words("Recurring", "Standard", unit=HOURS, meter="Maintenance"),
    "staff": Words("Recurring", "Standard", unit=HOURS, meter="Staff"),
    "tier_settlement": Words("One-Time"),
    "drawdown": Words("One-Time", of="commitment", related=True),
    "shortfall": Words("One-Time", of="commitment", related=True),
    "termination_fee": Words("One-Time", of="commitment", related=True),
    "sla_credit": Words("One-Time"),
    "delay_credit": Words("One-Time"),
    "revenue_share": Words("One-Time", of="invoice"),
    "rounding": Words("One-Time", of="invoice"),
}
"""By clause; a clause of a further tier is that of the first."""


def base_clause(clause: str) -> str:
    """The clause without its tier: `on_demand_tier_2` is `on_demand`."""
    return clause.partition("_tier_")[0] if clause not in WORDS else clause


def meaning(clause: str) -> str:
    """What a clause charges for, in words without a full stop."""
    said = CLAUSES[base_clause(clause)].rstrip(".")
    _, tier, number = clause.rpartition("_tier_")
    return f"{said}, tier {number}" if tier and clause not in WORDS else said
