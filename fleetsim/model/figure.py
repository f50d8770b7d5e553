"""Figures: the registered results. One list feeds summary, objectives, published facts and compare."""

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal


@dataclass(frozen=True)
class Figure:
    """One registered quantity. `{...}` in a name stands for the name of a thing of the scenario."""

    name: str
    unit: str
    adds_up: Literal["sum", "max", "mean", "ratio", "first", "last"]
    """How it is put together over time; first and last: the value at one moment of the window."""
    better: Literal["lower", "higher", "neither"]
    meaning: str

    @property
    def thing(self) -> str | None:
        """The kind of thing in the name (`pool` in `pools.{pool}.peak_load_frac`), or None."""
        match = re.search(r"{(\w+)}", self.name)
        return match.group(1) if match else None

    def matches(self, name: str) -> str | None:
        """The thing that `name` names under this figure ('' when the figure has none), or None."""
        pattern = re.escape(self.name).replace(r"\{", "{").replace(r"\}", "}")
        match = re.fullmatch(re.sub(r"{\w+}", r"([\\w-]+)", pattern), name)
        if match is None:
            return None
        return match.group(1) if match.groups() else ""


FINANCE = "finance."
"""What the names of the figures begin with that need the section `finance`."""
NEVER = "never"
"""Shown for a time that does not come: a pool that never runs short has no first stock-out."""

FINANCE_FIGURES: tuple[Figure, ...] = (
    Figure("finance.revenue_usd", "USD", "sum", "higher", "Revenue, shares received and paid included."),
    Figure("finance.revenue.{stream}_usd", "USD", "sum", "higher", "Revenue of one stream."),
    Figure("finance.cost_usd", "USD", "sum", "lower", "Compute (effective) and all other costs."),
    Figure("finance.cost.{cost}_usd", "USD", "sum", "lower", "One cost beside compute."),
    Figure("finance.net_result_usd", "USD", "sum", "higher", "Revenue - cost."),
    Figure("finance.net_loss_usd", "USD", "sum", "lower", "Cost - revenue."),
    Figure("finance.revenue_last_month_usd", "USD", "last", "higher",
           "Revenue of the last month; a part of one in proportion for the whole."),
    Figure("finance.revenue_growth_ratio", "times", "ratio", "higher",
           "Last / first month's revenue, at the pace of twelve months; null for one month."),
    Figure("finance.burn_usd_per_month", "USD/month", "mean", "lower",
           "Cash paid - cash received without funding, per month; credits drawn are not paid."),
    Figure("finance.cash_usd", "USD", "last", "higher",
           "Cash at the end; null when the scenario says nothing of cash."),
    Figure("finance.credits_usd", "USD", "last", "higher",
           "Cloud credits left at the end; null when the scenario says nothing of credits or cash."),
    Figure("finance.prepaid_usd", "USD", "last", "neither",
           "Paid for compute by the end and not used up, payments before recording included; below 0: used "
           "and not billed."),
    Figure("finance.runway", "time", "first", "higher",
           "When cash is used up: in the run, or beyond it at the mean burn of its last three months; null "
           "when cash grows or lasts a hundred years."),
)
"""Figures over the calendar months that begin in the window, and the recording's first one."""

CONTRACT_FIGURES: tuple[Figure, ...] = (
    Figure("contracts.{contract}.billed_usd", "USD", "sum", "lower", "On the invoices: cash."),
    Figure("contracts.{contract}.list_usd", "USD", "sum", "neither", "Its usage at public prices."),
    Figure("contracts.{contract}.contracted_usd", "USD", "sum", "neither",
           "Its usage at negotiated prices, without commitments."),
    Figure("contracts.{contract}.unused_usd", "USD", "sum", "lower",
           "Paid for by a commitment and not used, or missing from it at its end: waste."),
    Figure("contracts.{contract}.utilisation_frac", "1", "ratio", "higher",
           "Used / committed, in GPU-hours or in dollars as the contract commits; null without commitment."),
    Figure("contracts.{contract}.savings_rate_frac", "1", "ratio", "higher",
           "Effective savings rate, waste included: (contracted - effective) / contracted."),
    Figure("contracts.{contract}.list_savings_rate_frac", "1", "ratio", "higher",
           "The same against public prices."),
    Figure("contracts.{contract}.break_even_frac", "1", "ratio", "lower",
           "Utilisation of the commitment from which on it is cheaper than the contracted price: committed "
           "cost per GPU-hour / contracted price; null without commitment."),
    Figure("contracts.{contract}.remaining_usd", "USD", "last", "lower",
           "Payments still due at the end; null where the commitment has no end."),
    Figure("contracts.{contract}.capital_charge_usd", "USD", "sum", "lower",
           "Owned hardware: cost of capital beyond depreciation, which no ledger books; null otherwise."),
    Figure("contracts.{contract}.levelised_usd_per_gpu_hour", "USD/GPU-hour", "ratio", "lower",
           "Owned hardware: (cost + cost of capital) / GPU-hours charged, the price that pays for all; null "
           "otherwise."),
    Figure("fleets.{fleet}.billed_usd", "USD", "sum", "lower", "On the invoices of a fleet's contracts."),
    Figure("fleets.{fleet}.usd_per_rented_gpu_hour", "USD/GPU-hour", "ratio", "lower",
           "Effective cost / rented GPU-hours."),
    Figure("fleets.{fleet}.usd_per_required_gpu_hour", "USD/GPU-hour", "ratio", "lower",
           "Effective cost / required GPU-hours."),
    Figure("fleets.{fleet}.usd_per_busy_gpu_hour", "USD/GPU-hour", "ratio", "lower",
           "Effective cost / busy GPU-hours."),
    Figure("fleets.{fleet}.covered_frac", "1", "ratio", "neither",
           "Coverage: GPU-hours used under commitments / all GPU-hours used."),
    Figure("fleets.{fleet}.energy_kwh", "kWh", "sum", "lower", "Electricity at the site's meter."),
    Figure("fleets.{fleet}.emissions_t_co2e", "tCO2e", "sum", "lower", "Emissions of that electricity."),
    Figure("fleets.{fleet}.peak_power_mw", "MW", "max", "lower", "Highest hourly mean power at the meter."),
    Figure("traffic.{class}.cost_usd", "USD", "sum", "lower",
           "Serving fleets' cost by busy GPU-seconds, without what was idle."),
    Figure("traffic.{class}.shared_cost_usd", "USD", "sum", "lower",
           "The same with what was idle shared by busy GPU-seconds."),
    Figure("traffic.{class}.cost_usd_per_1000_messages", "USD/1000 messages", "ratio", "lower",
           "Shared cost per 1,000 served messages."),
    Figure("traffic.{class}.cost_usd_per_million_tokens", "USD/million tokens", "ratio", "lower",
           "Shared cost per million prompt and output tokens."),
    Figure("cost.idle_usd", "USD", "sum", "lower", "Serving fleets' cost of GPUs that were not busy."),
    Figure("cost.list_usd", "USD", "sum", "neither", "All usage at public prices."),
    Figure("cost.contracted_usd", "USD", "sum", "neither",
           "All usage at negotiated prices, without commitments."),
    Figure("cost.unused_usd", "USD", "sum", "lower", "Paid for by commitments and not used, or "
           "missing from them at their end."),
    Figure("cost.savings_rate_frac", "1", "ratio", "higher",
           "Effective savings rate of all contracts, waste included."),
    Figure("cost.list_savings_rate_frac", "1", "ratio", "higher", "The same against public prices."),
    Figure("cost.capital_charge_usd", "USD", "sum", "lower",
           "Cost of capital of owned hardware beyond depreciation, in no other figure."),
    Figure("cost.billed_usd", "USD", "sum", "lower", "On all invoices: cash."),
    Figure("cost.prepaid_usd", "USD", "sum", "neither",
           "Billed - effective: paid ahead in the window (above 0); used up of what was paid before it, or "
           "still to be billed (below 0)."),
    Figure("cost.remaining_usd", "USD", "last", "lower", "Payments still due at the end, where known."),
    Figure("budgets.{budget}.budget_usd", "USD", "sum", "neither", "What may be spent."),
    Figure("budgets.{budget}.spent_usd", "USD", "sum", "lower", "What is spent."),
    Figure("budgets.{budget}.used_frac", "1", "ratio", "lower", "Spent / budget."),
    Figure("budgets.{budget}.months_over", "month", "sum", "lower", "Months that cost more than allowed."),
    Figure("energy.total_kwh", "kWh", "sum", "lower", "Electricity of all fleets."),
    Figure("energy.emissions_t_co2e", "tCO2e", "sum", "lower", "Emissions of all fleets."),
)
"""Figures of the second job: what contracts cost, save and waste, and what a message costs."""

LATENCY_WORDS = {"ttft": "time to the first token", "tpot": "time per output token after the first",
                 "e2e": "time to the last token"}
LATENCY_FIGURES: tuple[Figure, ...] = (
    Figure("traffic.{class}.latency_known_frac", "1", "ratio", "higher",
           "Served in hours for which the latency of all that was served is known, by a latency table or a "
           "request-level window / served. The figures of latency speak of these hours."),
    *(Figure(f"traffic.{{class}}.{metric}_p{q}_s", "s", "ratio", "lower",
             f"{rank} of the {words} of served messages, in the hours whose latency is known.")
      for metric, words in LATENCY_WORDS.items()
      for q, rank in ((50, "Median"), (99, "99th percentile"))),
    *(Figure(f"traffic.{{class}}.{metric}_slo_met_frac", "1", "ratio", "higher",
             f"Served within `slo_{metric}_s` / first attempts, in the hours whose latency is known; null "
             "without a limit.")
      for metric in ("ttft", "tpot")),
)
"""Figures of latency; null when it is known for no hour."""

LENDING_FIGURES: tuple[Figure, ...] = (
    Figure("pools.{pool}.lent_gpu_hours", "GPU-hour", "sum", "neither",
           "Lent to other pools and to training jobs."),
    Figure("pools.{pool}.lendable_gpu_hours", "GPU-hour", "sum", "neither",
           "In hours that require less than the day's mean: healthy - busy / target load - headroom; null "
           "for pools that lend nothing to training jobs."),
    Figure("pools.{pool}.lent_of_lendable_frac", "1", "ratio", "higher",
           "Lent in those hours / lendable; above 1 where jobs keep GPUs of half the headroom."),
    Figure("fleets.{fleet}.gained_gpu_hours", "GPU-hour", "sum", "higher",
           "Training work that counts on GPUs that pools lent; null where no job may borrow them."),
    Figure("fleets.{fleet}.usd_per_gained_gpu_hour", "USD/GPU-hour", "ratio", "lower",
           "Effective cost of the GPU-hours lent to jobs, in proportion / those gained."),
    Figure("fleets.{fleet}.slowest_reclaim_s", "s", "max", "lower",
           "Longest time from calling GPUs in that jobs held to having the last of them; null when none "
           "were."),
)
"""Figures of lending between pools and training jobs."""

FIGURES: tuple[Figure, ...] = (
    Figure("pools.{pool}.peak_load_frac", "1", "max", "lower",
           "Highest hourly load: offered work / healthy GPU-seconds."),
    Figure("pools.{pool}.stock_out_hours", "h", "sum", "lower", "Hours with a mean load above 1."),
    Figure("pools.{pool}.first_stock_out", "time", "first", "neither",
           "First hour with a mean load above 1; null when none."),
    Figure("pools.{pool}.short_gpus_at_first_stock_out", "GPU", "first", "lower",
           "Offered minus healthy GPUs in that hour."),
    Figure("pools.{pool}.peak_required_gpus", "GPU", "max", "lower",
           "Highest hourly required GPUs, all in GPUs of the pool's first fleet."),
    Figure("pools.{pool}.mean_required_gpus", "GPU", "mean", "lower", "Mean required GPUs, likewise."),
    Figure("pools.{pool}.required_daily_peak_gpus", "GPU", "mean", "lower",
           "Mean over days of the highest hourly required GPUs, likewise."),
    Figure("pools.{pool}.busy_gpu_hours", "GPU-hour", "sum", "neither", "GPU-hours of work done."),
    Figure("pools.{pool}.busy_frac", "1", "ratio", "neither", "Busy / rented GPU-hours."),
    Figure("fleets.{fleet}.rented_gpus", "GPU", "mean", "neither", "Mean rented GPUs."),
    Figure("fleets.{fleet}.healthy_frac", "1", "ratio", "higher", "Healthy / rented GPU-hours."),
    Figure("fleets.{fleet}.allocated_frac", "1", "ratio", "neither", "Allocated / rented GPU-hours."),
    Figure("fleets.{fleet}.busy_frac", "1", "ratio", "neither", "Busy / rented GPU-hours."),
    Figure("traffic.{class}.messages", "message", "sum", "neither", "First attempts."),
    Figure("traffic.{class}.messages_per_day", "message/day", "mean", "neither", "First attempts per day."),
    Figure("traffic.{class}.output_tokens_per_day", "token/day", "mean", "neither",
           "Output tokens served per day."),
    Figure("traffic.{class}.served_frac", "1", "ratio", "higher", "Served / first attempts."),
    Figure("traffic.{class}.degraded_frac", "1", "ratio", "lower",
           "Served by a cheaper service / first attempts."),
    Figure("traffic.{class}.shed_frac", "1", "ratio", "lower",
           "Lost for good (shed or abandoned) / first attempts."),
    Figure("traffic.{class}.lost_messages", "message", "sum", "lower",
           "Messages shed or abandoned for good."),
    Figure("traffic.{class}.waiting_messages", "message", "last", "lower",
           "Messages neither served nor lost at the end: waiting, or about to be tried again."),
    Figure("traffic.{class}.unserved_frac", "1", "ratio", "lower",
           "(First attempts - served) / first attempts: lost or still waiting; below 0 in a window that "
           "serves what came before it."),
    Figure("traffic.{class}.wait_mean_s", "s", "ratio", "lower",
           "Waiting time per attempt that was served or abandoned, or still waits at the end."),
    Figure("traffic.{class}.wait_p50_s", "s", "ratio", "lower", "Median wait of served messages."),
    Figure("traffic.{class}.wait_p99_s", "s", "ratio", "lower",
           "99th percentile of the wait of served messages."),
    Figure("traffic.{class}.slo_met_frac", "1", "ratio", "higher",
           "Served within `slo_wait_s` / first attempts."),
    *LATENCY_FIGURES,
    Figure("traffic.messages_per_day", "message/day", "mean", "neither",
           "First attempts per day, all classes."),
    Figure("traffic.output_tokens_per_day", "token/day", "mean", "neither",
           "Output tokens served per day, all classes."),
    Figure("traffic.shed_frac", "1", "ratio", "lower", "Lost for good / first attempts, all classes."),
    Figure("contracts.{contract}.cost_usd", "USD", "sum", "lower", "Effective cost."),
    Figure("contracts.{contract}.gpu_hours", "GPU-hour", "sum", "neither", "GPU-hours charged."),
    Figure("contracts.{contract}.usd_per_gpu_hour", "USD/GPU-hour", "ratio", "lower",
           "Effective cost / GPU-hours charged."),
    Figure("fleets.{fleet}.cost_usd", "USD", "sum", "lower", "Effective cost of a fleet's contracts."),
    Figure("fleets.{fleet}.cost_usd_per_day", "USD/day", "mean", "lower", "Effective cost per day."),
    Figure("fleets.{fleet}.uncovered_gpu_hours", "GPU-hour", "sum", "lower",
           "GPU-hours that no contract covers, so that they cost nothing: rented ones, or allocated ones "
           "where a contract of the fleet bills only what is taken."),
    Figure("fleets.{fleet}.productive_frac", "1", "ratio", "higher",
           "Training that counts / rented GPU-hours (goodput); null without jobs, and for serving fleets."),
    Figure("fleets.{fleet}.lost_frac", "1", "ratio", "lower",
           "Training work done again after failures / rented GPU-hours; null as productive_frac."),
    Figure("fleets.{fleet}.usd_per_productive_gpu_hour", "USD/GPU-hour", "ratio", "lower",
           "Effective cost of a training fleet / GPU-hours of work that counts."),
    Figure("training_jobs.{job}.end", "time", "last", "lower", "When the job is done; over the whole run."),
    Figure("training_jobs.{job}.elapsed_days", "d", "last", "lower",
           "From submission to the end of the job, queue and failures included; null when it has not ended."),
    Figure("training_jobs.{job}.ettr_frac", "1", "ratio", "higher",
           "Productive / elapsed time since submission, at the end of the run."),
    Figure("training_jobs.{job}.lost_frac", "1", "ratio", "lower",
           "Work done again / GPU time that the job held."),
    Figure("training_jobs.{job}.failures", "failure", "sum", "lower", "Failures that stopped the job."),
    Figure("training_jobs.{job}.cost_usd", "USD", "sum", "lower", "Effective cost of the GPUs that it held."),
    *LENDING_FIGURES,
    Figure("pools.{pool}.cost_usd", "USD", "sum", "lower",
           "The fleets' effective cost in proportion to rented GPU-hours."),
    Figure("pools.{pool}.cost_usd_per_day", "USD/day", "mean", "lower", "The same per day."),
    Figure("pools.{pool}.cost_usd_per_message", "USD/message", "ratio", "lower",
           "The same per first attempt of the pool's classes."),
    Figure("pools.{pool}.rented_gpu_s_per_message", "GPU-s/message", "ratio", "lower",
           "Rented GPU-seconds per first attempt."),
    Figure("cost.inference_usd", "USD", "sum", "lower", "Effective cost of serving fleets."),
    Figure("cost.training_usd", "USD", "sum", "lower", "Effective cost of training fleets."),
    Figure("cost.total_usd", "USD", "sum", "lower", "Effective cost of all fleets."),
    Figure("cost.elastic_bound_usd", "USD", "sum", "lower",
           "Serving fleets' required GPU-hours at the fleet's mean price (effective cost / GPU-hours "
           "charged): a bound, had every GPU been elastic."),
    *CONTRACT_FIGURES,
    *FINANCE_FIGURES,
)
"""The registry, in the order in which reports show it."""


@cache
def find_figure(name: str) -> tuple[Figure, str] | None:
    """The figure that `name` names and the thing in it ('' when it has none); None when unknown."""
    for figure in FIGURES:
        thing = figure.matches(name)
        if thing is not None:
            return figure, thing
    return None
