"""Latency of a run that knows it for some hours only: a request-level window of three of nine hours."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from fleetsim.output.latencies import read_latencies
from fleetsim.output.run import Run
from fleetsim.output.waits import percentile
from fleetsim.output.window import Window
from fleetsim.report.latency import latency
from fleetsim.report.text import summary_text
from fleetsim.runner import simulate
from fleetsim.spec.loader import from_source

LAW = {"step_ms": 40, "prefill_us_per_token": 100, "decode_us_per_sequence": 300, "kv_ns_per_token": 60,
       "kv_tokens": 1_000_000, "prefill_limit_tokens": 8_192}
INSIDE = {"start": "2024-01-01T03:00Z", "end": "2024-01-01T06:00Z"}
KEYS = [f"{metric}_p{q}_s" for metric in ("ttft", "tpot", "e2e") for q in (50, 99)]


def nine_hours(results: Path, windows: list[dict[str, str]]) -> Run:
    """A class with a limit on TTFT on a pool of five replicas, and one on another pool."""
    traffic = {"service": "large", "messages_per_day": 100_000, "prompt_tokens": {"mean": 600, "cv": 1.0},
               "output_tokens": {"mean": 150, "cv": 0.8}}
    return simulate(from_source({
        "fleetsim": 1, "name": "nine", "horizon": {"start": "2024-01-01", "end": "2024-01-01T09:00:00Z"},
        "fleets": {"azure": {"gpu": "a100-80gb", "provider": "azure",
                             "tranches": [{"date": "2024-01-01", "gpus": 80}]}},
        "pools": {name: {"fleets": {"azure": {"share_frac": 0.5}}} for name in ("chat", "batch")},
        "services": {"large": {"step_law": {"gpus": {"a100-80gb": LAW}}, "batching": {"max_batch": 16}}},
        "traffic": {"ask": {**traffic, "pool": "chat", "slo_ttft_s": 0.1},
                    "sort": {**traffic, "pool": "batch", "slo_ttft_s": 0.1}},
        "contracts": {"azure": {"kind": "reserved", "fleet": "azure", "usd_per_gpu_hour": 1.0}},
        "fidelity": {"windows": [{**window, "pools": ["chat"]} for window in windows]}}, Path()),
        seed=3, results=results)


@pytest.fixture(scope="module")
def part(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """With a window from 3 h to 6 h."""
    return nine_hours(tmp_path_factory.mktemp("part"), [INSIDE])


def figures(run: Run, **period: str) -> dict[str, Any]:
    """What is said of the latency of `ask`."""
    return {key: run.figure(f"traffic.ask.{key}", **period)
            for key in (*KEYS, "ttft_slo_met_frac", "latency_known_frac")}


def one(run: Run, query: str) -> Any:
    """The only value of a query."""
    return run.query(query).column(0)[0].as_py()


def test_figures_are_of_the_known_hours(part: Run) -> None:
    found, inside = figures(part), figures(part, **INSIDE)
    assert inside["latency_known_frac"] == 1
    assert {key: found[key] for key in (*KEYS, "ttft_slo_met_frac")} == {
        key: inside[key] for key in (*KEYS, "ttft_slo_met_frac")}
    rows = part.query("select latency_low_s, latency_high_s, sum(messages) from fact_latency_hourly where "
                      "metric = 'ttft' group by all order by 1").to_pydict()
    histogram = [(low, high, int(messages)) for low, high, messages in zip(*rows.values(), strict=True)]
    assert found["ttft_p99_s"] == percentile(histogram, 0.99)
    within = "sum(slo_ttft_met_count) / sum(messages_arrived)"
    known = "traffic_class = 'ask' and hour >= '2024-01-01T03:00Z' and hour < '2024-01-01T06:00Z'"
    assert 0.05 < found["ttft_slo_met_frac"] < 0.999
    assert found["ttft_slo_met_frac"] == pytest.approx(
        float(one(part, f"select {within} from fact_traffic_hourly where {known}")), rel=1e-12)
    served = one(part, f"select sum(messages_served) filter ({known}) / sum(messages_served) "
                       "from fact_traffic_hourly where traffic_class = 'ask'")
    assert found["latency_known_frac"] == pytest.approx(float(served), rel=1e-12)
    assert 0.2 < found["latency_known_frac"] < 0.5


def test_a_period_without_known_hours_has_no_figures(part: Run) -> None:
    found = figures(part, end="2024-01-01T03:00Z")
    assert found.pop("latency_known_frac") == 0
    assert set(found.values()) == {None}
    assert part.figure("traffic.sort.ttft_p50_s") is None
    half = figures(part, start="2024-01-01T05:00Z", end="2024-01-01T07:00Z")
    assert half["ttft_p50_s"] == part.figure("traffic.ask.ttft_p50_s", start="2024-01-01T05:00Z",
                                             end="2024-01-01T06:00Z")


def test_the_summary_says_of_how_much_it_speaks(part: Run, tmp_path: Path) -> None:
    table = latency(part.summary)
    share = 100 * part.summary["figures"]["traffic.ask.latency_known_frac"]
    assert [row[0] for row in table.rows] == ["ask"]
    assert table.lead == [
        f"Of the hours whose latency is known, which served {share:.1f} % of the messages of ask."]
    assert table.lead[0] in summary_text(part.summary, part.path)
    whole = nine_hours(tmp_path, [{"start": "2024-01-01T00:00Z", "end": "2024-01-01T09:00Z"}])
    assert figures(whole)["latency_known_frac"] == 1
    assert latency(whole.summary).rows
    assert latency(whole.summary).lead == []


def test_an_hour_that_is_counted_in_part_is_not_known(part: Run) -> None:
    """As when another service, of unknown latency, served some of the class's messages."""
    window = Window(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, 9, tzinfo=UTC))
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'")
    for name in ("fact_latency_hourly", "fact_traffic_hourly"):
        connection.register("rows", part.query(f"select * from {name}"))
        connection.execute(f"create table {name} as select * from rows")
    before = read_latencies(connection, window)["ask"]
    connection.execute("update fact_traffic_hourly set messages_served = messages_served + 1 "
                       "where hour = '2024-01-01T04:00Z' and traffic_class = 'ask'")
    after = read_latencies(connection, window)["ask"]
    (lost,) = connection.execute("select sum(messages)::bigint from fact_latency_hourly "
                                 "where hour = '2024-01-01T04:00Z' and metric = 'ttft'").fetchone() or (0,)
    assert lost > 0
    assert after.known_served == before.known_served - lost
    assert sum(messages for _, _, messages in after.histograms["e2e"]) == after.known_served
    assert after.met["ttft"] < before.met["ttft"]
    assert after.arrived["ttft"] < before.arrived["ttft"]
    assert after.arrived["tpot"] == 0
