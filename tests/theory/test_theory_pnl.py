"""The P&L of the scenarios that ship, against arithmetic on what their files and articles say."""

from datetime import UTC, datetime

import pytest
from preset_runs import Preset, value

from fleetsim.output.run import Run
from fleetsim.units import as_utc

REVENUE_2024 = [156, 167, 195, 221, 250, 283, *(1.132 * month for month in (291, 300, 329, 360, 407, 458))]
"""$M a month, as published and scaled."""


def figure(run: Run, name: str, start: str | None = None, end: str | None = None) -> float:
    found = run.figure(name, start, end)
    assert isinstance(found, float)
    return found


def test_openai_2024_is_the_article(preset: Preset) -> None:
    run = preset("openai-2024")
    assert figure(run, "finance.cost_usd") == pytest.approx(8.5e9, rel=0.001)
    assert figure(run, "finance.cost.staff_usd") == 1_500 * 1.0e6
    assert figure(run, "finance.revenue_usd") == pytest.approx(sum(REVENUE_2024) * 1e6, rel=0.002)
    assert 4.0e9 <= figure(run, "finance.net_loss_usd") <= 5.0e9
    assert figure(run, "finance.net_loss_usd") == -figure(run, "finance.net_result_usd")
    assert figure(run, "finance.revenue_usd", "2024-06-01", "2024-07-01") == pytest.approx(283e6, rel=0.005)
    assert run.summary["finance"]["runway_basis"] is None


def test_its_revenue_follows_the_published_curve(preset: Preset) -> None:
    run = preset("openai-2024")
    months = run.query("select sum(accrual_usd) as usd from fact_pnl_monthly where section = 'revenue' "
                       "group by month order by month").to_pylist()
    # API tokens are served by the day; the curve has months of one length.
    assert [float(row["usd"]) / 1e6 for row in months] == pytest.approx(REVENUE_2024, rel=0.025)


def test_api_revenue_is_tokens_at_list_price(preset: Preset) -> None:
    run = preset("openai-2024")
    for stream, name, prompt, output in (("api-gpt4", "api_gpt4", 10, 30), ("api-35", "api_35", 0.5, 1.5)):
        by_hand = value(run, f"select (sum(prompt_tokens) * {prompt} + sum(output_tokens) * {output}) / 1e6 "
                             f"from fact_traffic_hourly where traffic_class = '{name}'")
        assert figure(run, f"finance.revenue.{stream}_usd") == pytest.approx(by_hand, rel=1e-9)


def test_every_line_says_whether_it_was_given(preset: Preset) -> None:
    roles = {line["line"]: line["role"] for line in preset("openai-2024").summary["finance"]["lines"]}
    assert roles == {
        "revenue/plus": "input", "revenue/team-enterprise": "input", "revenue/api-gpt4": "computed",
        "revenue/api-35": "computed", "revenue/api-other": "input", "revenue/microsoft-licence": "input",
        "compute/azure-inference": "computed", "compute/azure-training": "computed", "cost/staff": "input",
    }


def test_the_reported_split_loses_about_the_same(preset: Preset) -> None:
    article, reported = preset("openai-2024"), preset("openai-2024-reported")
    loss = figure(reported, "finance.net_loss_usd")
    assert loss == pytest.approx(figure(article, "finance.net_loss_usd"), rel=0.01)
    assert figure(reported, "cost.inference_usd") == pytest.approx(
        figure(article, "cost.inference_usd") / 2, rel=1e-9)
    assert figure(reported, "finance.cost.other-research-compute_usd") == pytest.approx(2.0e9, rel=1e-6)


def test_a_dearer_plus_loses_payers_and_their_messages(preset: Preset) -> None:
    base, dearer = preset("openai-2024"), preset("price-rise")
    second_half = ("2024-07-01", "2025-01-01")
    payers = (25 / 20) ** -0.5
    assert figure(dearer, "finance.revenue.plus_usd", *second_half) == pytest.approx(
        figure(base, "finance.revenue.plus_usd", *second_half) * payers * 25 / 20, rel=1e-12)
    for name, ratio in (("plus", payers), ("tools_mm", payers), ("team_ent", 1.0), ("free_text", 1.0)):
        assert figure(dearer, f"traffic.{name}.messages_per_day", *second_half) == pytest.approx(
            figure(base, f"traffic.{name}.messages_per_day", *second_half) * ratio, rel=1e-6)
        assert figure(dearer, f"traffic.{name}.messages_per_day", None, "2024-07-01") == figure(
            base, f"traffic.{name}.messages_per_day", None, "2024-07-01")


def runway(run: Run) -> datetime:
    assert run.summary["finance"]["runway_basis"] == "extrapolated"
    return as_utc(str(run.figure("finance.runway")))


def test_both_readings_of_the_540_million(preset: Preset) -> None:
    by_month, by_year = (preset("chatgpt-2023", name) for name in ("loss-a-month", "loss-a-year"))
    may = datetime(2023, 6, 1, tzinfo=UTC)
    # $10B / $540M is 18.5 months, "bankrupt by the end of 2024"; or 18.5 years; before, $0.13B goes.
    assert (runway(by_month) - may).days / 30.4375 == pytest.approx(18.5, abs=0.35)
    assert (runway(by_year) - may).days / 365.25 == pytest.approx(18.5, abs=0.35)
    assert runway(by_month).year == 2024
    for run, loss in ((by_month, 540e6), (by_year, 45e6)):
        months = figure(run, "finance.net_loss_usd", "2023-06-01", "2024-01-01") / 7
        assert months == pytest.approx(loss, rel=2e-4)


def test_the_year_2023_as_reported(preset: Preset) -> None:
    run = preset("chatgpt-2023")
    assert figure(run, "finance.revenue_usd") == pytest.approx(
        1.2e6 * sum((21, 26, 33, 41, 52, 65, 82, 94, 108, 125, 145)))
    serving = figure(run, "cost.inference_usd")
    others = 11 * (125e6 + 0.5e9 / 12 + 1e6)
    assert figure(run, "finance.cost_usd") == pytest.approx(serving + others, rel=1e-6)
    assert runway(run) > datetime(2030, 1, 1, tzinfo=UTC)


def test_anthropic_loses_more_the_more_amazon_keeps(preset: Preset) -> None:
    runs = {0.25: preset("anthropic-2024", "amazon-25"), 0.375: preset("anthropic-2024"),
            0.5: preset("anthropic-2024", "amazon-50")}
    gross = figure(runs[0.375], "finance.revenue.gross_usd")
    assert gross == pytest.approx(0.348e9, rel=0.005)
    for share, run in runs.items():
        assert figure(run, "finance.revenue.amazon_usd") == pytest.approx(-share * gross, rel=1e-9)
        assert figure(run, "finance.net_loss_usd") == pytest.approx(
            2.5e9 + 12 * 34.83e6 - (1 - share) * gross, rel=0.001)
    assert figure(runs[0.375], "finance.net_loss_usd") == pytest.approx(2.7e9, rel=0.001)
