"""Every registered figure, computed from the fact tables of a run.

A figure without a value (nothing arrived, nothing ran short, an infinite load) is None.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.model.figure import FIGURES, FINANCE, Figure, find_figure
from fleetsim.output.contract_figures import CONTRACT_COMPUTATIONS, ratio
from fleetsim.output.facts import NO_HOURS, Facts, PoolPeaks
from fleetsim.output.latency_figures import LATENCY_COMPUTATIONS
from fleetsim.output.lending_figures import LENDING_COMPUTATIONS
from fleetsim.output.pnl import COST_SECTIONS
from fleetsim.output.training_figures import TRAINING_COMPUTATIONS
from fleetsim.output.waits import percentile
from fleetsim.timebase import EPOCH, iso

Value = float | str | None
"""A number, a time as `2025-02-14T17:00:00Z`, or nothing."""


def compute(facts: Facts, name: str) -> Value:
    """The value of the figure `name`; UsageError when there is no such figure or thing."""
    name = name.removeprefix("result:")
    found = find_figure(name)
    if found is None:
        raise UsageError(f"no figure {name!r}; {did_you_mean(name, figure_names(facts))}")
    registered, thing = found
    if registered.thing is not None:
        known = facts.things.named(registered.thing)
        if thing not in known:
            raise UsageError(f"{name}: no {registered.thing} {thing!r}; {did_you_mean(thing, known)}")
    return _value(registered, facts, thing)


def compute_all(facts: Facts) -> dict[str, Value]:
    """Every figure of every thing, in the order of the registry."""
    return {name: _value(registered, facts, thing) for name, registered, thing in _named(facts)}


def figure_names(facts: Facts) -> list[str]:
    """The name of every figure of every thing of a run."""
    return [name for name, _, _ in _named(facts)]


def iso_time(epoch_us: int | None) -> str | None:
    """Microseconds since 1970 as `2025-02-14T17:00:00Z`."""
    return None if epoch_us is None else iso(EPOCH + timedelta(microseconds=epoch_us))


def finite(value: float | None) -> float | None:
    """The value, or None when it is missing or infinite."""
    return value if value is not None and math.isfinite(value) else None


def _value(registered: Figure, facts: Facts, thing: str) -> Value:
    """The figure of a thing; None when it is infinite, which JSON cannot say."""
    value = COMPUTATIONS[registered.name](facts, thing)
    return finite(value) if isinstance(value, float) else value


def _named(facts: Facts) -> Iterator[tuple[str, Figure, str]]:
    for registered in FIGURES:
        if registered.name.startswith(FINANCE) and not facts.things.lines:
            continue
        if registered.thing is None:
            yield registered.name, registered, ""
            continue
        for thing in facts.things.named(registered.thing):
            yield registered.name.replace(f"{{{registered.thing}}}", thing), registered, thing


def _days(facts: Facts) -> float:
    return facts.window.hours / 24


def _peaks(facts: Facts, pool: str) -> PoolPeaks:
    return facts.peaks.get(pool, NO_HOURS)


def _fleet_frac(facts: Facts, fleet: str, column: str) -> float | None:
    return ratio(facts.of_fleet(fleet, column), facts.of_fleet(fleet, "rented_gpu_hours"))


def _sum(facts: Facts, name: str, *columns: str) -> int:
    """Whole messages of a class, 0 when it has none."""
    row = facts.traffic.get(name, {})
    return sum(int(row.get(column) or 0) for column in columns)


def _arrived(facts: Facts, name: str) -> int:
    return _sum(facts, name, "messages_arrived")


def _lost(facts: Facts, name: str) -> int:
    return _sum(facts, name, "messages_shed", "messages_abandoned")


def _wait_mean(facts: Facts, name: str) -> float | None:
    """Waiting time over those that waited: served, gone, or still waiting at the end."""
    ended = _sum(facts, name, "messages_served", "messages_abandoned")
    still_waiting = facts.left_over.get(name, (0, 0))[0]
    return ratio(facts.traffic.get(name, {}).get("waiting_message_s"), ended + still_waiting)


def _slo_met(facts: Facts, name: str) -> float | None:
    return ratio(facts.traffic.get(name, {}).get("slo_met_count"), _arrived(facts, name))


def _pool_cost(facts: Facts, pool: str) -> float:
    """Each fleet's cost x the pool's share of its rented GPU-hours over the window."""
    total = 0.0
    for (fleet, name), row in sorted(facts.capacity.items()):
        if name == pool:
            share = ratio(row["rented_gpu_hours"], facts.of_fleet(fleet, "rented_gpu_hours"))
            total += facts.cost_usd(fleet=fleet) * (share or 0.0)
    return total


def _role_cost(facts: Facts, role: str) -> float:
    return sum(facts.cost_usd(fleet=fleet) for fleet, of in facts.things.roles.items() if of == role)


def _price(facts: Facts, contract: str) -> float | None:
    return ratio(facts.cost_usd(contract=contract), facts.charged_gpu_hours.get(contract))


def _elastic_bound(facts: Facts) -> float | None:
    """Required GPU-hours x the fleet's mean price; None when a fleet that is needed has no price."""
    total = 0.0
    for fleet, role in facts.things.roles.items():
        required = facts.of_fleet(fleet, "required_gpu_hours")
        if role != "serving" or required == 0:
            continue
        price = ratio(facts.cost_usd(fleet=fleet), facts.charged_to(fleet))
        if price is None:
            return None
        total += required * price
    return total


Computation = Callable[[Facts, str], Value]

COMPUTATIONS: Mapping[str, Computation] = {
    "pools.{pool}.peak_load_frac": lambda f, pool: _peaks(f, pool).peak_load,
    "pools.{pool}.stock_out_hours": lambda f, pool: _peaks(f, pool).stock_out_hours,
    "pools.{pool}.first_stock_out": lambda f, pool: iso_time(_peaks(f, pool).first_stock_out),
    "pools.{pool}.short_gpus_at_first_stock_out": lambda f, pool: _peaks(f, pool).short_at_first,
    "pools.{pool}.peak_required_gpus": lambda f, pool: _peaks(f, pool).peak_required,
    "pools.{pool}.mean_required_gpus":
        lambda f, pool: ratio(f.of_pool(pool, "load_required_gpu_hours"), f.window.hours),
    "pools.{pool}.required_daily_peak_gpus": lambda f, pool: _peaks(f, pool).mean_daily_peak_required,
    "pools.{pool}.busy_gpu_hours": lambda f, pool: f.of_pool(pool, "busy_gpu_hours"),
    "pools.{pool}.busy_frac":
        lambda f, pool: ratio(f.of_pool(pool, "busy_gpu_hours"), f.of_pool(pool, "rented_gpu_hours")),
    "fleets.{fleet}.rented_gpus":
        lambda f, fleet: ratio(f.of_fleet(fleet, "rented_gpu_hours"), f.window.hours),
    "fleets.{fleet}.healthy_frac": lambda f, fleet: _fleet_frac(f, fleet, "healthy_gpu_hours"),
    "fleets.{fleet}.allocated_frac": lambda f, fleet: _fleet_frac(f, fleet, "allocated_gpu_hours"),
    "fleets.{fleet}.busy_frac": lambda f, fleet: _fleet_frac(f, fleet, "busy_gpu_hours"),
    "traffic.{class}.messages": _arrived,
    "traffic.{class}.messages_per_day": lambda f, name: ratio(_arrived(f, name), _days(f)),
    "traffic.{class}.output_tokens_per_day":
        lambda f, name: ratio(f.traffic.get(name, {}).get("output_tokens") or 0.0, _days(f)),
    "traffic.{class}.served_frac":
        lambda f, name: ratio(_sum(f, name, "messages_served"), _arrived(f, name)),
    "traffic.{class}.degraded_frac":
        lambda f, name: ratio(_sum(f, name, "messages_degraded"), _arrived(f, name)),
    "traffic.{class}.shed_frac": lambda f, name: ratio(_lost(f, name), _arrived(f, name)),
    "traffic.{class}.lost_messages": _lost,
    "traffic.{class}.waiting_messages": lambda f, name: sum(f.left_over.get(name, (0, 0))),
    "traffic.{class}.unserved_frac":
        lambda f, name: ratio(_arrived(f, name) - _sum(f, name, "messages_served"), _arrived(f, name)),
    "traffic.{class}.wait_mean_s": _wait_mean,
    "traffic.{class}.wait_p50_s": lambda f, name: percentile(f.waits.get(name, []), 0.50),
    "traffic.{class}.wait_p99_s": lambda f, name: percentile(f.waits.get(name, []), 0.99),
    "traffic.{class}.slo_met_frac": _slo_met,
    **LATENCY_COMPUTATIONS,
    "traffic.messages_per_day": lambda f, _: ratio(f.of_classes("messages_arrived"), _days(f)),
    "traffic.output_tokens_per_day": lambda f, _: ratio(f.of_classes("output_tokens"), _days(f)),
    "traffic.shed_frac":
        lambda f, _: ratio(f.of_classes("messages_shed") + f.of_classes("messages_abandoned"),
                           f.of_classes("messages_arrived")),
    "contracts.{contract}.cost_usd": lambda f, contract: f.cost_usd(contract=contract),
    "contracts.{contract}.gpu_hours": lambda f, contract: f.charged_gpu_hours.get(contract) or 0.0,
    "contracts.{contract}.usd_per_gpu_hour": _price,
    "fleets.{fleet}.cost_usd": lambda f, fleet: f.cost_usd(fleet=fleet),
    "fleets.{fleet}.cost_usd_per_day": lambda f, fleet: ratio(f.cost_usd(fleet=fleet), _days(f)),
    "fleets.{fleet}.uncovered_gpu_hours": lambda f, fleet: f.uncovered_gpu_hours.get(fleet, 0.0),
    **TRAINING_COMPUTATIONS,
    **LENDING_COMPUTATIONS,
    "pools.{pool}.cost_usd": _pool_cost,
    "pools.{pool}.cost_usd_per_day": lambda f, pool: ratio(_pool_cost(f, pool), _days(f)),
    "pools.{pool}.cost_usd_per_message":
        lambda f, pool: ratio(_pool_cost(f, pool), f.of_classes("messages_arrived", pool)),
    "pools.{pool}.rented_gpu_s_per_message":
        lambda f, pool: ratio(3_600 * f.of_pool(pool, "rented_gpu_hours"),
                              f.of_classes("messages_arrived", pool)),
    "cost.inference_usd": lambda f, _: _role_cost(f, "serving"),
    "cost.training_usd": lambda f, _: _role_cost(f, "training"),
    "cost.total_usd": lambda f, _: f.cost_usd(),
    "cost.elastic_bound_usd": lambda f, _: _elastic_bound(f),
    **CONTRACT_COMPUTATIONS,
    "finance.revenue_usd": lambda f, _: f.pnl.accrual_usd("revenue"),
    "finance.revenue.{stream}_usd": lambda f, name: f.pnl.line_usd(f"revenue/{name}"),
    "finance.cost_usd": lambda f, _: -f.pnl.accrual_usd(*COST_SECTIONS),
    "finance.cost.{cost}_usd": lambda f, name: -f.pnl.line_usd(f"cost/{name}"),
    "finance.net_result_usd": lambda f, _: f.pnl.accrual_usd(),
    "finance.net_loss_usd": lambda f, _: -f.pnl.accrual_usd(),
    "finance.revenue_last_month_usd": lambda f, _: f.pnl.last_revenue_usd,
    "finance.revenue_growth_ratio": lambda f, _: f.pnl.growth_ratio,
    "finance.burn_usd_per_month": lambda f, _: f.pnl.burn_usd_per_month(),
    "finance.cash_usd": lambda f, _: f.pnl.cash_usd,
    "finance.credits_usd": lambda f, _: f.pnl.credits_usd,
    "finance.prepaid_usd": lambda f, _: f.pnl.prepaid_usd,
    "finance.runway": lambda f, _: iso_time(f.pnl.runway.time_us),
}
"""By registered name: the value from the facts, for the thing that the name names."""
