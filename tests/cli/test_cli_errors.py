"""How commands end: one JSON document under --json whatever happens, and Ctrl-C at any time."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from cli_command import WEEK, Command, Finished

from fleetsim.spec import check_contract_file

OFFERS = """\
fleetsim: 1
offers:
  list: {kind: on_demand, gpu: a100-80gb, usd_per_gpu_hour: 4.10, lead_time_days: 0}
  tiers: {kind: volume_tiers, gpu: a100-80gb, usd_per_gpu_hour: 4.00, lead_time_days: 0,
          tiers: [{from_gpu_hours: 50_000, usd_per_gpu_hour: 3.60}]}
  minimum: {kind: take_or_pay, gpu: a100-80gb, usd_per_gpu_hour: 1.50, lead_time_days: 1, term_months: 12,
            minimum_frac: 0.8}
"""


@pytest.mark.parametrize(("words", "kind", "message"), [
    (["check", "nowhere.yaml"], "UsageError", "no such file"),
    (["run", "nowhere.yaml"], "UsageError", "no such file"),
    (["show", "nowhere"], "UsageError", "no run 'nowhere'"),
    (["verify", "nowhere"], "UsageError", "no run 'nowhere'"),
    (["explain", "nothing"], "UsageError", "nothing"),
    (["export", "nowhere", "--to", "csv"], "UsageError", "no run 'nowhere'"),
    (["compare", "nowhere", "--actuals", "paid.csv"], "UsageError", "no run 'nowhere'"),
    (["optimize", "nowhere", "--offers", "none.yaml"], "UsageError", "no run 'nowhere'"),
    (["run", "x.yaml", "--seed", "minus"], "UsageError", "--seed"),
    (["frobnicate"], "UsageError", "frobnicate"),
])
def test_an_error_is_json_too(fleetsim: Command, words: list[str], kind: str, message: str) -> None:
    done = fleetsim(*words, "--json")
    plain = fleetsim(*words)
    assert (plain.code, plain.out) == (2, "")
    assert done.code == 2
    found = json.loads(done.out)
    assert found["ok"] is False
    assert found["error"]["kind"] == kind
    assert found["error"]["exit_code"] == 2
    assert message in found["error"]["message"]
    assert done.err == plain.err != ""


def test_faults_of_a_file_come_with_their_places(fleetsim: Command, week: Finished, tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(week.scenario.read_text().replace("kind: step", "kind: stp"))
    for verb in ("check", "run", "compare"):
        found = json.loads(fleetsim(verb, file, "--json").out)
        assert found["error"]["kind"] == "ScenarioError"
        assert found["diagnostics"][0]["line"] > 0


def test_a_format_asks_for_json_as_well(fleetsim: Command, week: Finished) -> None:
    done = fleetsim("query", week.path, "selekt", "--format", "json")
    assert (done.code, json.loads(done.out)["error"]["exit_code"]) == (2, 2)
    assert fleetsim("query", week.path, "selekt", "--format", "csv").out == ""


def test_an_answer_is_not_followed_by_an_error(fleetsim: Command, week: Finished, tmp_path: Path) -> None:
    done = fleetsim("run", week.scenario, *WEEK, "--set", "objectives=['result:cost.total_usd <= 1']",
                    "--results", tmp_path, "--strict-objectives", "--json")
    assert done.code == 1
    assert json.loads(done.out)["objectives"][0]["met"] is False
    assert "objectives missed" in done.err


STARTING = """
import fleetsim, sys
sys.argv = {words!r}
print("up", flush=True)
from fleetsim.__main__ import main
main()
"""
"""What the `fleetsim` script does, with a word when the interpreter is there and nothing of ours yet."""


def interrupted(words: list[object], after_s: float, cwd: Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command that gets SIGINT so many seconds after it was started."""
    code = STARTING.format(words=["fleetsim", *map(str, words)])
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, cwd=cwd) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        time.sleep(after_s)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("after_s", [0.02, 0.1, 0.2, 0.5, 0.9, 1.5, 3.0])
def test_ctrl_c_leaves_nothing(week: Finished, tmp_path: Path, after_s: float) -> None:
    (tmp_path / "offers.yaml").write_text(OFFERS)
    commands = {"x.duckdb": ["export", week.path, "--to", "duckdb", "--out", "x.duckdb"],
                "x.yaml": ["optimize", week.path, "--offers", "offers.yaml", "--out", "x.yaml"]}
    for name, words in commands.items():
        code, out, err = interrupted(words, after_s, tmp_path)
        assert "Traceback" not in err
        assert code in (0, 130, -signal.SIGINT), err  # the last while the interpreter goes down
        left = sorted(path.name for path in tmp_path.iterdir())
        if left != ["offers.yaml"]:  # it was faster: then all of it is there
            assert left == ["offers.yaml", name]
            assert COMPLETE[name](tmp_path / name)
            (tmp_path / name).unlink()
        elif code == 130:
            assert (out, err.count("\n")) == ("", 1)
            assert err.startswith("error: interrupted")
        else:
            assert code == -signal.SIGINT


def rows_of(path: Path) -> int:
    """Rows of charges in a database."""
    with duckdb.connect(str(path), read_only=True) as connection:
        return int(connection.sql("select count(*) from fact_cost_hourly").fetchall()[0][0])


COMPLETE: dict[str, Callable[[Path], bool]] = {
    "x.duckdb": lambda path: rows_of(path) > 0,
    "x.yaml": lambda path: check_contract_file(path)[1] > 0,
}


SOLVING = """
import os, signal, sys, threading, time
import numpy as np
import fleetsim.cli.main as main
from fleetsim.experiments import optimize as module
from fleetsim.experiments.program import Program

def solve(*_, **__):
    draw = np.random.default_rng(0)
    program = Program()
    x = program.add(160, cost=-draw.random(160), high=1.0, whole=True)
    for high in 20 + draw.random(60):
        program.row((x, draw.random(160)), high=high)
    began = time.monotonic()
    threading.Timer(1.0, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    try:
        program.solve(most_nodes=10**9, time_limit_s=30.0)
    finally:
        print(time.monotonic() - began, file=sys.stderr)

module.optimize = solve
sys.argv = ["fleetsim", "optimize", {run!r}, "--offers", "none.yaml"]
main.main()
"""


def test_ctrl_c_stops_the_solver_at_once(week: Finished, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", SOLVING.format(run=str(week.path))], capture_output=True,
                          text=True, check=False, cwd=tmp_path, timeout=60)
    taken, said = done.stderr.splitlines()
    assert done.returncode == 130
    assert 0.9 < float(taken) < 10
    assert said == "error: interrupted: what was under way is not kept"
