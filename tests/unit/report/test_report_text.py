"""The summary as text: the decision first, everything readable at 100 columns."""

from pathlib import Path
from typing import Any

import pytest
from made_up_summary import made_up_summary

from fleetsim.report.table import plain_table
from fleetsim.report.text import summary_text

RUN = Path("results/made-up/0123456789abcdef")


@pytest.fixture
def short() -> str:
    return summary_text(made_up_summary(), RUN)


def lines_of(text: str, title: str) -> list[str]:
    """The lines of one table, title first."""
    lines = text.splitlines()
    start = lines.index(title)
    end = lines.index("", start) if "" in lines[start:] else len(lines)
    return lines[start:end]


def row(text: str, title: str, first: str) -> list[str]:
    """The cells of the row of one table that begins with `first`."""
    found = next(line for line in lines_of(text, title)[2:] if line.startswith(first))
    return [cell.strip() for cell in found.split("  ") if cell.strip()]


def test_the_decision_comes_first(short: str) -> None:
    titles = ["Decision", "Order dates", "Fleets, mean GPUs", "Traffic", "Cost, effective",
              "Published against simulated", "Objectives"]
    places = [short.splitlines().index(title) for title in titles]
    assert places == sorted(places)
    assert short.splitlines()[2] == "Decision"


def test_a_shortage_is_said_in_a_sentence_with_the_order_date(short: str) -> None:
    assert ("chatgpt runs short on 2024-03-13 15:00 UTC, by 103 GPUs, and requires 5,624 more than rented "
            "at its peak; order (offer more) by 2024-02-12 15:00.") in " ".join(short.split())


def test_no_shortage_is_said_too() -> None:
    text = summary_text(made_up_summary(short=False), RUN)
    assert "No pool runs short of GPUs." in text
    assert "Order dates" not in text


@pytest.mark.parametrize(("flag", "said"), [
    ("order_by_before_start",
     "the order (offer more) was due on 2024-02-12 15:00, before the horizon starts."),
    ("expired_by_then", "every offer had expired by the day on which it had to be ordered."),
])
def test_an_offer_that_cannot_help_gives_no_order_date(flag: str, said: str) -> None:
    summary = made_up_summary()
    summary["pools"]["chatgpt"]["offers"]["more"] |= {flag: True, "reason": "too late"}
    text = summary_text(summary, RUN)
    assert said in " ".join(text.split())
    assert row(text, "Order dates", "chatgpt")[-1] == "too late"


def test_the_latest_date_that_was_early_enough_is_named() -> None:
    summary = made_up_summary()
    offers = summary["pools"]["chatgpt"]["offers"]
    offers["slow"] = {**offers["more"], "order_by": "2024-01-05T15:00:00Z"}
    assert "order (offer more) by 2024-02-12 15:00" in " ".join(summary_text(summary, RUN).split())


def test_tables_hold_what_the_summary_holds(short: str) -> None:
    assert row(short, "Decision", "chatgpt") == [
        "chatgpt", "109.8 %", "2024-03-30 15:00", "87", "2024-03-13 15:00", "103", "34,624"]
    assert row(short, "Fleets, mean GPUs", "azure") == [
        "azure", "35,000", "33,600", "96.0", "33,600", "96.0", "20,794", "59.4", "$98.28M"]
    assert row(short, "Traffic", "free_text")[4:] == ["0.2", "72,424", "0", "0 s", "9.51 s"]
    assert row(short, "Cost, effective", "azure-a100") == [
        "azure-a100", "reserved", "azure", "75.60M", "$1.30", "96.0", "$98.28M"]
    assert row(short, "Cost, effective", "total") == ["total", "$132.0M"]
    assert row(short, "Published against simulated", "S1-04")[1:] == [
        "$98.00M", "$98.28M", "+0.3 %", "computed", "yes"]
    assert "1 of 2 computed facts agree" in short
    assert row(short, "Objectives", "cost.total_usd") == ["cost.total_usd <= 1e8", "$132.0M", "MISSED"]


def test_gpu_hours_that_cost_nothing_are_said() -> None:
    summary = made_up_summary()
    assert "no contract" not in summary_text(summary, RUN)
    summary["fleets"]["training"]["uncovered_gpu_hours"] = 25_920_000.0
    text = summary_text(summary, RUN)
    assert "25.92M GPU-hours of fleet training have no contract and cost $0." in text
    summary["contracts"] = {}
    assert "25.92M GPU-hours of fleet training have no contract and cost $0." in summary_text(summary, RUN)


def test_a_queue_that_never_clears_is_said(short: str) -> None:
    assert "still waiting" not in short
    summary = made_up_summary()
    summary["figures"]["traffic.plus.waiting_messages"] = 38_000
    assert "still waiting" not in summary_text(summary, RUN)
    summary["figures"]["traffic.plus.waiting_messages"] = 5_000_000
    text = summary_text(summary, RUN)
    assert row(text, "Traffic", "plus")[-3] == "5.000M"
    assert row(text, "Traffic", "all")[-1] == "5.000M"
    assert lines_of(text, "Traffic")[-1] == "  5.000M messages of plus are still waiting at the end."


@pytest.mark.parametrize(("gpus", "said"), [(5.43, "6 GPUs"), (0.2, "1 GPU"), (5 * (1 + 1e-15), "5 GPUs")])
def test_what_is_needed_is_rounded_up(gpus: float, said: str) -> None:
    summary = made_up_summary()
    summary["pools"]["chatgpt"] |= {"short_gpus_at_first_stock_out": gpus, "peak_required_gpus": gpus}
    text = summary_text(summary, RUN)
    assert f"by {said}, and" in " ".join(text.split())
    assert row(text, "Decision", "chatgpt")[-2:] == [said.split()[0]] * 2


def test_half_a_day_of_lead_time_is_no_whole_day(short: str) -> None:
    assert row(short, "Order dates", "chatgpt")[2] == "30"
    summary = made_up_summary()
    summary["pools"]["chatgpt"]["offers"]["more"]["lead_time_days"] = 0.5
    assert row(summary_text(summary, RUN), "Order dates", "chatgpt")[2] == "0.5"


def test_a_mixed_pool_says_in_what_it_counts(short: str) -> None:
    assert "are counted as" not in short
    summary = made_up_summary()
    summary["pools"]["chatgpt"]["mixed_gpus"] = True
    last = lines_of(summary_text(summary, RUN), "Decision")[-1]
    assert last == "  GPUs of chatgpt are counted as a100-80gb."


def test_facts_that_are_inputs_are_named_only_when_there_are(short: str) -> None:
    assert "1 of 2 computed facts agree; the other facts are inputs." in short
    summary = made_up_summary()
    summary["published"] = summary["published"][1:]
    assert "1 of 2 computed facts agree.\n" in summary_text(summary, RUN)


def test_a_time_that_never_comes() -> None:
    summary = made_up_summary()
    summary["objectives"] = [
        {"objective": "result:pools.api.first_stock_out >= 2024-03-01", "figure": "pools.api.first_stock_out",
         "operator": ">=", "value": "2024-03-01T00:00:00+00:00", "simulated": "never", "met": True}]
    assert row(summary_text(summary, RUN), "Objectives", "pools.api") == [
        "pools.api.first_stock_out >= 2024-03-01", "never", "met"]


def test_totals_come_last(short: str) -> None:
    assert [line.split()[0] for line in lines_of(short, "Cost, effective")[-7:-3]] == [
        "serving", "training", "total", "serving,"]


def test_cash_and_savings_stand_below_the_cost(short: str) -> None:
    assert [line.strip() for line in lines_of(short, "Cost, effective")[-3:]] == [
        "Billed $142.0M: $10.00M ahead of cost.",
        "Payments of $5.000M are still due when the horizon ends.",
        "67.5 % below list prices, $2.000M of unused commitments included."]


@pytest.mark.parametrize(("band", "written"), [
    ((0.58, 0.66), "58.0 % to 66.0 %"), ((None, 0.66), "<= 66.0 %"), ((0.58, None), ">= 58.0 %"),
])
def test_a_published_band_is_written_as_one(band: tuple[float | None, float | None], written: str) -> None:
    summary = made_up_summary()
    summary["published"][0] |= {"value": None, "low": band[0], "high": band[1], "simulated": 0.62,
                                "figure": "fleets.azure.busy_frac"}
    assert written in summary_text(summary, RUN)


def test_plain_text_is_ascii_without_colour_and_fits_100_columns(short: str) -> None:
    assert short.isascii()
    assert "\x1b" not in short
    assert max(len(line) for line in short.splitlines()) <= 100


def test_a_terminal_gets_colour_unless_it_asked_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[31m" in summary_text(made_up_summary(), RUN, terminal=True)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[31m" not in summary_text(made_up_summary(), RUN, terminal=True)


def test_names_are_never_taken_for_markup() -> None:
    summary: dict[str, Any] = made_up_summary()
    summary["pools"]["[red]pool[/red]"] = summary["pools"].pop("api")
    assert "[red]pool[/red]" in summary_text(summary, RUN)


def test_it_says_where_the_tables_are_and_what_to_type_next(short: str) -> None:
    assert f"Tables: {RUN}/tables (123,456 rows of Parquet)" in short
    assert f"fleetsim report {RUN} --plots results/made-up/plots" in short


def test_a_plain_table_is_as_wide_as_its_cells() -> None:
    table = plain_table(["name", "gpus"], [["azure", "35,000"], ["b", "1"]], [False, True])
    assert table.splitlines() == ["name     gpus", "-----  ------", "azure  35,000", "b           1"]
