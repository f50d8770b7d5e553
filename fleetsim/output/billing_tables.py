"""What contracts charge beside the hourly charges: commitments, invoices, deliveries, cost by class."""

from fleetsim.output.table import (
    CONTRACT,
    FLEET,
    HOUR,
    MONTH,
    PROVIDER,
    SERVICE,
    TRAFFIC_CLASS,
    Table,
    count,
    gpu_hours,
    name_of,
    table,
    time,
    usd,
)

COMMITMENT = table(
    "fact_commitment_hourly", "hour, contract", "hour contract",
    HOUR, CONTRACT, PROVIDER,
    gpu_hours("committed_gpu_hours", "Committed for the hour; 0 where dollars are committed."),
    gpu_hours("used_gpu_hours", "GPU-hours that the commitment covers."),
    gpu_hours("unused_gpu_hours", "Of the committed: not used."),
    gpu_hours("overage_gpu_hours", "Used above the commitment."),
    usd("committed_usd", "Effective cost of the hour's commitment."),
    usd("used_usd", "Of it: the used part."),
    usd("unused_usd", "Of it: paid for and not used."),
    usd("remaining_usd", "Payments still due at the hour's end; null where the commitment has no end.",
        additive=False),
)

INVOICE = table(
    "fact_invoice_monthly", "month, provider, contract", "month provider contract",
    MONTH, PROVIDER, CONTRACT,
    gpu_hours("gpu_hours", "Quantity of usage."),
    usd("list_usd", "Usage at public prices."),
    usd("contracted_usd", "Usage at negotiated prices, without commitments."),
    usd("billed_usd", "On the invoice; a provider's invoice of a month is whole cents."),
    usd("effective_usd", "Cost of the month."),
)

COST_ALLOCATION = table(
    "fact_cost_allocation_hourly", "hour, traffic class, service (idle on its own row)",
    "hour traffic_class service",
    HOUR, TRAFFIC_CLASS, SERVICE,
    gpu_hours("gpu_hours", "Work done; on the row `idle` what was rented and not busy."),
    usd("effective_usd", "The serving fleets' effective cost of the hour by busy / rented GPU-hours; what is "
                         "not busy stands on the row `idle`."),
    usd("shared_usd", "The same with the idle part shared in proportion; 0 on the row `idle` unless nothing "
                      "was busy."),
)

DELIVERY = table(
    "fact_delivery", "fleet, tranche", "fleet tranche",
    FLEET,
    count("tranche", "", "0, 1, 2 ... in the order of the scenario.", additive=False),
    count("gpus", "GPU", "GPUs accepted."),
    time("promised_time", "Promised acceptance."),
    time("accepted_time", "Acceptance as it turned out, at the step from which it counts."),
    time("handed_back_time", "When the GPUs leave; null while they stay."),
)

BUDGET = table(
    "fact_budget_monthly", "month, budget", "month budget",
    MONTH,
    name_of("budget", "Budget."),
    usd("budget_usd", "What may be spent; of a month that is recorded in part, its part."),
    usd("spent_usd", "What its fleets and contracts charge, in the ledger that the budget counts."),
)

BILLING_TABLES: tuple[Table, ...] = (COMMITMENT, INVOICE, COST_ALLOCATION, DELIVERY, BUDGET)
