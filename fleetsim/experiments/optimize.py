"""Optimise: the cheapest mix of offered contracts for the GPUs that a run's fleet required.

The mix is a linear program (`portfolio_lp`), its answer is turned into contracts and billed by the ledger,
and searched further where the two differ (`portfolio_search`). The objective is the effective cost of the
horizon: of a term that goes on beyond it, the horizon's part counts and the rest is reported. With a
discount rate, each hour counts at its worth at the start and what is paid ahead at its level rate,
NPV(payments) / NPV(GPU-hours) over the whole term.
"""

import os
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from math import inf
from typing import TYPE_CHECKING

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.experiments.chosen import chosen_of
from fleetsim.experiments.judge import Answer, Judge
from fleetsim.experiments.merit_order import merit_order
from fleetsim.experiments.metered_run import scenario_of
from fleetsim.experiments.orders import Order, Rest, months_apart, order_dates, orders_of, rests_of
from fleetsim.experiments.portfolio import Portfolio
from fleetsim.experiments.portfolio_lp import Planned, Problem, planned
from fleetsim.experiments.portfolio_search import searched, simpler_answers
from fleetsim.experiments.stretches import Demand
from fleetsim.experiments.usage import metered_usage
from fleetsim.ledger.usage import HourlyUsage
from fleetsim.model.contract import Offer
from fleetsim.output.run import Run
from fleetsim.timebase import EPOCH, HOUR_S, iso

if TYPE_CHECKING:
    from fleetsim.model.scenario import Scenario

SPOT_MAX_FRAC = 0.2
"""Share of the required GPUs that may be taken away at short notice, unless said otherwise."""


def optimize(run: Run, offers: "str | os.PathLike[str] | Mapping[str, Offer]", *, fleet: str | None = None,
             budget_upfront_usd: float | None = None, discount_frac_per_year: float = 0.0,
             spot_max_frac: float = SPOT_MAX_FRAC,
             order_every_months: int | None = None) -> Portfolio:
    """The cheapest portfolio of a fleet's required GPUs, from an offer file or offers by name.

    `fleet` is the run's only serving fleet by default. `budget_upfront_usd` limits what is paid ahead
    inside the horizon. At most `spot_max_frac` of each hour's GPUs are on spot. Orders are looked at when
    the horizon starts and then every `order_every_months`: by default 3, or the shortest term on offer; 0 is
    at the start alone. ScenarioError when the offer file is wrong, UsageError when an argument is, or when
    the offers cannot meet demand.
    """
    from fleetsim.spec.offer_file import load_offers

    _check(budget_upfront_usd, discount_frac_per_year, spot_max_frac, order_every_months)
    scenario = scenario_of(run)
    known = offers if isinstance(offers, Mapping) else load_offers(offers, gpus=scenario.gpus)
    name = fleet_of(scenario, fleet)
    gpu = scenario.fleets[name].gpu
    own = {key: offer for key, offer in known.items() if offer.gpu == gpu}
    if not own:
        raise UsageError(f"no offer has GPUs of type {gpu}, which fleet {name!r} is made of")
    usage = metered_usage(run, scenario)[name]["required"]
    notes = [f"{key}: left out, fleet {name!r} has {gpu} and not {offer.gpu}" for key, offer in known.items()
             if key not in own]
    return best_portfolio(
        usage, own, budget_upfront_usd=budget_upfront_usd, discount_frac_per_year=discount_frac_per_year,
        spot_max_frac=spot_max_frac, order_every_months=order_every_months, run=str(run.path), notes=notes)


def best_portfolio(usage: HourlyUsage, offers: Mapping[str, Offer], *,
                   budget_upfront_usd: float | None = None, discount_frac_per_year: float = 0.0,
                   spot_max_frac: float = SPOT_MAX_FRAC, order_every_months: int | None = None,
                   run: str = "", notes: Sequence[str] = ()) -> Portfolio:
    """The same for metered usage: the demand is its allocated GPU-seconds, which no fleet limits."""
    demand = Demand(usage.hour_us // 1_000_000, usage.allocated_gpu_s / float(HOUR_S), discount_frac_per_year)
    if not demand.gpus.any():
        raise UsageError(f"fleet {usage.fleet!r} required no GPUs")
    every = months_apart(offers.values()) if order_every_months is None else order_every_months
    dates = order_dates(demand.start, demand.end, every)
    orders = orders_of(offers, dates, demand.end)
    late = [name for name in offers if name not in {order.offer_name for order in orders}]
    problem = Problem(demand, tuple(order for order in orders if order.offer.commits), spot_max_frac,
                      budget_upfront_usd)
    judge = Judge(problem, usage)
    rests = rests_of(orders, spot_max_frac)
    plans = [each for each in (planned(problem, rest) for rest in rests) if each is not None]
    if not plans:
        raise UsageError(why_not(problem, rests))
    bound = min(each.solution.bound for each in plans)
    sizes = dict.fromkeys([*(each.units for each in plans), (0,) * len(problem.orders),
                           *(each.units for each in simpler_answers(problem, rests))])
    starts = [Answer(rest, units) for rest in rests for units in sizes]
    answer = searched(judge, starts, bound)
    if judge.cost(answer) == inf:
        raise UsageError(why_not(problem, rests))
    first = min(plans, key=lambda each: judge.cost(Answer(each.rest, each.units)))
    return _portfolio(judge, answer, first, bound, offers, dates, run=run, notes=[
        *notes, *(f"{name}: cannot be signed and served inside the horizon" for name in late)])


def _portfolio(judge: Judge, answer: Answer, first: Planned, bound: float, offers: Mapping[str, Offer],
               dates: Sequence[datetime], *, run: str, notes: Sequence[str]) -> Portfolio:
    problem, bill = judge.problem, judge.bill(answer)
    demand = problem.demand
    alone = judge.cost(Answer(answer.rest, (0,) * len(answer.units)))
    limited = {name: offer for name, offer in offers.items()
               if offer.kind != "spot" or problem.spot_max_frac > 0}
    return Portfolio(
        run=run, fleet=judge.usage.fleet, end=iso(demand.end), hours=len(demand.gpus),
        required_gpu_hours=float(demand.gpus.sum()), peak_gpus=float(demand.gpus.max()),
        chosen=tuple(chosen_of(judge, answer, bill)), contracts=judge.contracts(answer),
        discount_frac_per_year=demand.rate, budget_upfront_usd=problem.budget_upfront_usd,
        spot_max_frac=problem.spot_max_frac, solver_usd=first.solution.cost,
        solver_gap_frac=first.solution.gap_frac, bound_usd=bound,
        order_dates=tuple(map(iso, dates)),
        solver_ledger_usd=judge.cost(Answer(first.rest, first.units)),
        ledger_usd=judge.objective_usd(bill, judge.factors(answer)), portfolios_rated=judge.rated,
        without_commitments_usd=None if alone == inf else alone,
        merit_order=merit_order(limited, len(demand.gpus)), notes=tuple(notes))


def why_not(problem: Problem, rests: Sequence[Rest]) -> str:
    """Why no portfolio meets the demand, and what would."""
    demand = problem.demand
    hint = "add an on_demand offer with lead_time_days: 0"
    first: Order | None = min((order for rest in rests for order in rest.lists),
                              key=lambda order: order.start, default=None)
    capacity = sum((demand.served(order) * most / order.units_per_gpu
                    for order, most in zip(problem.orders, problem.most, strict=True)),
                   start=demand.gpus * 0.0)
    for hour in range(len(demand.gpus)):
        listed = first is not None and demand.hour_s[hour] >= int(first.start.timestamp())
        spot = problem.spot_max_frac if any(rest.spot for rest in rests) else 0.0
        if not listed and capacity[hour] < demand.gpus[hour] * (1 - spot) * (1 - 1e-9):
            when = f"{EPOCH + timedelta(seconds=int(demand.hour_s[hour])):%Y-%m-%d %H:%M}"
            return (f"the offers cannot meet demand at {when} UTC: {demand.gpus[hour]:,.0f} GPUs are "
                    f"required, at most {capacity[hour]:,.0f} can be in service; {hint}")
    return f"the offers cannot meet demand within their limits and the budget; {hint}, or raise the budget"


def fleet_of(scenario: "Scenario", name: str | None) -> str:
    """The fleet that is meant; UsageError when there is none, or several and no name."""
    serving = [key for key, fleet in scenario.fleets.items() if fleet.role == "serving"]
    if name is None:
        if len(serving) == 1:
            return serving[0]
        raise UsageError(f"the run has {len(serving)} serving fleets: name one of {', '.join(serving)}")
    if name not in scenario.fleets:
        raise UsageError(f"no fleet {name!r}; {did_you_mean(name, list(scenario.fleets))}")
    if name not in serving:
        raise UsageError(f"fleet {name!r} trains: it has no required GPUs")
    return name


def _check(budget: float | None, rate: float, spot_max_frac: float, every_months: int | None) -> None:
    if budget is not None and not budget >= 0:
        raise UsageError(f"the budget on upfront payments cannot be {budget:,.2f} dollars: it is 0 or more")
    if not 0 <= rate <= 10:
        raise UsageError(f"a yearly discount rate is a share from 0 to 10, not {rate}")
    if not 0 <= spot_max_frac <= 1:
        raise UsageError(f"the share on spot is from 0 to 1, not {spot_max_frac}")
    if every_months is not None and every_months < 0:
        raise UsageError(f"orders cannot be {every_months} months apart")
