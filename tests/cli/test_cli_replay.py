"""`fleetsim replay`: a small trace, its text and JSON, and what it says of wrong names."""

import json
from pathlib import Path

import pandas as pd
import pytest
from cli_command import Command

from fleetsim.spec.trace.canonical import read_trace

TRACE = """TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.0000000,1000,250
2023-11-16 18:25:46.0000000,1000,1
2023-11-16 18:35:46.0000000,1500000,10
"""


@pytest.fixture
def trace(fleetsim: Command, tmp_path: Path) -> Path:
    source, out = tmp_path / "calls.csv", tmp_path / "calls.parquet"
    source.write_text(TRACE)
    assert fleetsim("trace", "import", str(source), "--format", "azure-2023", "--out", str(out)).code == 0
    assert len(read_trace(out)) == 3
    return out


def words(trace: Path, *more: str) -> list[str]:
    return ["replay", str(trace), "--service", "llama-2-70b", "--gpu", "a100-80gb", "--replicas", "1",
            "--profile", "2026-engine", *more]


def test_requests_alone_take_the_time_of_the_law(fleetsim: Command, trace: Path) -> None:
    """1,000 prompt and 250 output tokens alone: TTFT 117.191 ms, TPOT 17.194625 ms, E2E 4.398652625 s."""
    outcome = fleetsim(*words(trace, "--json", "--usd-per-gpu-hour", "1.30", "--ttft-slo-s", "0.2"))
    found = json.loads(outcome.out)
    (requests,) = found["classes"].values()
    assert [requests[key] for key in ("arrived", "served", "rejected", "lost", "slo_met")] == [3, 2, 1, 0, 2]
    assert requests["tpot_s"]["p50"] == pytest.approx(0.017194625, rel=0.008)
    assert requests["e2e_s"]["p99"] == pytest.approx(4.398652625, rel=0.008)
    assert requests["ttft_s"]["p50"] == pytest.approx(0.117191, rel=0.008)
    assert found["active_gpu_s"] == pytest.approx(8 * (4.398652625 + 0.117191), rel=1e-9)
    assert found["gpu_s_per_request"] == pytest.approx(8 * 600.117191 / 2, rel=1e-9)
    assert found["usd_per_request"] == pytest.approx(found["gpu_s_per_request"] / 3_600 * 1.30)


def test_the_text_names_every_metric(fleetsim: Command, trace: Path) -> None:
    outcome = fleetsim(*words(trace))
    assert outcome.code == 0
    assert all(word in outcome.out for word in ("TTFT", "TPOT", "E2E", "1 replica, 8 GPUs", "Rejected"))
    assert "\n\n\n" not in outcome.out
    requests = next(line for line in outcome.out.splitlines() if line.startswith("requests  "))
    assert requests.split()[1:6] == ["3", "2", "1", "0", "-"]


@pytest.mark.parametrize(("option", "value", "said"), [
    ("--service", "llama-2-7b", "did you mean 'llama-2-70b'?"),
    ("--gpu", "a100", "did you mean 'a100-80gb'?"),
    ("--profile", "2025-engine", "'2026-engine'"),
    ("--replicas", "0", "greater than or equal to 1"),
])
def test_wrong_names_are_told(fleetsim: Command, trace: Path, option: str, value: str,
                              said: str) -> None:
    outcome = fleetsim(*words(trace), option, value)
    assert outcome.code == 2
    assert said in " ".join(outcome.err.split())


def test_a_file_that_is_no_trace(fleetsim: Command, tmp_path: Path) -> None:
    source = tmp_path / "calls.csv"
    source.write_text(TRACE)
    assert fleetsim(*words(source)).code == 2


def test_the_files_hold_every_request_and_every_tick(fleetsim: Command, trace: Path, tmp_path: Path) -> None:
    requests, series = tmp_path / "requests.parquet", tmp_path / "series.parquet"
    outcome = fleetsim(*words(trace, "--requests-out", str(requests), "--series-out", str(series),
                              "--series-s", "0.5", "--json"))
    assert json.loads(outcome.out)["files"] == {str(requests): 3, str(series): 2 * 1_200 + 1}
    rows = pd.read_parquet(requests)
    assert list(rows["outcome"]) == ["served", "served", "rejected"]
    assert list(rows["request"]) == [0, 1, 2]
    assert rows["ttft_s"][0] == pytest.approx(0.117191, abs=1e-12)
    assert rows["tpot_s"][0] == pytest.approx(0.017194625, abs=1e-12)
    assert rows["e2e_s"][0] == pytest.approx(4.398652625, abs=1e-12)
    assert list(rows["tpot_s"].isna()) == [False, True, True]
    assert list(rows["ttft_s"].isna()) == [False, False, True]
    assert list(rows["first_token_ns"].isna()) == [False, False, True]
    ticks = pd.read_parquet(series)
    assert list(ticks["time_s"][:3]) == [0.0, 0.5, 1.0]
    busy = ticks[ticks["batch"] > 0]
    assert list(busy["time_s"]) == [0.5 * tick for tick in range(1, 9)]
    assert set(busy["active_gpus"]) == {8}
    assert busy["kv_tokens"].is_monotonic_increasing
    assert busy["kv_tokens"].iloc[0] > 1_000


def test_one_request_in_two_and_no_half_files(fleetsim: Command, trace: Path, tmp_path: Path) -> None:
    out = tmp_path / "requests.parquet"
    assert fleetsim(*words(trace, "--requests-out", str(out), "--sample", "2")).code == 0
    assert list(pd.read_parquet(out)["request"]) == [0, 2]
    before = out.read_bytes()
    again = fleetsim(*words(trace, "--requests-out", str(out)))
    assert again.code == 2
    assert "--force replaces it" in again.err
    wrong = fleetsim(*words(trace, "--requests-out", str(out), "--force", "--warm-up-s", "1e7"))
    assert wrong.code == 2
    assert "leaves nothing of a trace" in wrong.err
    assert out.read_bytes() == before
    assert fleetsim(*words(trace, "--requests-out", str(out), "--force")).code == 0
    assert len(pd.read_parquet(out)) == 3
    assert [each.name for each in tmp_path.iterdir() if "partial" in each.name] == []


@pytest.mark.parametrize(("options", "said"), [
    (("--requests-out", "requests.csv"), "the name ends in .parquet"),
    (("--requests-out", "a.parquet", "--series-out", "a.parquet"), "give two names"),
    (("--load-frac", "0"), "a load is a number above 0"),
    (("--patience-s", "-1"), "--patience-s is above 0"),
    (("--series-s", "0"), "0.001"),
    (("--series-s", "2"), "add --series-out FILE"),
    (("--sample", "2"), "add --requests-out FILE"),
    (("--step-tokens", "256"), "add --prefill chunked"),
    (("--usd-per-gpu-hour", "inf"), "a price is 0 to 10,000 USD per GPU-hour, not inf"),
    (("--usd-per-gpu-hour", "nan"), "--usd-per-gpu-hour"),
    (("--replicas", "65537"), "65536"),
    (("--seed", str(2**63)), "9223372036854775807"),
])
def test_wrong_options_write_nothing(fleetsim: Command, trace: Path, tmp_path: Path,
                                     monkeypatch: pytest.MonkeyPatch, options: tuple[str, ...],
                                     said: str) -> None:
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    outcome = fleetsim(*words(trace, *options))
    assert outcome.code == 2
    assert said in " ".join(outcome.err.split())
    assert sorted(tmp_path.iterdir()) == before


def test_the_trace_itself_is_not_replaced(fleetsim: Command, trace: Path) -> None:
    before = trace.read_bytes()
    outcome = fleetsim(*words(trace, "--series-out", str(trace), "--force"))
    assert outcome.code == 2
    assert "is the trace that is read" in outcome.err
    assert trace.read_bytes() == before


def test_energy_rates_and_speed_are_told(fleetsim: Command, trace: Path) -> None:
    outcome = fleetsim(*words(trace, "--warm-up-s", "300"))
    text = " ".join(outcome.out.split())
    assert "Energy of the GPUs" in text
    assert "J per served request" in text
    assert "left out: warm-up 5 min 0 s with 1 served, drain" in text
    assert "requests per CPU-second" in outcome.err


@pytest.mark.parametrize("rows", [
    ["46.0000000,1000,20"], ["46.0000000,1000,20", "46.0000000,1000,20"],
    ["46.0000000,1500000,20", "56.0000000,1500000,20"],
])
def test_no_rates_of_an_instant_or_of_nothing(fleetsim: Command, tmp_path: Path, rows: list[str]) -> None:
    source, out = tmp_path / "calls.csv", tmp_path / "calls.parquet"
    source.write_text("\n".join([TRACE.splitlines()[0], *(f"2023-11-16 18:15:{row}" for row in rows)]))
    assert fleetsim("trace", "import", source, "--format", "azure-2023", "--out", out).code == 0
    assert json.loads(fleetsim(*words(out, "--json")).out)["steady"] is None
    text = fleetsim(*words(out)).out
    assert "Rates:" not in text
    assert "\n\n\n" not in text


def test_no_drain_where_the_last_request_is_rejected(fleetsim: Command, trace: Path) -> None:
    """The last of the three is longer than the KV cache, minutes after the others have ended."""
    found = json.loads(fleetsim(*words(trace, "--json")).out)
    assert found["steady"]["drain_s"] == 0
    assert found["classes"]["requests"]["slo_met"] is None


def test_a_resample_at_a_load(fleetsim: Command, trace: Path) -> None:
    found = json.loads(fleetsim(*words(trace, "--requests", "500", "--load-frac", "0.5", "--seed", "3",
                                       "--json")).out)
    assert found["offered_load_frac"] == pytest.approx(0.5)
    assert found["classes"]["requests"]["arrived"] == 500
