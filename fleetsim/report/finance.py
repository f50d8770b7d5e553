"""The P&L of a run as a person reads it: each line beside what was published, and the runway."""

from collections.abc import Mapping
from typing import Any

from fleetsim.report.numbers import by_unit, instant, usd
from fleetsim.report.table import BAD, Cell, Table

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


def runway(figures: Mapping[str, Any], basis: str | None) -> list[str | Cell]:
    """The cash at the end and how long it lasts, in a sentence."""
    cash = figures["finance.cash_usd"]
    if cash is None:
        return []
    burn = figures["finance.burn_usd_per_month"]
    end = f"Cash at the end: {usd(cash)}"
    credits_left = figures["finance.credits_usd"]
    end += f", and {usd(credits_left)} of cloud credits" if credits_left else ""
    end += f"; mean burn {usd(burn)} a month. " if burn > 0 else "; it grows. "
    when = instant(figures["finance.runway"])
    if basis == "recorded":
        return [Cell(f"{end}It was used up on {when} UTC.", BAD)]
    if basis == "extrapolated":
        return [f"{end}At the burn of the run's last months it is used up on {when} UTC, beyond the run."]
    return [f"{end}Nothing in sight uses it up."]
