"""Traces of jobs from the command line: import, describe, replay, and options of the other kind of trace."""

import json
from pathlib import Path

import pytest
from cli_command import Command

from fleetsim.spec.trace import read_jobs

ROWS = """job,when,size,ran,who,rank,waited
a,0,6,100,x,1,20
b,1,8,50,x,1,
c,2,2,90,y,0,10
d,3,0,90,y,0,10
e,4,1.5,90,y,,10
"""
COLUMNS = ("--format", "jobs", "--job-column", "job", "--time-column", "when", "--time-unit", "s",
           "--gpus-column", "size", "--duration-column", "ran", "--team-column", "who", "--priority-column",
           "rank", "--queue-column", "waited")
CALLS = "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.0,1000,250\n"


@pytest.fixture
def jobs(fleetsim: Command, tmp_path: Path) -> Path:
    source, out = tmp_path / "jobs.csv", tmp_path / "jobs.parquet"
    source.write_text(ROWS)
    assert fleetsim("trace", "import", source, *COLUMNS, "--out", out).code == 0
    return out


@pytest.fixture
def calls(fleetsim: Command, tmp_path: Path) -> Path:
    source, out = tmp_path / "calls.csv", tmp_path / "calls.parquet"
    source.write_text(CALLS)
    assert fleetsim("trace", "import", source, "--format", "azure-2023", "--out", out).code == 0
    return out


def test_import_says_what_became_of_every_job(fleetsim: Command, jobs: Path, tmp_path: Path) -> None:
    again = ("trace", "import", tmp_path / "jobs.csv", *COLUMNS, "--out", jobs)
    assert fleetsim(*again).err == f"error: {jobs} exists; --force replaces it\n"
    done = fleetsim(*again, "--force")
    assert done.out == (f"{jobs}: 4 of 5 jobs, 0.3778 GPU-hours, submitted in 4.00 s, 2 teams\n"
                        "outcomes: unknown 4\n"
                        "1 job: a fraction of a GPU is asked for, and whole ones are held\n")
    assert done.err == "dropped 1 row, no_gpu: no GPU: a job of CPUs alone\n  jobs.csv:5: d,3,0,90,y,0,10\n"
    data = json.loads(fleetsim(*again, "--force", "--json").out)
    assert (data["path"], data["kept"], data["remarks"]) == (str(jobs), 4, {"fraction": 1})
    assert read_jobs(jobs).job_id == ("a", "b", "c", "e")


@pytest.mark.parametrize(("words", "said"), [
    (["--format", "jobs"], "--format jobs needs --time-column, --gpus-column, --duration-column"),
    (["--format", "jobs", "--time-column", "at", "--gpus-column", "n", "--duration-column", "n"],
     "--gpus-column and --duration-column are both 'n'"),
    (["--format", "helios", "--gpus-column", "g"], "--gpus-column is for --format jobs; helios knows its"),
    (["--format", "generic", "--gpus-column", "g"], "--gpus-column is for --format jobs; generic has other"),
    (["--format", "jobs", "--prompt-column", "g"], "--prompt-column is for --format generic; jobs has other"),
    (["--format", "helios", "--time-unit", "s"], "--time-unit is for --format generic or jobs"),
    (["--format", "acme", "--class", "a"], "--class is for requests; acme is a format of jobs"),
    (["--format", "phily"], "unknown trace format 'phily' (did you mean 'philly'?)"),
    (["--format", "acme"], "jobs.csv:1: error: the header has no column 'job_id' of format acme"),
])
def test_what_cannot_be_imported_is_bad_input(fleetsim: Command, jobs: Path, tmp_path: Path, words: list[str],
                                              said: str) -> None:
    done = fleetsim("trace", "import", tmp_path / "jobs.csv", "--out", tmp_path / "x.parquet", *words)
    assert done.code == 2
    assert said in done.err
    assert not (tmp_path / "x.parquet").exists()


def test_describe(fleetsim: Command, jobs: Path, tmp_path: Path) -> None:
    shown = fleetsim("trace", "describe", jobs, "--plots", tmp_path / "plots")
    assert shown.code == 0, shown.err
    assert "jobs.csv (jobs): 4 jobs submitted in 4.00 s" in shown.out
    assert "0.3778 GPU-hours of whole GPUs, 0.3653 asked for in fractions" in shown.out
    assert "By team" in shown.out
    assert (tmp_path / "plots" / "job_trace.png").read_bytes().startswith(b"\x89PNG")
    data = json.loads(fleetsim("trace", "describe", jobs, "--json").out)
    assert (data["jobs"], data["gpus"]["max"], data["queue_s"]["jobs"]) == (4, 8, 3)
    assert [team["name"] for team in data["teams"]] == ["x", "y"]
    assert data["metadata"]["format"] == "jobs"


def test_replay_runs_the_jobs(fleetsim: Command, jobs: Path) -> None:
    """On 8 GPUs in order: a at 0 s, b at 100 s, c and e at 150 s."""
    words = ("replay", jobs, "--gpus", "8")
    shown = fleetsim(*words)
    assert shown.code == 0, shown.err
    assert "8 GPUs, schedule fifo, no failures" in shown.out
    assert "Jobs: 4 of 4 done in 1 h 0 min" in shown.out
    assert "jobs per CPU-second" in shown.err
    rows = [line.split() for line in shown.out.splitlines() if line.startswith("all ")]
    assert ["all", "simulated", "4", "98.2", "s", "99.0", "s", "2", "min", "28", "s", "2", "min", "28",
            "s"] in rows
    assert ["all", "recorded", "3", "13.3", "s", "10.0", "s", "20.0", "s", "20.0", "s"] in rows
    data = json.loads(fleetsim(*words, "--schedule", "backfill", "--json").out)
    waits = {each["name"]: each["wait"]["mean_s"] for each in data["sizes"]}
    assert (waits["8"], waits["2-7"]) == (99, pytest.approx((0 + 0 + 146) / 3))
    assert data["fleet"]["gpus"] == 8
    first = json.loads(fleetsim(*words, "--schedule", "priority", "--json").out)
    assert first["sizes"][0]["preemptions"] == 0
    assert fleetsim(*words, "--schedule", "fair_share").code == 0


def test_failures_cost(fleetsim: Command, jobs: Path) -> None:
    shown = fleetsim("replay", jobs, "--gpus", "8", "--node-mtbf-h", "0.02", "--repair-h", "0.001",
                     "--checkpoint-interval-s", "10", "--checkpoint-write-s", "1", "--restart-s", "2")
    assert shown.code == 0, shown.err
    assert "of nodes of 8 GPUs (MTBF 0.02000 h), checkpoints every 10.0 s" in shown.out
    assert "work done again after a failure" in shown.out


@pytest.mark.parametrize(("words", "said"), [
    ([], "a trace of jobs needs --gpus"),
    (["--gpus", "8", "--service", "llama-2-70b"], "--service is for a trace of requests; "),
    (["--gpus", "8", "--max-batch", "256"], "--max-batch is for a trace of requests; "),
    (["--gpus", "1", "--schedule", "fifo"], "no job fits: the smallest asks for 2 GPUs"),
    (["--gpus", "8", "--checkpoint-write-s", "5"], "without an interval"),
    (["--gpus", "8", "--schedule", "lifo"], "'fifo'"),
])
def test_options_that_do_not_go_with_jobs(fleetsim: Command, jobs: Path, words: list[str], said: str) -> None:
    done = fleetsim("replay", jobs, *words)
    assert done.code == 2
    assert said in done.err


@pytest.mark.parametrize(("words", "said"), [
    ([], "a trace of requests needs --service, --gpu, --replicas"),
    (["--service", "llama-2-70b", "--gpus", "8"], "--gpus is for a trace of jobs; "),
    (["--service", "llama-2-70b", "--schedule", "fifo"], "--schedule is for a trace of jobs; "),
    (["--service", "llama-2-70b", "--gpu", "a100-80gb"], "a trace of requests needs --replicas"),
])
def test_options_that_do_not_go_with_requests(fleetsim: Command, calls: Path, words: list[str],
                                              said: str) -> None:
    done = fleetsim("replay", calls, *words)
    assert done.code == 2
    assert said in done.err


def test_a_file_that_is_no_trace_is_told_first(fleetsim: Command, jobs: Path, tmp_path: Path) -> None:
    assert "no trace" in fleetsim("replay", tmp_path / "none.parquet", "--gpus", "8").err
    assert "is no trace" in fleetsim("replay", tmp_path / "jobs.csv", "--gpus", "8").err
    size = ("size", jobs, "--service", "llama-2-70b", "--gpu", "a100-80gb", "--slo", "ttft_p99_s<=1")
    for words in (("trace", "fit", jobs), size):
        done = fleetsim(*words)
        assert (done.code, "is a trace of jobs, and this takes one of requests" in done.err) == (2, True)
