"""What the workbook of a run shows: sheets for people, from the summary and the monthly tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from fleetsim.output.export.periods import as_instant

if TYPE_CHECKING:
    from fleetsim.output.run import Run

Form = Literal["text", "usd", "price", "count", "number", "share", "month", "wide"]
"""How a column's cells look: dollars, a price, whole numbers, numbers, percent, a month, long text."""

LEFT_OUT = ("Left out: the hourly tables, which have more rows than a sheet holds. "
            "fleetsim export --to csv, duckdb or focus has them.")


@dataclass(frozen=True)
class Sheet:
    """A table with a header; units stand in the header."""

    name: str
    header: Sequence[tuple[str, Form]]
    rows: Sequence[Sequence[Any]]
    total: Sequence[int] = ()
    """Columns that a last line adds up."""


COST_SHEET = "Cost by contract"
"""The sheet whose billed and effective columns are the run's."""
BILLED, EFFECTIVE = 7, 8
"""Their places in it."""


def sheets_of(run: "Run") -> list[Sheet]:
    """Every sheet, in order."""
    allowed = budgets(run)
    return [summary_sheet(run), invoices(run), profit_and_loss(run), *([allowed] if allowed.rows else []),
            cost_by_contract(run), figures(run), published(run)]


def summary_sheet(run: "Run") -> Sheet:
    """Which run it is, its totals, its objectives, and what is left out."""
    manifest, summary = run.manifest, run.summary
    window, totals = run.window, manifest["totals"]
    rows: list[tuple[str, Any, str]] = [
        ("Scenario", manifest["scenario"], ""), ("Run", run.run_id, ""), ("Seed", str(manifest["seed"]), ""),
        ("First recorded hour", f"{window.start:%Y-%m-%d %H:%M}", "UTC"),
        ("End, exclusive", f"{window.end:%Y-%m-%d %H:%M}", "UTC"),
        ("Written by", f"fleetsim {manifest['generator_version']}", ""),
        ("Billed: on the invoices", float(totals["billed_usd"]), "USD"),
        ("Effective: cost of the time", float(totals["effective_usd"]), "USD"),
        ("Usage at public prices", float(totals["list_usd"]), "USD"),
        ("Usage at negotiated prices", float(totals["contracted_usd"]), "USD"),
        ("GPU-hours rented", float(totals["rented_gpu_hours"]), "GPU-hour"),
    ]
    for name, pool in summary["pools"].items():
        rows.append((f"Pool {name}: hours short of GPUs", float(pool["stock_out_hours"]), "h"))
    for objective in run.arrow("fact_objective").to_pylist():
        rows.append((f"Objective: {objective['objective']}", "met" if objective["met"] else "missed", ""))
    rows.append(("Hourly tables", LEFT_OUT, ""))
    return Sheet("Summary", (("What", "wide"), ("Value", "number"), ("Unit", "text")), rows)


def invoices(run: "Run") -> Sheet:
    """What each provider bills, month by month."""
    rows = run.query("""select month, provider, sum(gpu_hours) as gpu_hours, sum(list_usd) as listed,
        sum(contracted_usd) as contracted, sum(billed_usd) as billed, sum(effective_usd) as effective
        from fact_invoice_monthly group by month, provider order by month, provider""").to_pylist()
    header: tuple[tuple[str, Form], ...] = (
        ("Month", "month"), ("Provider", "text"), ("Usage, GPU-hours", "count"), ("List, USD", "usd"),
        ("Contracted, USD", "usd"), ("Billed, USD", "usd"), ("Effective, USD", "usd"))
    return Sheet("Invoices", header, [_cells(row) for row in rows], total=range(2, 7))


def profit_and_loss(run: "Run") -> Sheet:
    """Lines of the profit and loss by month; what comes in is positive."""
    rows = run.query("""select month, section, line, role, accrual_usd, cash_usd, quantity, unit,
        cash_balance_usd, credits_balance_usd, prepaid_balance_usd
        from fact_pnl_monthly order by all""").to_pylist()
    header: tuple[tuple[str, Form], ...] = (
        ("Month", "month"), ("Section", "text"), ("Line", "text"), ("Role", "text"), ("Accrual, USD", "usd"),
        ("Cash, USD", "usd"), ("Quantity", "number"), ("Unit of the quantity", "text"),
        ("Cash left, USD", "usd"), ("Credits left, USD", "usd"), ("Prepaid, USD", "usd"))
    return Sheet("P&L", header, [_cells(row) for row in rows], total=(4, 5))


def budgets(run: "Run") -> Sheet:
    """What may be spent beside what is spent, month by month; no rows without a budget."""
    rows = run.query("""select month, budget, budget_usd, spent_usd, budget_usd - spent_usd as left_over,
        case when budget_usd > 0 then spent_usd::double / budget_usd::double end as used
        from fact_budget_monthly order by budget, month""").to_pylist()
    header: tuple[tuple[str, Form], ...] = (
        ("Month", "month"), ("Budget", "text"), ("Allowed, USD", "usd"), ("Spent, USD", "usd"),
        ("Left, USD", "usd"), ("Used", "share"))
    return Sheet("Budgets", header, [_cells(row) for row in rows])


def cost_by_contract(run: "Run") -> Sheet:
    """Cost by month, provider, fleet, contract and clause."""
    rows = run.query("""select date_trunc('month', hour)::date as month, c.provider, c.fleet, c.contract,
        kind, clause, sum(case when charge_category = 'Usage' then gpu_hours else 0 end) as gpu_hours,
        sum(billed_usd) as billed, sum(effective_usd) as effective, sum(list_usd) as listed,
        sum(contracted_usd) as contracted
        from fact_cost_hourly c join dim_contract d on c.contract = d.contract group by all
        order by month, c.provider, c.fleet, c.contract, clause""").to_pylist()
    header: tuple[tuple[str, Form], ...] = (
        ("Month", "month"), ("Provider", "text"), ("Fleet", "text"), ("Contract", "text"), ("Kind", "text"),
        ("What for", "text"), ("Usage, GPU-hours", "count"), ("Billed, USD", "usd"),
        ("Effective, USD", "usd"), ("List, USD", "usd"), ("Contracted, USD", "usd"))
    return Sheet(COST_SHEET, header, [_cells(row) for row in rows], total=range(6, 11))


def figures(run: "Run") -> Sheet:
    """Every figure of the run with its unit."""
    from fleetsim.model.figure import find_figure

    rows = []
    for name, value in run.summary["figures"].items():
        found = find_figure(name)
        figure = None if found is None else found[0]
        rows.append((name, value, "" if figure is None else figure.unit,
                     "" if figure is None else figure.meaning))
    header: tuple[tuple[str, Form], ...] = (
        ("Figure", "wide"), ("Value", "number"), ("Unit", "text"), ("Meaning", "wide"))
    return Sheet("KPIs", header, rows)


def published(run: "Run") -> Sheet:
    """Published facts beside the run's figures."""
    rows = [(row["fact"], row["what"], row["source"], row["role"], row["value"], row["low"], row["high"],
             row["simulated"], row["difference_frac"],
             None if row["agrees"] is None else "yes" if row["agrees"] else "no", row["note"])
            for row in run.arrow("fact_published").to_pylist()]
    header: tuple[tuple[str, Form], ...] = (
        ("Fact", "text"), ("What it says", "wide"), ("Source", "wide"), ("Role", "text"),
        ("Published", "number"), ("From", "number"), ("To", "number"), ("This run", "number"),
        ("Difference", "share"), ("Agrees", "text"), ("Note", "wide"))
    return Sheet("Published facts", header, rows)


def _cells(row: dict[str, Any]) -> list[Any]:
    from decimal import Decimal

    def cell(name: str, value: Any) -> Any:
        if name == "month":
            return naive(as_instant(value))
        return float(value) if isinstance(value, Decimal) else value

    return [cell(name, value) for name, value in row.items()]


def naive(instant: datetime) -> datetime:
    """The same in UTC without its zone: a sheet knows none."""
    return instant.replace(tzinfo=None)
