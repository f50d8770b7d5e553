"""Traces from the command line: import, describe, fit, and how they fail."""

import json
from pathlib import Path

import pytest
from cli_command import Command

from fleetsim.spec.trace import read_trace

HEAD = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
AZURE = Path(__file__).parents[3] / "shared" / "data" / "azure-llm-inference-2023-conv.csv"


def azure_rows(count: int, days: int = 0) -> str:
    """Requests every 7 s, or spread over days."""
    step = days * 86_400 // count if days else 7
    at = [place * step for place in range(count)]
    return HEAD + "".join(
        f"2024-05-{10 + s // 86_400:02d} {s // 3_600 % 24:02d}:{s // 60 % 60:02d}:{s % 60:02d}.5+00:00,"
        f"{100 + s * 7 % 900},{10 + s * 3 % 90}\n" for s in at)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "calls.csv"
    path.write_text(azure_rows(200) + "2024-05-10 00:00:01,0,5\n2024-05-10 00:00:03+00:00,7,5\nx\n")
    return path


def test_import_says_what_became_of_every_row(fleetsim: Command, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "calls.parquet"
    done = fleetsim("trace", "import", source, "--format", "azure-2024", "--out", out, "--class", "chat")
    assert done.code == 0
    assert done.out == (f"{out}: 201 of 203 rows, 23 min 13 s, class chat\n"
                        "out of order, sorted in: 1\n")
    assert done.err == ("dropped 1 row, missing_columns: fewer cells than the header has columns\n"
                        "  calls.csv:204: x\n"
                        "dropped 1 row, zero_prompt: a prompt of no tokens\n"
                        "  calls.csv:202: 2024-05-10 00:00:01,0,5\n")
    assert len(read_trace(out)) == 201
    assert sorted(path.name for path in tmp_path.iterdir()) == ["calls.csv", "calls.parquet"]
    again = fleetsim("trace", "import", source, "--format", "azure-2024", "--out", out)
    assert (again.code, again.err) == (2, f"error: {out} exists; --force replaces it\n")
    forced = fleetsim("trace", "import", source, "--format", "azure-2024", "--out", out, "--force", "--json")
    data = json.loads(forced.out)
    assert (data["path"], data["dropped"]) == (str(out), {"missing_columns": 1, "zero_prompt": 1})
    assert data["bad_rows"]["missing_columns"] == [{"line": 204, "value": "x"}]


def test_generic_columns(fleetsim: Command, tmp_path: Path) -> None:
    source, out = tmp_path / "own.csv", tmp_path / "own.parquet"
    source.write_text("when,in,out,who\n0.5,10,20,web\n1.25,30,40,app\n")
    words = ("trace", "import", source, "--format", "generic", "--out", out, "--time-column", "when",
             "--prompt-column", "in", "--output-column", "out", "--class-column", "who", "--time-unit", "s")
    assert fleetsim(*words).out == f"{out}: 2 of 2 rows, 0.750 s, 2 classes: web 1, app 1\n"
    assert read_trace(out).arrival_ns.tolist() == [0, 750_000_000]


@pytest.mark.parametrize(("words", "said"), [
    (["--format", "azure24"], "unknown trace format 'azure24' (did you mean 'azure-2024'?)"),
    (["--format", "generic", "--time-column", "at", "--prompt-column", "n", "--output-column", "n"],
     "--prompt-column and --output-column are both 'n'"),
    (["--format", "generic"], "--format generic needs --time-column, --prompt-column, --output-column"),
    (["--format", "burstgpt", "--time-unit", "s"], "--time-unit is for --format generic"),
    (["--format", "burstgpt"], "calls.csv:1: error: the header has no column 'Timestamp' of format burstgpt "
                               "(its columns are those of --format azure-2023)"),
    (["--format", "mooncake"], "calls.csv:1: error: no row can be used"),
])
def test_what_cannot_be_imported_is_bad_input(fleetsim: Command, source: Path, tmp_path: Path,
                                              words: list[str], said: str) -> None:
    done = fleetsim("trace", "import", source, "--out", tmp_path / "x.parquet", *words, "--json")
    assert done.code == 2
    assert said in done.err
    error = json.loads(done.out)["error"]
    assert (error["kind"], error["exit_code"]) == ("UsageError", 2)
    assert [path.name for path in tmp_path.iterdir()] == ["calls.csv"]


def test_a_trace_goes_into_a_parquet_file_beside_its_source(fleetsim: Command, source: Path,
                                                            tmp_path: Path) -> None:
    words = ("trace", "import", source, "--format", "azure-2024", "--out")
    assert "ends in .parquet" in fleetsim(*words, tmp_path / "x.csv").err
    named = source.rename(tmp_path / "calls.parquet")
    over = fleetsim("trace", "import", named, "--format", "azure-2024", "--out", named, "--force")
    assert (over.code, named.read_text()[:9]) == (2, "TIMESTAMP")
    assert "is the file that is read" in over.err


def test_describe(fleetsim: Command, source: Path, tmp_path: Path) -> None:
    out = tmp_path / "calls.parquet"
    fleetsim("trace", "import", source, "--format", "azure-2024", "--out", out)
    shown = fleetsim("trace", "describe", out, "--plots", tmp_path / "plots")
    assert shown.code == 0, shown.err
    assert "calls.csv (azure-2024): 201 requests in 23 min 13 s, from 2024-05-10T00:00:00Z" in shown.out
    assert shown.out.endswith(f"{tmp_path / 'plots' / 'trace.png'}\n")
    assert (tmp_path / "plots" / "trace.png").read_bytes().startswith(b"\x89PNG")
    data = json.loads(fleetsim("trace", "describe", out, "--json").out)
    assert (data["requests"], data["span_s"], data["classes"]) == (201, 1393, [])
    assert data["metadata"]["out_of_order"] == 1
    assert fleetsim("trace", "describe", source).code == 2


@pytest.mark.parametrize("days", [0, 4])
def test_a_fit_passes_check_when_it_is_pasted(fleetsim: Command, tmp_path: Path, days: int) -> None:
    source, out, plan = tmp_path / "calls.csv", tmp_path / "calls.parquet", tmp_path / "plan.yaml"
    source.write_text(azure_rows(1_000, days))
    fleetsim("trace", "import", source, "--format", "azure-2024", "--out", out, "--class", "measured")
    done = fleetsim("trace", "fit", out)
    assert done.code == 0, done.err
    assert ("    anchors:\n" in done.out) == bool(days)
    assert "KS distance 0." in done.out
    fleetsim("new", plan)
    pasted = "traffic:\n" + "".join(f"  {line}\n" for line in done.out.splitlines())
    plan.write_text(plan.read_text().replace("traffic:\n", pasted))
    checked = fleetsim("check", plan)
    assert (checked.code, checked.err) == (0, "")
    assert "3 traffic classes" in checked.out
    data = json.loads(fleetsim("trace", "fit", out, "--json").out)
    assert data["yaml"] == done.out
    assert data["class_name"] == "measured"


def test_help_is_there(fleetsim: Command) -> None:
    assert fleetsim("trace", "--help").code == 0
    for verb in ("import", "describe", "fit"):
        assert "--json" in fleetsim("trace", verb, "--help").out


@pytest.mark.skipif(not AZURE.is_file(), reason=f"the public trace {AZURE.name} is not beside the checkout")
def test_the_azure_conversation_trace(fleetsim: Command, tmp_path: Path) -> None:
    out = tmp_path / "conv.parquet"
    assert fleetsim("trace", "import", AZURE, "--format", "azure-2023", "--out", out).code == 0
    data = json.loads(fleetsim("trace", "describe", out, "--json").out)
    assert (data["requests"], round(data["span_s"], 2), round(data["gap_cv"], 2)) == (19_366, 3_501.72, 1.09)
    prompt, output = data["prompt_tokens"], data["output_tokens"]
    assert (prompt["p50"], prompt["p99"], prompt["max"]) == (1_020, 4_142, 14_050)
    assert (output["p50"], output["p99"], output["max"]) == (129, 601, 1_000)
    assert (round(prompt["mean"], 1), round(output["mean"], 1)) == (1_154.7, 211.1)
    assert (prompt["total"], output["total"]) == (22_361_870, 4_088_665)
    assert data["dispersion_60s"] > 10, "its rate moves: far from Poisson"
    assert "burstier than that" in fleetsim("trace", "fit", out).out


def test_calls_at_a_regular_beat_are_not_called_bursty(fleetsim: Command, tmp_path: Path) -> None:
    source, out = tmp_path / "calls.csv", tmp_path / "calls.parquet"
    source.write_text(azure_rows(300))
    fleetsim("trace", "import", source, "--format", "azure-2024", "--out", out)
    assert "burstier" not in fleetsim("trace", "fit", out).out
    groups = (f"2024-05-10 00:{place // 10:02d}:00.{place % 10}Z,5,5\n" for place in range(300))
    source.write_text(HEAD + "".join(groups))
    fleetsim("trace", "import", source, "--format", "azure-2024", "--out", out, "--force")
    assert "burstier" in fleetsim("trace", "fit", out).out
