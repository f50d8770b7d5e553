"""The summary of a run as a person reads it: the decision first, then what it rests on."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fleetsim.model.figure import find_figure
from fleetsim.report.finance import budgets, profit_and_loss
from fleetsim.report.latency import latency
from fleetsim.report.numbers import (
    MISSING,
    below,
    by_unit,
    count,
    count_up,
    day,
    duration,
    instant,
    percent,
    price,
    short,
    signed_percent,
    usd,
)
from fleetsim.report.table import BAD, GOOD, QUIET, Cell, Table, render
from fleetsim.report.training import lending, training_fleets, training_jobs

Summary = Mapping[str, Any]
"""What `summary.json` holds."""

MANY_LEFT_FRAC = 0.001
"""A class with a larger share of its messages waiting at the end has a queue that does not clear."""


def summary_text(summary: Summary, path: Path, *, width: int = 100, terminal: bool = False) -> str:
    """The summary of the run at `path`: header, decision, fleets, traffic, cost, P&L, facts, objectives."""
    parts: list[Table | str] = [
        header(summary), decision(summary), offers(summary), fleets(summary),
        training_fleets(summary), training_jobs(summary), lending(summary), traffic(summary),
        latency(summary), contracts(summary), budgets(summary), profit_and_loss(summary),
        published(summary), objectives(summary), footer(summary, path),
    ]
    return render([part for part in parts if isinstance(part, str) or part.rows or part.lead],
                  width=width, terminal=terminal)


def header(summary: Summary) -> str:
    """Scenario, horizon, seed, run id."""
    horizon = summary["horizon"]
    hours = "1 hour" if horizon["hours"] == 1 else f"{count(horizon['hours'])} hours"
    return (f"{summary['scenario']}  {day(horizon['recorded_from'])} to {day(horizon['end'])}, "
            f"{hours} in steps of {horizon['step_s']} s, seed {summary['seed']}, "
            f"run {summary['run_id']}")


def decision(summary: Summary) -> Table:
    """Per pool: how full it gets, whether and when it runs short, and by how much."""
    table = Table("Decision", ("Pool", "|Peak load", "at (UTC)", "|Hours short", "first at (UTC)",
                               "|GPUs short", "|Required GPUs"))
    for name, pool in summary["pools"].items():
        is_short = pool["stock_out_hours"] > 0
        style = BAD if is_short else GOOD
        load = "no GPUs" if pool["work_without_gpus"] else percent(pool["peak_load_frac"])
        table.rows.append((
            name, Cell(load, style), instant(pool["peak_load_hour"]),
            Cell(count(pool["stock_out_hours"]), style),
            instant(pool["first_stock_out"]) if is_short else Cell("never", GOOD),
            count_up(pool["short_gpus_at_first_stock_out"]), count_up(pool["peak_required_gpus"]),
        ))
    table.foot = [f"GPUs of {name} are counted as {pool['gpu']}."
                  for name, pool in summary["pools"].items() if pool.get("mixed_gpus")]
    table.lead = verdict(summary["pools"])
    return table


def verdict(pools: Mapping[str, Any]) -> list[Cell]:
    """The decision in a sentence per pool that runs short, with the last date that was early enough."""
    lines = []
    for name, pool in pools.items():
        if pool["stock_out_hours"] == 0:
            continue
        gpus = count_up(pool["short_gpus_at_first_stock_out"])
        gpus += " GPU" if gpus == "1" else " GPUs"
        line = f"{name} runs short on {instant(pool['first_stock_out'])} UTC, by {gpus}"
        more = pool["peak_required_minus_rented_gpus"]
        line += f", and requires {count_up(more)} more than rented at its peak" if more and more > 0 else ""
        line += f"; {order(pool['offers'])}" if pool["offers"] else ""
        lines.append(Cell(line + ".", BAD))
    if lines:
        return lines
    return [Cell("No pool runs short of GPUs.", GOOD)] if pools else []


def order(offers: Mapping[str, Any]) -> str:
    """By when one of the offers had to be ordered: the last date that is still possible."""
    in_time = [(offer["order_by"], name) for name, offer in offers.items() if possible(offer)]
    if in_time:
        date, name = max(in_time)
        return f"order (offer {name}) by {instant(date)}"
    valid = [(offer["order_by"], name) for name, offer in offers.items() if not offer["expired_by_then"]]
    if not valid:
        return "every offer had expired by the day on which it had to be ordered"
    date, name = max(valid)
    return f"the order (offer {name}) was due on {instant(date)}, before the horizon starts"


def possible(offer: Mapping[str, Any]) -> bool:
    """Whether an offer could still be signed in time within the horizon."""
    return bool(offer["order_by"]) and not offer["order_by_before_start"] and not offer["expired_by_then"]


def offers(summary: Summary) -> Table:
    """Per pool that runs short and offer: by when it had to be ordered."""
    table = Table("Order dates", ("Pool", "Offer", "|Lead time, days", "|$/GPU-hour", "Order by (UTC)",
                                  "Remark"))
    for name, pool in summary["pools"].items():
        if pool["stock_out_hours"] == 0:
            continue
        for offer_name, offer in pool["offers"].items():
            by = Cell(instant(offer["order_by"]), "" if possible(offer) else BAD)
            days = offer["lead_time_days"]
            table.rows.append((name, offer_name, count(days, 0 if days == int(days) else 1),
                               price(float(offer["usd_per_gpu_hour"])), by, offer["reason"] or ""))
    return table


def fleets(summary: Summary) -> Table:
    """The four GPU counts of each fleet: means, and shares of rented."""
    figures = summary["figures"]
    table = Table("Fleets, mean GPUs", ("Fleet", "|Rented", "|Healthy", "|%", "|Allocated", "|%", "|Busy",
                                        "|%", "|Cost"))
    for name in things(figures, "fleets", "rented_gpus"):
        rented = figures[f"fleets.{name}.rented_gpus"]
        cells: list[str | Cell] = [name, count(rented)]
        for kind in ("healthy", "allocated", "busy"):
            share = figures[f"fleets.{name}.{kind}_frac"]
            cells += [count(None if share is None else share * (rented or 0.0)), bare_percent(share)]
        table.rows.append((*cells, usd(figures[f"fleets.{name}.cost_usd"])))
    return table


def traffic(summary: Summary) -> Table:
    """Who asked, who was served, who waited how long, who was lost."""
    figures = summary["figures"]
    table = Table("Traffic", ("Class", "|Messages/day", "|Served, %", "|Degraded, %", "|Lost, %", "|Lost",
                              "|Waiting", "|Wait p50", "|Wait p99"))
    lost_in_all, left_in_all, left_over = 0.0, 0.0, []
    for name in things(figures, "traffic", "messages"):
        figure = {key: figures[f"traffic.{name}.{key}"] for key in (
            "messages_per_day", "served_frac", "degraded_frac", "shed_frac", "lost_messages", "wait_p50_s",
            "wait_p99_s")}
        lost = figure["lost_messages"] or 0
        lost_in_all += lost
        left = figures.get(f"traffic.{name}.waiting_messages") or 0
        left_in_all += left
        many = left > MANY_LEFT_FRAC * figures[f"traffic.{name}.messages"]
        if many:
            left_over.append(Cell(f"{short(left)} messages of {name} are still waiting at the end.", BAD))
        style = BAD if lost else ""
        table.rows.append((
            name, short(figure["messages_per_day"]), bare_percent(figure["served_frac"]),
            bare_percent(figure["degraded_frac"]), Cell(bare_percent(figure["shed_frac"]), style),
            Cell(short(lost), style), Cell(short(left), BAD if many else ""),
            duration(figure["wait_p50_s"]), duration(figure["wait_p99_s"]),
        ))
    if len(table.rows) > 1:
        table.rows.append(("all", short(figures["traffic.messages_per_day"]), "", "",
                           bare_percent(figures["traffic.shed_frac"]), short(lost_in_all), short(left_in_all),
                           "", ""))
        table.totals = 1
    table.foot = left_over
    return table


def contracts(summary: Summary) -> Table:
    """What each contract costs, how much of it is used, and the totals."""
    figures = summary["figures"]
    table = Table("Cost, effective", ("Contract", "Kind", "Fleet", "|GPU-hours", "|$/GPU-hour", "|Used %",
                                      "|Cost"))
    table.lead = [Cell(f"{short(fleet['uncovered_gpu_hours'])} GPU-hours of fleet {name} have no contract "
                       "and cost $0.", BAD)
                  for name, fleet in summary["fleets"].items() if fleet["uncovered_gpu_hours"]]
    for name, contract in summary["contracts"].items():
        table.rows.append((name, contract["kind"], contract["fleet"], short(contract["gpu_hours"]),
                           price(contract["usd_per_gpu_hour"]),
                           bare_percent(figures[f"contracts.{name}.utilisation_frac"]),
                           usd(float(contract["effective_usd"]))))
    if not table.rows:
        return table
    totals = {label: figures[f"cost.{key}_usd"] for label, key in
              (("serving", "inference"), ("training", "training"), ("total", "total"))}
    both = totals["serving"] and totals["training"]
    for label, value in totals.items():
        if both or label == "total":
            table.rows.append((label, *[""] * 5, usd(value)))
            table.totals += 1
    bound = figures["cost.elastic_bound_usd"]
    if bound:
        table.rows.append((Cell("serving, all elastic (a bound)", QUIET), *[""] * 5, Cell(usd(bound), QUIET)))
        table.totals += 1
    table.foot = [*cash(figures), *levelised(summary)]
    return table


def cash(figures: Mapping[str, Any]) -> list[str]:
    """How the invoices differ from the cost, what is still owed, and what contracts save."""
    lines = []
    billed, ahead, owed = (figures[f"cost.{name}_usd"] for name in ("billed", "prepaid", "remaining"))
    if abs(ahead) >= 1:
        side = "ahead of" if ahead > 0 else "less than"
        lines.append(f"Billed {usd(billed)}: {usd(abs(ahead))} {side} cost.")
    if owed:
        lines.append(f"Payments of {usd(owed)} are still due when the horizon ends.")
    saved, waste = figures["cost.list_savings_rate_frac"], figures["cost.unused_usd"]
    if saved:
        lines.append(f"{below(saved, 'list prices')}, {usd(waste)} of unused commitments included.")
    return lines


def levelised(summary: Summary) -> list[str]:
    """What owned hardware costs when capital has a price, which no ledger books."""
    figures = summary["figures"]
    return [f"{name}: {price(level)} per GPU-hour with the cost of capital, {usd(capital)} beyond the cost."
            for name in summary["contracts"]
            if (level := figures.get(f"contracts.{name}.levelised_usd_per_gpu_hour")) is not None
            and (capital := figures[f"contracts.{name}.capital_charge_usd"])]


def published(summary: Summary) -> Table:
    """What was published beside what the run gives."""
    table = Table("Published against simulated", ("Fact", "|Published", "|Simulated", "|Difference", "Role",
                                                  "Agrees"))
    rows = summary["published"]
    for row in rows:
        unit = unit_of(row["figure"])
        agrees = Cell("yes", GOOD) if row["agrees"] else Cell("no", BAD)
        table.rows.append((row["fact"], claimed(row, unit), by_unit(row["simulated"], unit),
                           signed_percent(row["difference_frac"]), row["role"], agrees))
        table.remarks.append(f"{row['what']}. Note: {row['note']}" if row["note"] else row["what"])
    computed = [row for row in rows if row["role"] == "computed"]
    if computed:
        agreeing = sum(row["agrees"] for row in computed)
        others = "; the other facts are inputs" if len(computed) < len(rows) else ""
        table.lead = [f"{agreeing} of {len(computed)} computed facts agree{others}."]
    return table


def claimed(row: Mapping[str, Any], unit: str) -> str:
    """The published value or band."""
    if row["value"] is not None:
        return by_unit(row["value"], unit)
    low, high = row["low"], row["high"]
    if low is None or high is None:
        return f"<= {by_unit(high, unit)}" if low is None else f">= {by_unit(low, unit)}"
    return f"{by_unit(low, unit)} to {by_unit(high, unit)}"


def objectives(summary: Summary) -> Table:
    """Each objective with its verdict."""
    table = Table("Objectives", ("Objective", "|Simulated", "Verdict"))
    for row in summary["objectives"]:
        unit = unit_of(row["figure"])
        value = row["simulated"] if unit == "time" or row["simulated"] is None else float(row["simulated"])
        table.rows.append((row["objective"].removeprefix("result:"), by_unit(value, unit),
                           Cell("met", GOOD) if row["met"] else Cell("MISSED", BAD)))
    return table


def footer(summary: Summary, path: Path) -> str:
    """Where the tables are, and what to type next."""
    return (f"Tables: {path / 'tables'} ({count(int(summary['totals']['rows']))} rows of Parquet)\n"
            f"Next:   fleetsim report {path} --plots {path.parent / 'plots'}\n"
            f'        fleetsim query {path} "select * from fact_event limit 20"')


def things(figures: Mapping[str, Any], kind: str, figure: str) -> Sequence[str]:
    """The names of the things that have `kind.<name>.figure`, in the scenario's order."""
    parts = (name.split(".") for name in figures)
    return [part[1] for part in parts if len(part) == 3 and part[0] == kind and part[2] == figure]


def unit_of(figure: str) -> str:
    """The unit of a figure by its name."""
    found = find_figure(figure)
    return found[0].unit if found else ""


def bare_percent(fraction: float | None) -> str:
    """A share under a heading that says %: 82.9."""
    if fraction is None:
        return MISSING
    return percent(fraction, 2 if 0 < fraction < 0.001 else 1).removesuffix(" %")
