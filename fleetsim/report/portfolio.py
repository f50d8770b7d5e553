"""A portfolio as a person reads it: what to sign, what it costs, and how sure that is."""

from collections.abc import Mapping, Sequence
from typing import Any

from fleetsim.report.numbers import MISSING, below, count, percent, short, usd
from fleetsim.report.table import Table, render

Data = Mapping[str, Any]
MOST_DATES = 4
"""So many dates are all written."""


def portfolio_text(data: Data, *, width: int = 100, terminal: bool = False) -> str:
    """The whole report."""
    return render([header(data), signed(data), use(data), proof(data), merit_order(data)],
                  width=width, terminal=terminal)


def header(data: Data) -> str:
    """The demand in one line."""
    mean = data["required_gpu_hours"] / data["hours"]
    return (f"Fleet {data['fleet']}: {count(mean)} GPUs required on average, {count(data['peak_gpus'])} at "
            f"the peak, over {count(data['hours'])} hours")


def signed(data: Data) -> Table:
    """What to sign: sizes and dates, cost inside the horizon, cash ahead and what is owed beyond."""
    table = Table("Portfolio", ("Contract", "From", "|GPUs", "|GPU-hours", "|Cost", "|Upfront", "|Remaining"))
    for row in data["chosen"]:
        size = MISSING if row["gpus"] is None else count(row["gpus"])
        if row["usd_per_hour"] is not None:
            size = f"{usd(row['usd_per_hour'])}/h"
        table.rows.append((row["contract"], row["start"][:10], size, short(row["gpu_hours"]),
                           usd(row["effective_usd"]), usd(row["upfront_usd"]), usd(row["remaining_usd"])))
    table.rows.append(("total", "", "", short(sum(row["gpu_hours"] for row in data["chosen"])),
                       usd(data["effective_usd"]), usd(data["upfront_usd"]), usd(data["remaining_usd"])))
    table.totals = 1
    alone = data["without_commitments_usd"]
    if alone:
        saved = below(1 - data["ledger_usd"] / alone, f"price lists alone, {usd(alone)}")
        table.foot = [f"{saved[0].upper()}{saved[1:]}."]
    if data["budget_upfront_usd"] is not None:
        table.foot = [*table.foot, f"Upfront: at most {usd(data['budget_upfront_usd'])}."]
    table.foot = [*table.foot, *(f"Caution: {caution}." for caution in data["cautions"])]
    return table


def use(data: Data) -> Table:
    """How well commitments are used, and from what use on they pay."""
    table = Table("Commitments",
                  ("Contract", "|Used", "|Waste", "|Breaks even at", "|Payback", "|Alone: GPUs"))
    for row in data["chosen"]:
        if row["gpus"] is None:
            continue
        months = row["break_even_months"]
        table.rows.append((
            row["contract"], percent(row["utilisation_frac"]), usd(row["waste_usd"]),
            percent(row["break_even_frac"]), MISSING if months is None else f"{count(months, 1)} months",
            count(row["newsvendor_gpus"])))
    table.rows.append(("total", percent(data["utilisation_frac"]), usd(data["waste_usd"]), "", "", ""))
    table.totals = 1
    table.foot = [f"Commitments serve {percent(data['coverage_frac'])} of the required GPU-hours."]
    return table


def proof(data: Data) -> Table:
    """The solver's cost beside the ledger's, and how much better anything could be."""
    table = Table("Objective", ("By", "|Cost", "|Gap"))
    kind = "effective cost of the horizon"
    if data["discount_frac_per_year"]:
        kind = f"present value at {percent(data['discount_frac_per_year'])} a year"
    rated = count(data["portfolios_rated"])
    table.lead = [f"{kind[0].upper()}{kind[1:]}; {rated} portfolios rated by the ledger."]
    table.rows = [
        ("solver, its answer", usd(data["solver_usd"]), percent(data["solver_gap_frac"], 4)),
        ("ledger, the solver's answer", usd(data["solver_ledger_usd"]), ""),
        ("difference", usd(data["difference_usd"]), ""),
        ("ledger, the answer above", usd(data["ledger_usd"]), percent(data["gap_frac"], 4)),
        ("bound", usd(data["bound_usd"]), ""),
    ]
    dates = [date[:10] for date in data["order_dates"]]
    several = len(dates) > 1
    table.foot = [f"Bound: nothing ordered on {'these dates' if several else 'this date'} is cheaper: "
                  f"{shown(dates)} (--order-every-months).", *data["notes"]]
    return table


def shown(dates: Sequence[str]) -> str:
    """All the dates, or the first and the last of many."""
    if len(dates) <= MOST_DATES:
        return ", ".join(dates)
    return f"{', '.join(dates[:MOST_DATES - 1])} ... {dates[-1]} ({count(len(dates))} dates)"


def merit_order(data: Data) -> Table:
    """Which offer is the cheapest for a GPU that is needed so many hours."""
    table = Table("Merit order", ("Needed", "Cheapest"))
    for layer in data["merit_order"]:
        if layer["to_h"] >= 1:
            low, high = max(1.0, layer["from_h"]), layer["to_h"]
            table.rows.append((f"{count(low)} to {count(high)} hours", layer["offer"]))
    table.foot = ["For one GPU, of all hours, whatever the lead time; spot up to "
                  f"{percent(data['spot_max_frac'])} of each hour's GPUs."]
    return table
