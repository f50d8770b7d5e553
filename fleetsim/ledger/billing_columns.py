"""A bill as the tables that follow from it alone, for a simulation that writes them and for another bill."""

from collections.abc import Callable, Mapping
from typing import Any

from fleetsim.ledger.allocation import Allocation
from fleetsim.ledger.budgets import budget_columns
from fleetsim.ledger.columns import commitment_columns, cost_columns, invoice_columns
from fleetsim.ledger.rating import Bill
from fleetsim.model.budget import Budget

BILLING = ("fact_cost_hourly", "fact_commitment_hourly", "fact_invoice_monthly", "fact_budget_monthly",
           "fact_cost_allocation_hourly")


def billing_columns(table: str, bill: Bill, providers: Mapping[str, str], budgets: Mapping[str, Budget],
                    allocation: Callable[[Bill], Allocation]) -> Mapping[str, Any] | None:
    """The columns of a table in BILLING; None when it has no rows. `providers` by fleet; `allocation` divides
    cost by traffic class, which takes time, when it is asked for."""
    match table:
        case "fact_cost_hourly":
            return cost_columns(bill.charges, providers)
        case "fact_commitment_hourly":
            return commitment_columns(bill.commitments, bill.hour_us, providers) if bill.commitments else None
        case "fact_invoice_monthly":
            return invoice_columns(bill, providers)
        case "fact_budget_monthly":
            return budget_columns(budgets, bill.charges, bill.hour_us) if budgets else None
        case "fact_cost_allocation_hourly":
            return allocation(bill).columns(bill.hour_us)
    raise ValueError(f"{table} does not follow from a bill alone")
