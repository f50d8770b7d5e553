"""The charges of a run at the grain of an export, with what the dimensions say of fleets and contracts."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from fleetsim.output.export.lines import ContractFacts, FleetFacts, Line
from fleetsim.output.export.periods import ChargePeriod, Grain, as_instant, hour_of, month_of
from fleetsim.output.window import Window

if TYPE_CHECKING:
    from fleetsim.output.run import Run

WHOLE_MONTH = "recurring"
"""The clause whose one charge pays for its month, whatever the grain."""


class Amounts(NamedTuple):
    """One row: what a line charges in a period. Amounts are micro-dollars."""

    line: Line
    period: ChargePeriod
    gpu_s: int
    hours: int
    """Hours of the period in which the line charges."""
    list: int
    contracted: int
    billed: int
    effective: int


@dataclass(frozen=True)
class RunCharges:
    """Charges in order of time, then line; and the electricity metered by fleet and period, Wh."""

    rows: list[Amounts]
    energy_wh: dict[tuple[str, ChargePeriod], int]


def charges_of(run: "Run", grain: Grain) -> RunCharges:
    """Every charge of the run. What a period adds up is exact."""
    window = run.window
    fleets, contracts = fleets_of(run), contracts_of(run)
    lines: dict[tuple[str, ...], Line] = {}
    rows = []
    for row in _grouped(run, grain):
        key = (row["fleet"], row["contract"], row["charge_category"], row["clause"])
        if key not in lines:
            lines[key] = Line(
                run.run_id, str(run.manifest["scenario"]), row["provider"], fleets[row["fleet"]],
                contracts[row["contract"]], row["charge_category"], row["clause"])
        period = _period(row["starts"], "month" if row["clause"] == WHOLE_MONTH else grain, window)
        rows.append(Amounts(lines[key], period, row["gpu_s"], row["hours"],
                            *(int(row[name].scaleb(6)) for name in MONEY)))
    return RunCharges(rows, _energy(run, grain))


MONEY = ("list_usd", "contracted_usd", "billed_usd", "effective_usd")


def _grouped(run: "Run", grain: Grain) -> list[dict[str, Any]]:
    """The cost table by period and line; hardware bought and sold in one period stays apart."""
    sums = ", ".join(f"sum({name}) as {name}" for name in MONEY)
    rows = run.query(f"""
        select {_at(grain)} as starts, fleet, contract, charge_category, clause, provider,
            clause = 'capex' and billed_usd < 0 as is_back, count(*)::bigint as hours,
            sum(round(gpu_hours * 3600)::bigint)::bigint as gpu_s, {sums}
        from fact_cost_hourly
        group by starts, fleet, contract, charge_category, clause, provider, is_back
        order by starts, fleet, contract, charge_category, clause, is_back""")
    return list(rows.to_pylist())


def _period(starts: date | datetime, grain: Grain, window: Window) -> ChargePeriod:
    at = as_instant(starts)
    return month_of(at, window) if grain == "month" else hour_of(at, window)


def _energy(run: "Run", grain: Grain) -> dict[tuple[str, ChargePeriod], int]:
    rows = run.query(f"""
        select fleet, {_at(grain)} as starts, sum(wh)::bigint as wh from (
            select fleet, hour, round(sum(energy_kwh) * 1000)::bigint as wh
            from fact_capacity_hourly where energy_kwh is not null group by all) group by all""")
    return {(row["fleet"], _period(row["starts"], grain, run.window)): row["wh"] for row in rows.to_pylist()}


def _at(grain: Grain) -> str:
    return "hour" if grain == "hour" else "date_trunc('month', hour)"


def fleets_of(run: "Run") -> dict[str, FleetFacts]:
    """Every fleet by its name."""
    pools = [(row["pool"], row["fleets"].split(",")) for row in
             run.query("select pool, fleets from dim_pool where fleets is not null order by all").to_pylist()]
    written = run.scenario.get("fleets") or {}
    found = {}
    for row in run.query("select fleet, gpu, role, region from dim_fleet").to_pylist():
        name = row["fleet"]
        own = [pool for pool, fleets in pools if name in fleets]
        labels = (written.get(name) or {}).get("labels") or {}
        found[name] = FleetFacts(name, row["gpu"], row["role"], row["region"],
                                 own[0] if len(own) == 1 else None,
                                 {str(key): str(value) for key, value in labels.items()})
    return found


def contracts_of(run: "Run") -> dict[str, ContractFacts]:
    """Every contract by its name."""
    rows = run.query("select contract, kind, committed, usd_per_gpu_hour, list_usd_per_gpu_hour, terms "
                     "from dim_contract").to_pylist()
    return {row["contract"]: ContractFacts(
        row["contract"], row["kind"], row["committed"], _price(row["usd_per_gpu_hour"]),
        _price(row["list_usd_per_gpu_hour"]), json.loads(row["terms"])) for row in rows}


def _price(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(repr(value))
