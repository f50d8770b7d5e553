"""`run`: what it prints, what it leaves behind, how it ends."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli_command import WEEK, Command, Finished, command

from fleetsim import runner


def test_the_summary_goes_to_stdout_and_nothing_else_does(fleetsim: Command, week: Finished,
                                                          tmp_path: Path) -> None:
    outcome = fleetsim("run", week.scenario, *WEEK, "--results", tmp_path)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(
        "small  2024-01-29 to 2024-02-05, 168 hours in steps of 300 s, seed 0, run ")
    assert "\nDecision\n" in outcome.out
    assert len(list(tmp_path.glob("small/*/manifest.json"))) == 1


def test_the_same_inputs_are_not_simulated_twice(fleetsim: Command, week: Finished) -> None:
    outcome = fleetsim("run", week.scenario, *WEEK, "--results", week.results)
    assert outcome.code == 0
    assert "nothing was simulated" in outcome.err
    assert week.run_id in outcome.out


def test_another_seed_is_another_run(fleetsim: Command, week: Finished, tmp_path: Path) -> None:
    outcome = fleetsim("run", week.scenario, *WEEK, "--results", tmp_path, "--seed", 7,
                       "--json")
    summary = json.loads(outcome.out)
    assert summary["seed"] == 7
    assert summary["run_id"] != week.run_id


def test_a_price_on_the_command_line_moves_the_cost(fleetsim: Command, week: Finished,
                                                    tmp_path: Path) -> None:
    base = json.loads(fleetsim("show", week.path, "--json").out)["figures"]["cost.total_usd"]
    outcome = fleetsim("run", week.scenario, *WEEK, "--set",
                       "contracts.rent.usd_per_gpu_hour=2.60", "--results", tmp_path, "--json")
    assert json.loads(outcome.out)["figures"]["cost.total_usd"] == pytest.approx(2 * base)


def test_missed_objectives_exit_with_1_only_when_asked(fleetsim: Command, week: Finished,
                                                       tmp_path: Path) -> None:
    words = ["run", week.scenario, *WEEK, "--results", tmp_path, "--set",
             'objectives=["result:cost.total_usd <= 1"]']
    assert fleetsim(*words).code == 0
    strict = fleetsim(*words, "--strict-objectives")
    assert strict.code == 1
    assert "1 of 1 objectives missed: result:cost.total_usd <= 1" in strict.err
    assert "MISSED" in strict.out


def test_an_unknown_scenario_name_is_bad_input(fleetsim: Command, week: Finished, tmp_path: Path) -> None:
    outcome = fleetsim("run", week.scenario, "--scenario", "bse", "--results", tmp_path)
    assert outcome.code == 2
    assert "bse" in outcome.err
    assert not list(tmp_path.iterdir())


def test_an_unexpected_fault_is_one_line(fleetsim: Command, week: Finished, tmp_path: Path,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(runner, "simulate", broken)
    monkeypatch.delenv("FLEETSIM_DEBUG", raising=False)
    outcome = fleetsim("run", week.scenario, "--results", tmp_path)
    assert outcome.code == 3
    assert outcome.err.splitlines() == ["error: ZeroDivisionError: division by zero",
                                        "  help: unexpected; set FLEETSIM_DEBUG=1 to see where"]
    monkeypatch.setenv("FLEETSIM_DEBUG", "1")
    assert "help:" not in fleetsim("run", week.scenario, "--results", tmp_path).err


def test_a_run_that_fails_exits_with_3_and_leaves_nothing(fleetsim: Command, week: Finished, tmp_path: Path,
                                                          monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("no such step")

    monkeypatch.setattr("fleetsim.engine.simulate", broken)
    outcome = fleetsim("run", week.scenario, "--results", tmp_path)
    assert outcome.code == 3
    assert "small: the run failed after 2024-01-01" in outcome.err
    assert not list(tmp_path.rglob("*.json"))


def test_an_interrupt_exits_with_130_and_leaves_nothing_that_looks_complete(week: Finished,
                                                                            tmp_path: Path) -> None:
    words = ["run", week.scenario, "--set", "horizon.end=2044-01-01", "--results", tmp_path]
    process = subprocess.Popen(command(*words), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    give_up = time.monotonic() + 60
    while not list(tmp_path.rglob("*.parquet")) and process.poll() is None:
        assert time.monotonic() < give_up
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "error: interrupted: what was under way is not kept"
    assert "Traceback" not in err
    assert not list(tmp_path.rglob("*.json"))
    assert not list(tmp_path.rglob("*.parquet"))


def test_no_colour_and_no_progress_without_a_terminal(fleetsim_apart: Command, week: Finished,
                                                      tmp_path: Path) -> None:
    outcome = fleetsim_apart("run", week.scenario, *WEEK, "--results", tmp_path)
    assert outcome.code == 0
    assert "\x1b" not in outcome.out + outcome.err
    assert outcome.out.isascii()
    assert outcome.err == ""


def test_a_terminal_sees_progress_in_simulated_time(week: Finished, tmp_path: Path) -> None:
    main, terminal = os.openpty()
    words = ["run", week.scenario, "--set", "horizon.end=2027-01-01", "--results", tmp_path]
    process = subprocess.Popen(command(*words), stdout=subprocess.PIPE,
                               stderr=terminal, text=True)
    out, _ = process.communicate(timeout=120)
    os.close(terminal)
    shown = os.read(main, 100_000).decode()
    os.close(main)
    assert process.returncode == 0
    assert "Decision" in out
    assert "simulated to 202" in shown
    assert "s left" in shown
    assert shown.endswith("\r")
