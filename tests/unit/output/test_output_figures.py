"""Figures against values computed by hand from the tiny run."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from tiny_run import tiny_blocks, tiny_scenario, write_run

from fleetsim.errors import UsageError
from fleetsim.model.figure import FIGURES, find_figure
from fleetsim.output.facts import Facts, Things
from fleetsim.output.figures import COMPUTATIONS
from fleetsim.output.run import Run
from fleetsim.output.window import Window

BY_HAND = {
    # Chat: 80 rented, 72 healthy, offered 72 but 88 and 96 in hours 30 and 31 (1 June, 06:00 and 07:00).
    "pools.chat.peak_load_frac": 96 / 72,
    "pools.chat.stock_out_hours": 2,
    "pools.chat.first_stock_out": "2024-06-01T06:00:00Z",
    "pools.chat.short_gpus_at_first_stock_out": 16.0,
    "pools.chat.peak_required_gpus": 120.0,
    "pools.chat.mean_required_gpus": 1.25 * (46 * 72 + 88 + 96) / 48,
    "pools.chat.required_daily_peak_gpus": (90 + 120) / 2,
    "pools.chat.busy_gpu_hours": 48 * 72.0,
    "pools.chat.busy_frac": 72 / 80,
    "pools.api.peak_load_frac": 0.5,
    "pools.api.stock_out_hours": 0,
    "pools.api.first_stock_out": None,
    "pools.api.short_gpus_at_first_stock_out": None,
    "fleets.azure.rented_gpus": 100.0,
    "fleets.azure.healthy_frac": 0.92,
    "fleets.azure.allocated_frac": 0.46,
    "fleets.azure.busy_frac": 0.82,
    "fleets.lab.busy_frac": 0.0,
    # Plus: each hour 10 arrive, 9 are served (6 at once, 3 within 0.5 to 0.545 s), 3 degraded, 1 abandons.
    "traffic.plus.messages": 480,
    "traffic.plus.messages_per_day": 240.0,
    "traffic.plus.output_tokens_per_day": 24 * 90.0,
    "traffic.plus.served_frac": 0.9,
    "traffic.plus.degraded_frac": 0.3,
    "traffic.plus.shed_frac": 0.1,
    "traffic.plus.lost_messages": 48,
    "traffic.plus.waiting_messages": 47 + 2,
    "traffic.dev.waiting_messages": 0,
    "traffic.plus.unserved_frac": 0.1,
    "traffic.plus.wait_mean_s": 48 * 30 / (480 + 47),
    "traffic.plus.wait_p50_s": 0.0,
    "traffic.plus.wait_p99_s": 0.5 * 2 ** (0.125 * (0.99 * 9 - 6) / 3),
    "traffic.plus.slo_met_frac": None,
    "traffic.plus.latency_known_frac": 1.0,
    "traffic.dev.latency_known_frac": 0.0,
    "traffic.plus.ttft_p50_s": 0.064 * 2 ** (0.5 * 9 / 6 / 16),
    "traffic.plus.ttft_p99_s": 0.512 * 2 ** ((0.99 * 9 - 6) / 3 / 16),
    "traffic.plus.tpot_p50_s": 0.032 * 2 ** (0.5 / 16),
    "traffic.plus.tpot_p99_s": 0.032 * 2 ** (0.99 / 16),
    "traffic.plus.e2e_p50_s": 4.096 * 2 ** (0.5 / 16),
    "traffic.plus.e2e_p99_s": 4.096 * 2 ** (0.99 / 16),
    "traffic.plus.ttft_slo_met_frac": 0.7,
    "traffic.plus.tpot_slo_met_frac": 0.8,
    "traffic.dev.ttft_p50_s": None,
    "traffic.dev.tpot_slo_met_frac": None,
    "traffic.dev.slo_met_frac": 0.5,
    "traffic.messages_per_day": 24 * 12.0,
    "traffic.output_tokens_per_day": 24 * 110.0,
    "traffic.shed_frac": 1 / 12,
    "contracts.azure-a100.cost_usd": 48 * 130.0,
    "contracts.azure-a100.gpu_hours": 4800.0,
    "contracts.azure-a100.usd_per_gpu_hour": 1.30,
    # A purchase pays for GPU-hours that are charged again when they are used.
    "contracts.azure-extra.gpu_hours": 0.0,
    "contracts.azure-extra.usd_per_gpu_hour": None,
    # Nothing is lent here: tests/unit/engine/test_lending.py has runs that lend.
    "pools.chat.lent_gpu_hours": 0.0,
    "pools.chat.lendable_gpu_hours": None,
    "pools.chat.lent_of_lendable_frac": None,
    "fleets.azure.gained_gpu_hours": None,
    "fleets.azure.usd_per_gained_gpu_hour": None,
    "fleets.azure.slowest_reclaim_s": None,
    "fleets.azure.cost_usd": 6240.0,
    "fleets.azure.cost_usd_per_day": 3120.0,
    # The lab's ten GPUs at $2: each hour six do work that counts, half a one does work again.
    "fleets.lab.productive_frac": 0.6,
    "fleets.lab.lost_frac": 0.05,
    "fleets.lab.usd_per_productive_gpu_hour": 20 / 6,
    "fleets.azure.productive_frac": None,
    # The job `run` holds eight GPUs for ten of eleven hours; eight of its eighty GPU-hours are lost.
    "training_jobs.run.end": "2024-05-31T11:00:00Z",
    "training_jobs.run.elapsed_days": 11 / 24,
    "training_jobs.run.ettr_frac": 64 / 88,
    "training_jobs.run.lost_frac": 0.1,
    "training_jobs.run.failures": 3,
    "training_jobs.run.cost_usd": 160.0,
    "fleets.azure.usd_per_productive_gpu_hour": None,
    "fleets.azure.uncovered_gpu_hours": 0.0,
    "fleets.lab.uncovered_gpu_hours": 0.0,
    "pools.chat.cost_usd": 0.8 * 6240,
    "pools.chat.cost_usd_per_day": 0.8 * 3120,
    "pools.api.cost_usd_per_message": 0.2 * 6240 / 96,
    "pools.api.rented_gpu_s_per_message": 20 * 48 * 3600 / 96,
    "cost.inference_usd": 6240.0,
    "cost.training_usd": 960.0,
    "cost.total_usd": 7200.0,
    # Azure: 130 an hour on 100 committed GPU-hours, 80 of them used; twice that at list prices.
    "contracts.azure-a100.billed_usd": 6240 + 48e-6,
    "contracts.azure-a100.list_usd": 12_480.0,
    "contracts.azure-a100.contracted_usd": 6240.0,
    "contracts.azure-a100.unused_usd": 0.0,
    "contracts.lab-a100.unused_usd": 960.0,
    "contracts.azure-a100.utilisation_frac": 0.8,
    "contracts.lab-a100.utilisation_frac": None,
    "contracts.azure-a100.savings_rate_frac": 0.0,
    "contracts.azure-a100.list_savings_rate_frac": 0.5,
    "contracts.azure-a100.break_even_frac": 1.30 / (6240 / (48 * 80)),
    "contracts.azure-a100.remaining_usd": 953.0,
    "contracts.lab-a100.remaining_usd": None,
    "contracts.azure-a100.capital_charge_usd": None,
    "contracts.azure-a100.levelised_usd_per_gpu_hour": None,
    "fleets.azure.billed_usd": 6240 + 48e-6,
    "fleets.azure.usd_per_rented_gpu_hour": 1.30,
    "fleets.azure.usd_per_required_gpu_hour": 6240 / (1.25 * (46 * 72 + 88 + 96 + 480)),
    "fleets.azure.usd_per_busy_gpu_hour": 6240 / (48 * 82),
    "fleets.azure.covered_frac": 1.0,
    "fleets.lab.covered_frac": None,
    "fleets.azure.energy_kwh": 48 * 50.0,
    "fleets.azure.emissions_t_co2e": 48 * 0.020,
    "fleets.azure.peak_power_mw": 0.05,
    "traffic.plus.cost_usd": 48 * 65.0,
    "traffic.plus.shared_cost_usd": 48 * 100.0,
    "traffic.plus.cost_usd_per_1000_messages": 1000 * 100 / 9,
    "traffic.plus.cost_usd_per_million_tokens": 1e6 * 100 / 90,
    "cost.idle_usd": 48 * 39.0,
    "cost.list_usd": 14_400.0,
    "cost.contracted_usd": 7200.0,
    "cost.unused_usd": 960.0,
    "cost.savings_rate_frac": 0.0,
    "cost.list_savings_rate_frac": 0.5,
    "cost.capital_charge_usd": 0,
    "cost.billed_usd": 7200 + 48e-6,
    "cost.prepaid_usd": pytest.approx(48e-6, rel=1e-4),
    "cost.remaining_usd": 953.0,
    "budgets.rent.budget_usd": 6_000.0,
    "budgets.rent.spent_usd": 6_000.0,
    "budgets.rent.used_frac": 1.0,
    "budgets.rent.months_over": 1,
    "energy.total_kwh": 48 * 58.0,
    "energy.emissions_t_co2e": 48 * 0.0232,
    # One day of May (1/31 of the month) and one of June (1/30).
    "finance.revenue_usd": 3_000.0,
    "finance.revenue.plus_usd": 3_000.0,
    "finance.cost_usd": 2 * (3_120 + 480 + 500.0),
    "finance.cost.staff_usd": 1_000.0,
    "finance.net_result_usd": -5_200.0,
    "finance.net_loss_usd": 5_200.0,
    "finance.revenue_last_month_usd": 60_000.0,
    "finance.revenue_growth_ratio": (60_000 / 31_000) ** 12,
    "finance.burn_usd_per_month": (-500 + 5_500) / (1 / 31 + 1 / 30),
    "finance.cash_usd": -5_000.0,
    "finance.credits_usd": 7.0,
    "finance.prepaid_usd": 9.0,
    "finance.runway": "2024-06-01T06:00:00Z",
    "cost.elastic_bound_usd": 1.30 * 1.25 * (46 * 72 + 88 + 96 + 48 * 10),
}


def test_what_waits_at_the_end_of_a_window(run: Run) -> None:
    assert run.figure("traffic.plus.waiting_messages", end="2024-05-31T10:00Z") == 9 + 2
    assert run.figure("traffic.plus.waiting_messages", days="weekdays") == 23 + 2


def test_each_registered_figure_has_one_computation() -> None:
    assert list(COMPUTATIONS) == [figure.name for figure in FIGURES]


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(run: Run, name: str) -> None:
    expected = BY_HAND[name]
    found = run.figure(name)
    if isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-12)
    else:
        assert found == expected
    assert found == run.summary["figures"][name]


def test_every_registered_figure_is_checked_by_hand() -> None:
    found = [find_figure(name) for name in BY_HAND]
    assert {figure[0].name for figure in found if figure} == set(COMPUTATIONS)


def test_all_things_have_all_figures(run: Run) -> None:
    things = {"pool": 2, "fleet": 2, "class": 2, "contract": 3, "stream": 1, "cost": 1, "budget": 1,
              "job": 1, None: 1}
    assert len(run.summary["figures"]) == sum(things[figure.thing] for figure in FIGURES)


def test_finance_takes_the_months_that_begin_in_the_window(run: Run) -> None:
    assert run.figure("finance.revenue_usd", end="2024-06-01") == 1_000
    assert run.figure("finance.revenue_usd", start="2024-06-01") == 2_000
    assert run.figure("finance.revenue_usd", start="2024-05-31T01:00Z", end="2024-06-01") == 0
    assert run.figure("finance.revenue_growth_ratio", start="2024-06-01") is None
    assert run.figure("finance.cash_usd", end="2024-06-01") == 500
    # May earns more than it pays: nothing uses its cash up.
    assert run.figure("finance.runway", end="2024-06-01") is None


def test_a_run_without_finance_has_none_of_its_figures(tmp_path: Path) -> None:
    bare = write_run(tmp_path, replace(tiny_scenario(), finance=None), block_hours=0)
    assert bare.summary["finance"] is None
    assert not [name for name in bare.summary["figures"] if name.startswith("finance.")]


def test_windows(run: Run) -> None:
    peak = "pools.chat.peak_required_gpus"
    assert run.figure(peak, end="2024-06-01") == 90
    assert run.figure(peak, start="2024-06-01") == 120
    assert run.figure(peak, "2024-06-01T06:00Z", "2024-06-01T07:00Z") == 110
    assert run.figure(peak, days="weekdays") == 90
    assert run.figure(peak, days="weekends") == 120
    assert run.figure("pools.chat.stock_out_hours", "2024-06-01T07:00Z") == 1
    assert run.figure("contracts.azure-a100.cost_usd", days="weekends") == 24 * 130
    assert run.figure("traffic.plus.messages_per_day", end="2024-05-31T12:00Z") == 240
    assert run.figure(peak, "2020-01-01", "2030-01-01") == 120


@pytest.mark.parametrize(("name", "message"), [
    ("pools.chat.peak_loud_frac", "did you mean 'pools.chat.peak_load_frac'"),
    ("pools.chta.peak_load_frac", "no pool 'chta'; did you mean 'chat'"),
    ("pools.training.busy_frac", "no pool 'training'"),
    ("traffic.plsu.messages", "no class 'plsu'; did you mean 'plus'"),
])
def test_unknown_names(run: Run, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run.figure(name)


@pytest.mark.parametrize(("start", "end", "days", "message"), [
    ("2024-07-01", None, "all", "no recorded hour"),
    (None, "2024-06-01", "weekends", "no recorded hour"),
    ("summer", None, "all", "'summer' is no date"),
    (None, None, "mondays", "none of all, weekdays, weekends"),
])
def test_impossible_windows(run: Run, start: str, end: str, days: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run.figure("cost.total_usd", start, end, days)  # wrong on purpose


def test_work_without_gpus_is_an_endless_load(tmp_path: Path) -> None:
    blocks = tiny_blocks()
    gpus = blocks.gpus.copy()
    gpus[5, 1] = 0
    run = write_run(tmp_path, blocks=replace(blocks, gpus=gpus))
    assert run.figure("pools.api.peak_load_frac") is None
    assert run.figure("pools.api.stock_out_hours") == 1
    assert run.figure("pools.api.first_stock_out") == "2024-05-31T05:00:00Z"
    assert run.figure("pools.api.short_gpus_at_first_stock_out") == 10
    decision = run.summary["pools"]["api"]
    assert decision["work_without_gpus"] is True
    assert decision["peak_load_hour"] == "2024-05-31T05:00:00Z"


def test_no_gpus_and_no_work_is_no_load(tmp_path: Path) -> None:
    blocks = tiny_blocks()
    run = write_run(tmp_path, blocks=replace(blocks, gpus=np.zeros_like(blocks.gpus),
                                             offered=np.zeros_like(blocks.offered)))
    assert run.figure("pools.chat.peak_load_frac") == 0
    assert run.figure("pools.chat.stock_out_hours") == 0
    assert run.figure("fleets.azure.busy_frac") is None


def test_nobody_came(tmp_path: Path) -> None:
    run = write_run(tmp_path, replace(tiny_scenario(), published={}), block_hours=0)
    assert run.figure("traffic.plus.messages") == 0
    assert run.figure("traffic.plus.shed_frac") is None
    assert run.figure("traffic.plus.wait_p99_s") is None
    assert run.figure("pools.chat.cost_usd_per_message") is None
    assert run.figure("cost.total_usd") == 0
    assert run.figure("pools.chat.peak_load_frac") is None
    assert run.verify() == []


@pytest.mark.parametrize("figure", ["pools.chat.peak_required_gpus", "pools.chat.mean_required_gpus"])
def test_an_endless_figure_has_no_value(tmp_path: Path, figure: str) -> None:
    """JSON knows no infinity."""
    blocks = tiny_blocks()
    offered = blocks.offered.copy()
    offered[5, 0] = np.inf
    run = write_run(tmp_path, replace(tiny_scenario(), published={}, objectives=()),
                    replace(blocks, offered=offered))
    assert run.figure(figure) is None
    assert run.summary["figures"][figure] is None
    decision = run.summary["pools"]["chat"]
    assert (decision["peak_required_gpus"], decision["peak_required_minus_rented_gpus"],
            decision["short_gpus_at_first_stock_out"]) == (None, None, None)


def test_elastic_bound_needs_a_price() -> None:
    """Nothing is charged to the fleet that is needed, so it has no mean price."""
    things = Things(roles={"azure": "serving"}, pools=[], classes={}, contracts={}, metered=frozenset())
    facts = Facts(None, things, Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 2, tzinfo=UTC)))
    facts.__dict__.update(capacity={("azure", "chat"): {"required_gpu_hours": 5.0}}, clauses={}, cost={})
    assert COMPUTATIONS["cost.elastic_bound_usd"](facts, "") is None
    facts.__dict__.update(clauses={("c", "azure", "used"): {"gpu_hours": 4.0}},
                          cost={("c", "azure"): {"effective_usd": 8.0}})
    assert COMPUTATIONS["cost.elastic_bound_usd"](facts, "") == 10.0
