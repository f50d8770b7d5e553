"""What the base scenarios say, from their tables, against the articles and closed forms."""

from datetime import datetime

import pytest
from preset_runs import Preset, required_on_weekday_peaks, value

EARLY_SUMMER = ("horizon.start=2024-05-13", "horizon.end=2024-06-15")
"""The five weeks over which the article's fleet is compared."""
EFFICIENCY = 0.30
RATES = {  # benchmark prefill and decode tokens per second and A100
    "gpt35": (312e12 * 0.45 / 40e9, 500.0),
    "gpt4o": (312e12 * 0.40 / 200e9, 160.0),
    "gpt4t": (312e12 * 0.40 / 560e9, 57.0),
}
CHATGPT = {  # share of the messages, model, calls a message, prompt and output tokens
    "free_text": (0.585, "gpt35", 1.1, 1_100, 300),
    "free_4o": (0.050, "gpt4o", 1.1, 1_500, 350),
    "plus": (0.285, "gpt4t", 1.2, 2_700, 400),
    "team_ent": (0.050, "gpt4t", 1.3, 3_200, 420),
    "tools_mm": (0.030, "gpt4t", 2.5, 4_000, 500),
}


def gpu_s_per_message(*, prompts: float = 1.0, calls: float = 1.0) -> float:
    """Work of the mean ChatGPT message with prompts and calls changed by factors."""
    total = 0.0
    for share, model, calls_each, prompt, output in CHATGPT.values():
        prefill, decode = RATES[model]
        total += share * calls * calls_each * (prompts * prompt / prefill + output / decode) / EFFICIENCY
    return total


def test_required_gpus_are_those_of_the_article(preset: Preset) -> None:
    run = preset("openai-2024")
    assert required_on_weekday_peaks(run, "chatgpt") == pytest.approx(290_000, rel=0.03)
    assert required_on_weekday_peaks(run, "api") == pytest.approx(60_000, rel=0.03)
    assert value(run, "select max(required_gpu_hours) from fact_capacity_hourly "
                      "where pool = 'chatgpt'") < 295_000  # fmt: skip


def test_the_fleet_is_busy_58_to_66_percent_in_the_second_quarter(preset: Preset) -> None:
    busy = value(preset("openai-2024"), """
        select sum(busy_gpu_hours) / sum(rented_gpu_hours) from fact_capacity_hourly
        where fleet = 'azure-inference' and hour >= '2024-04-01' and hour < '2024-07-01'""")
    assert 0.58 <= busy <= 0.66


def test_rent_of_the_year(preset: Preset) -> None:
    run = preset("openai-2024")
    bill = "select sum(effective_usd) from fact_cost_hourly where fleet = '{}'"
    assert value(run, bill.format("azure-inference")) == 350_000 * 8_784 * 130 // 100
    assert float(value(run, bill.format("azure-training"))) == pytest.approx(3.0e9, rel=0.01)
    hours = value(run, "select count(distinct hour) from fact_cost_hourly")
    assert hours == 8_784


def test_the_training_rows_stand_beside_the_article(preset: Preset) -> None:
    """Three fleets in one run: the training fleet with its jobs, each gap with its reason."""
    run = preset("openai-2024")
    rows = {row["fact"]: row for row in run.summary["published"]}
    assert rows["S1-05"]["simulated"] == pytest.approx(3.0e9, rel=0.01)
    assert rows["S1-26"]["simulated"] == 120_000
    for name in ("gpt-4-run-days", "gpt-4-run-cost", "final-run-cost"):
        assert rows[name]["simulated"] is not None
        assert rows[name]["note"]
    useful_days = 2.15e25 / (24_576 * 312e12 * 0.34) / 86_400
    ettr = run.summary["figures"]["training_jobs.gpt-4-class.ettr_frac"]
    assert rows["gpt-4-run-days"]["simulated"] == pytest.approx(useful_days / ettr, rel=1e-6)
    assert useful_days == pytest.approx(95.4, abs=0.1)
    held = value(run, "select sum(allocated_gpu_hours) from fact_capacity_hourly where pool = 'training'")
    jobs = value(run, "select sum(productive_gpu_hours + checkpointing_gpu_hours + lost_gpu_hours + "
                      "restarting_gpu_hours + blocked_gpu_hours) from fact_training_job")
    assert jobs == pytest.approx(held, rel=1e-9)


def test_twice_the_efficiency_halves_the_requirement(preset: Preset) -> None:
    services = ("gpt-35-turbo", "gpt-4-turbo", "gpt-4o", "gpt-4o-mini")
    doubled = [f"services.{name}.efficiency_frac={2 * EFFICIENCY}" for name in services]
    before = preset("contract-comparison", None, *EARLY_SUMMER)
    after = preset("contract-comparison", None, *EARLY_SUMMER, *doubled)
    for pool in ("chatgpt", "api"):
        ratio = required_on_weekday_peaks(after, pool) / required_on_weekday_peaks(before, pool)
        assert ratio == pytest.approx(0.5, rel=0.005)


def test_longer_prompts_and_more_calls_move_the_requirement_by_the_closed_form(preset: Preset) -> None:
    prompts = [f"traffic.{name}.prompt_tokens.mean={2 * prompt}"
               for name, (_, _, _, prompt, _) in CHATGPT.items()]
    calls = [f"traffic.{name}.calls_per_message={1.5 * each}" for name, (_, _, each, _, _) in CHATGPT.items()]
    before = required_on_weekday_peaks(preset("contract-comparison", None, *EARLY_SUMMER), "chatgpt")
    for settings, factors in ((prompts, {"prompts": 2.0}), (calls, {"calls": 1.5}),
                              (prompts + calls, {"prompts": 2.0, "calls": 1.5})):
        run = preset("contract-comparison", None, *EARLY_SUMMER, *settings)
        after = required_on_weekday_peaks(run, "chatgpt")
        closed_form = gpu_s_per_message(**factors) / gpu_s_per_message()
        assert after / before == pytest.approx(closed_form, rel=0.005), factors


def test_the_requirement_itself_is_the_closed_form(preset: Preset) -> None:
    """Peak rate of each day x work / (target load x availability); the curve is 449.9M to 451M a day."""
    availability = 6_330 / 6_354 * (1 - 0.0364)
    run = preset("contract-comparison", None, *EARLY_SUMMER)
    peak_per_s = 450.5e6 / 86_400 * 1.0542 * 1.30
    closed_form = peak_per_s * gpu_s_per_message() / (0.92 * availability)
    assert required_on_weekday_peaks(run, "chatgpt") == pytest.approx(closed_form, rel=0.005)


def test_february_2023_cost_what_semianalysis_says(preset: Preset) -> None:
    run = preset("chatgpt-2023")
    february = "hour >= '2023-02-01' and hour < '2023-03-01'"
    usd = float(value(run, f"select sum(effective_usd) from fact_cost_hourly where {february}"))
    queries = int(value(run, f"select sum(messages_arrived) from fact_traffic_hourly where {february}"))
    assert usd / 28 == pytest.approx(694_444, rel=0.01)
    assert 100 * usd / queries == pytest.approx(0.356, rel=0.01)


def test_no_hour_is_short_in_2024(preset: Preset) -> None:
    assert value(preset("openai-2024"), """
        select count(*) from (select hour, pool, sum(load_offered_gpu_hours) as offered,
                                     sum(load_capacity_gpu_hours) as capacity
                              from fact_capacity_hourly where pool <> 'training' group by hour, pool)
        where offered > capacity""") == 0


def test_rent_is_due_from_the_first_hour_to_the_last(preset: Preset) -> None:
    first, last = (value(preset("openai-2024"), f"select {end}(hour) from fact_cost_hourly")
                   for end in ("min", "max"))
    assert (first, last) == tuple(datetime.fromisoformat(f"{hour}:00+00:00").astimezone(first.tzinfo)
                                  for hour in ("2024-01-01T00", "2024-12-31T23"))
