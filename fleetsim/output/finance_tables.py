"""The fact of finance: profit and loss and cash by calendar month."""

from fleetsim.output.table import MONEY, MONTH, Table, name_of, number, table, text, time, usd
from fleetsim.units import Column

PNL = table(
    "fact_pnl_monthly", "month, line", "month line",
    MONTH,
    name_of("line", "`revenue/NAME`, `compute/FLEET`, `cost/NAME`, `funding/NAME`, `credits/drawn`, or "
                    "`balance`."),
    name_of("section", "revenue, inference, training, staff, data, other; funding and credits, which are "
                       "cash alone; balance, which has no amounts."),
    name_of("role", "input: the scenario was given it; computed: it follows from what the run did."),
    usd("accrual_usd", "Earned (positive) or incurred (negative) in the month: the sum of all lines is the "
                       "result."),
    usd("cash_usd", "Received (positive) or paid (negative) in the month: the sum is the change of cash."),
    number("quantity", "", "What the amount is for: mean payers or heads, tokens or tasks; on `balance` the "
                           "recorded part of the month."),
    text("unit", "Unit of the quantity."),
    Column("cash_balance_usd", MONEY, "USD", "On `balance`: cash at the month's end; null without any cash."),
    Column("credits_balance_usd", MONEY, "USD", "On `balance`: cloud credits left at the month's end; null "
                                                "without any."),
    Column("prepaid_balance_usd", MONEY, "USD", "On `balance`: paid for compute by the month's end and not "
                                                "used up, payments before recording included; below 0: used "
                                                "and not billed."),
    time("cash_out_time", "On `balance`: first instant of the month without cash; null when there is some."),
)

FINANCE_TABLES: tuple[Table, ...] = (PNL,)
