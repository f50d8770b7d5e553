"""`fleetsim replay`: a small trace, its text and JSON, and what it says of wrong names."""

import json
from pathlib import Path

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
    assert all(word in outcome.out for word in ("TTFT", "TPOT", "E2E", "1 replicas, 8 GPUs", "Rejected"))


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
