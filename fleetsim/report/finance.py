"""The P&L of a run as a person reads it: each line beside what was published, and the runway."""

from collections.abc import Mapping
from typing import Any

from fleetsim.report.numbers import MISSING, by_unit, count, instant, percent, usd
from fleetsim.report.table import BAD, GOOD, Cell, Table

Summary = Mapping[str, Any]


def profit_and_loss(summary: Summary) -> Table:
    """Lines of the P&L, each marked input or computed; totals last."""
    table = Table("Profit and loss", ("Line", "|Accrual", "|Cash", "Role", "Published"))
    finance = summary.get("finance")
    if not finance:
        return table
    for line in finance["lines"]:
        table.rows.append((line["line"], usd(float(line["accrual_usd"])), usd(float(line["cash_usd"])),
                           line["role"], beside(summary, line["figures"])))
    for label, total in finance["totals"].items():
        table.rows.append((label, usd(float(total["accrual_usd"])), usd(float(total["cash_usd"])),
                           total["role"], beside(summary, total["figures"])))
    table.totals = len(finance["totals"])
    table.lead = runway(summary["figures"], finance["runway_basis"])
    return table


def beside(summary: Summary, figures: list[str]) -> str:
    """What was published of one of these figures over the whole run: `S1-04 $4.000B`."""
    found = []
    for row in summary["published"]:
        if row["figure"] not in figures or row["fact"] not in summary["finance"]["facts_of_the_run"]:
            continue
        if row["value"] is not None:
            claim = by_unit(row["value"], "USD")
        else:
            ends = [by_unit(end, "USD") for end in (row["low"], row["high"]) if end is not None]
            claim = " to ".join(ends) if len(ends) == 2 else \
                f"{'<=' if row['low'] is None else '>='} {ends[0]}"
        found.append(f"{row['fact']} {claim}")
    return "; ".join(found)


def budgets(summary: Summary) -> Table:
    """What may be spent beside what is spent, over the run."""
    table = Table("Budgets", ("Budget", "|Allowed", "|Spent", "|Used %", "|Months over"))
    figures = summary["figures"]
    for figure in figures:
        name = figure.removeprefix("budgets.").removesuffix(".budget_usd")
        if figure != f"budgets.{name}.budget_usd":
            continue
        of = {key: figures[f"budgets.{name}.{key}"] for key in ("budget_usd", "spent_usd", "used_frac",
                                                                "months_over")}
        style = BAD if of["months_over"] else GOOD
        used = MISSING if of["used_frac"] is None else percent(of["used_frac"]).removesuffix(" %")
        table.rows.append((name, usd(of["budget_usd"]), usd(of["spent_usd"]), Cell(used, style),
                           Cell(count(of["months_over"]), style)))
    return table


def runway(figures: Mapping[str, Any], basis: str | None) -> list[str | Cell]:
    """The cash at the end and how long it lasts, in a sentence."""
    cash, credits_left = figures["finance.cash_usd"], figures["finance.credits_usd"]
    ahead = figures.get("finance.prepaid_usd") or 0.0
    paid = f" Paid ahead for compute at the end: {usd(ahead)}." if ahead >= 1 else ""
    if cash is None:
        left = "" if credits_left is None else f"Cloud credits at the end: {usd(credits_left)}."
        return [sentence] if (sentence := f"{left}{paid}".strip()) else []
    burn = figures["finance.burn_usd_per_month"]
    end = f"Cash at the end: {usd(cash)}"
    end += f", and {usd(credits_left)} of cloud credits" if credits_left else ""
    end += f"; mean burn {usd(burn)} a month. " if burn > 0 else "; it grows. "
    when = instant(figures["finance.runway"])
    if basis == "recorded":
        return [Cell(f"{end}It was used up on {when} UTC.{paid}", BAD)]
    if basis == "extrapolated":
        return [f"{end}At the burn of the run's last months it is used up on {when} UTC, beyond the run."
                f"{paid}"]
    return [f"{end}Nothing in sight uses it up.{paid}"]
