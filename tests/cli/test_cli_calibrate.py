"""`fleetsim calibrate`: a table, its text and JSON, a run that reads it, and what it says of wrong input."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli_command import Command, command

from fleetsim.model.latency_table import FULL
from fleetsim.spec.latency_file import COLUMNS, read_latency_table

SCENARIO = """
fleetsim: 1
name: served
horizon: {start: 2024-01-01, end: 2024-01-03}
fleets: {a: {gpu: a100-80gb, provider: azure, tranches: [{date: 2024-01-01, gpus: 80}]}}
pools: {p: {fleets: {a: {share_frac: 1.0}}}}
services:
  llama:
    step_law: {model: llama-2-70b, profile: 2023-engine}
    batching: {max_batch: 64}
    latency_table: tables/llama.parquet
  rated: {gpu_s_per_call: 1}
traffic:
  chat:
    pool: p
    service: llama
    messages_per_day: 1.2e6
    prompt_tokens: {mean: 800, cv: 0.5}
    output_tokens: {mean: 200, cv: 0.5}
    slo_ttft_s: 0.5
    slo_tpot_s: 0.2
  other: {pool: p, service: rated, messages_per_day: 1e5, prompt_tokens: {mean: 1}, output_tokens: {mean: 1},
          slo_ttft_s: 0.5}
contracts: {a: {kind: reserved, fleet: a, usd_per_gpu_hour: 2}}
"""
QUICK = ("--loads", "0.2,0.6,0.9", "--replicas", "1,8", "--requests", "1000")


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "served.yaml"
    path.write_text(SCENARIO)
    return path


@pytest.fixture
def table(fleetsim: Command, scenario: Path) -> Path:
    path = scenario.parent / "tables" / "llama.parquet"
    outcome = fleetsim("calibrate", "llama", "--in", scenario, "-o", path, *QUICK, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    found = json.loads(outcome.out)
    assert found["mix"] == {"chat": 1.0}
    assert found["gpus"]["a100-80gb"]["measured_rps"] == pytest.approx(
        found["gpus"]["a100-80gb"]["formula_rps"], rel=0.05)
    assert [(each["replicas"], each["load_frac"]) for each in found["points"]] == [
        (1, 0.2), (1, 0.6), (1, 0.9), (8, 0.2), (8, 0.6), (8, 0.9), (1, None)]
    return path


def test_the_file_has_what_was_measured_and_with_what(table: Path) -> None:
    import pyarrow.parquet as pq

    assert tuple(pq.read_schema(table).names) == COLUMNS
    found = read_latency_table(table)
    assert (found.service, found.profile, found.requests) == ("llama", "2023-engine", 1_000)
    assert found.replicas_of["a100-80gb"].law.step_ms == 43.7
    assert all(800 < point.requests() < 1_200 for point in found.points)
    assert all(point.requests("e2e") == point.requests() for point in found.points)
    assert found.points[-1].load_frac == FULL
    assert 0 < found.spread_s["a100-80gb"]["chat"] < 1


def test_the_same_seed_gives_the_same_bytes(fleetsim: Command, scenario: Path, table: Path) -> None:
    again, other = (table.with_name(f"{name}.parquet") for name in ("again", "other"))
    for path, seed in ((again, 0), (other, 1)):
        assert fleetsim("calibrate", "llama", "--in", scenario, "-o", path, *QUICK, "--seed", seed).code == 0
    assert again.read_bytes() == table.read_bytes()
    assert other.read_bytes() != table.read_bytes()


def test_the_text_shows_saturation_and_loads(fleetsim: Command, scenario: Path) -> None:
    outcome = fleetsim("calibrate", "llama", "--in", scenario, "-o", scenario.parent / "t.parquet", *QUICK)
    assert all(words in outcome.out for words in (
        "By the formula", "Measured", "chat on a100-80gb", "TTFT p99", "full", "1,000 requests counted"))


def test_a_run_reads_the_table(fleetsim: Command, scenario: Path, table: Path) -> None:
    results = scenario.parent / "results"
    outcome = fleetsim("run", scenario, "--results", results, "--json")
    assert outcome.code == 0
    figures = json.loads(outcome.out)["figures"]
    low, high = (dict(zip(("p50", "p99"), times, strict=True))
                 for times in ((0.12, 0.15), (0.35, 0.7)))
    assert low["p50"] < figures["traffic.chat.ttft_p50_s"] < high["p50"]
    assert low["p99"] < figures["traffic.chat.ttft_p99_s"] < high["p99"]
    assert 0.05 < figures["traffic.chat.tpot_p50_s"] < figures["traffic.chat.tpot_p99_s"] < 0.12
    assert 0.8 < figures["traffic.chat.ttft_slo_met_frac"] < 1
    assert figures["traffic.chat.tpot_slo_met_frac"] == 1
    assert {figures[f"traffic.other.{name}"] for name in (
        "ttft_p50_s", "ttft_p99_s", "tpot_p50_s", "e2e_p99_s", "ttft_slo_met_frac")} == {None}
    shown = fleetsim("show", "served", "--results", results).out
    rows = shown.split("Latency of served messages")[1].split("\n\n")[0]
    assert "chat" in rows
    assert "other" not in rows
    assert fleetsim("verify", "served", "--results", results).code == 0


def test_the_table_is_part_of_the_run_id(fleetsim: Command, scenario: Path, table: Path) -> None:
    runs = []
    for seed in (0, 1):
        assert fleetsim("calibrate", "llama", "--in", scenario, "-o", table, *QUICK, "--force", "--seed",
                        seed).code == 0
        runs.append(json.loads(fleetsim("run", scenario, "--results", scenario.parent / "results",
                                        "--json").out)["run_id"])
    assert runs[0] != runs[1]


@pytest.mark.parametrize(("change", "said"), [
    ("services.llama.batching.max_batch=32", "measured with batching.max_batch 64, not 32"),
    ("services.llama.step_law.profile=2026-engine", "measured with profile 2023-engine, not 2026-engine"),
    ("services.llama.routing=round_robin", "measured with routing join_shortest_queue, not round_robin"),
    ("traffic.chat.output_tokens.mean=300", "'chat' was measured with output_tokens.mean 200.0, not 300.0"),
    ("traffic.chat.patience_s=30", "'chat' was measured with patience_s none, not 30.0"),
    ("traffic.chat.prefix_cached_frac=0.5", "prefix_cached_frac 0.0, not 0.5"),
    ("traffic.other.service=llama", "'other' is not in its mix"),
    ("traffic.chat.service=rated", "'chat' of its mix does not use"),
    ("fleets.a.gpu=h100-80gb", "no rows of gpu type 'h100-80gb'"),
    ("services.llama.latency_table=tables/lama.parquet", "no such file"),
    ("services.rated.latency_table=tables/llama.parquet", "step law only"),
])
def test_a_table_of_something_else_is_refused(fleetsim: Command, scenario: Path, table: Path, change: str,
                                              said: str) -> None:
    assert fleetsim("check", scenario).code == 0
    outcome = fleetsim("check", scenario, "--set", change)
    assert outcome.code == 2
    assert said in " ".join(outcome.err.split())


def test_a_file_that_is_no_table_is_told_with_its_line(fleetsim: Command, scenario: Path,
                                                       table: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"a": [1]}), table)
    outcome = fleetsim("check", scenario)
    assert outcome.code == 2
    assert "served.yaml:11:" in outcome.err
    assert "no latency table" in outcome.err
    table.write_bytes(b"nothing")
    assert "[bad-file]" in fleetsim("check", scenario).err


@pytest.mark.parametrize(("words", "said"), [
    (("lama",), "did you mean 'llama'?"),
    (("rated",), "service 'rated' has no step law"),
    (("llama", "--loads", "0.2,x"), "--loads takes numbers"),
    (("llama", "--loads", "1.2"), "loads lie from 0.001"),
    (("llama", "--loads", "1"), "at least one of them below 1"),
    (("llama", "--loads", "1e-9,0.5"), "loads lie from 0.001"),
    (("llama", "--loads", "nan,0.5"), "loads lie from 0.001"),
    (("llama", "--loads", "0.9999", "--requests", "1000"), "give a load of at most 0.9"),
    (("llama", "--replicas", "0"), "replicas are whole numbers from 1 to 65,536"),
    (("llama", "--replicas", "65537"), "replicas are whole numbers from 1 to 65,536"),
    (("llama", "--replicas", "1.5"), "--replicas takes whole numbers"),
    (("llama", "--requests", "10"), "100"),
])
def test_bad_input_writes_nothing(fleetsim: Command, scenario: Path, words: tuple[str, ...],
                                  said: str) -> None:
    out = scenario.parent / "out" / "t.parquet"
    outcome = fleetsim("calibrate", *words, "--in", scenario, "-o", out)
    assert outcome.code == 2
    assert said in " ".join(outcome.err.split())
    assert not out.exists()


def test_a_table_is_not_replaced_unless_asked(fleetsim: Command, scenario: Path, table: Path) -> None:
    before = table.read_bytes()
    outcome = fleetsim("calibrate", "llama", "--in", scenario, "-o", table, *QUICK, "--seed", "5")
    assert (outcome.code, table.read_bytes()) == (2, before)
    assert "--force replaces it" in outcome.err
    assert fleetsim("calibrate", "llama", "--in", scenario, "-o", scenario.parent / "t.csv").code == 2


def test_ctrl_c_leaves_nothing_behind(scenario: Path) -> None:
    out = scenario.parent / "out"
    words = command("calibrate", "llama", "--in", scenario, "-o", out / "t.parquet", "--requests", "10000000")
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          preexec_fn=_heed_ctrl_c) as running:
        for _ in range(600):
            if out.is_dir() and any(out.iterdir()):
                break
            time.sleep(0.05)
        time.sleep(0.5)
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 130
    assert list(out.iterdir()) == []


def _heed_ctrl_c() -> None:
    """A shell's background jobs ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setpgrp()
