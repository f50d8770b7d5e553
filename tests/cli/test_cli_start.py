"""Starting: help, new, check, schema, explain; and that they stay light."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cli_command import Command, Finished

from fleetsim import __version__
from fleetsim.spec import CODES

VERBS = ["new", "check", "run", "show", "query", "verify", "export", "report", "compare", "rebill",
         "reliability", "optimize", "replay", "size", "calibrate", "schema", "explain"]

LOADED = """
import resource, sys
from fleetsim.cli.main import app
try:
    app({words!r})
finally:
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, *sys.modules, file=sys.stderr)
"""


def test_help_lists_every_verb(fleetsim: Command) -> None:
    outcome = fleetsim("--help")
    assert outcome.code == 0
    commands = outcome.out.split("Commands:")[1].splitlines()
    listed = [line.split()[0] for line in commands if line.startswith("  ")]
    assert listed[:len(VERBS)] == VERBS
    assert "130 interrupted" in " ".join(outcome.out.split())


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself_and_can_speak_json(fleetsim: Command, verb: str) -> None:
    outcome = fleetsim(verb, "--help")
    assert outcome.code == 0
    assert "--json" in outcome.out


def test_the_version(fleetsim: Command) -> None:
    assert fleetsim("--version").out == f"fleetsim {__version__}\n"


@pytest.mark.parametrize("words", [["frobnicate"], ["check"], ["run", "x.yaml", "--seed", "-1"],
                                   ["run", "x.yaml", "--resolution", "minute"],
                                   ["check", "x.yaml", "--bogus"]])
def test_wrong_use_exits_with_2_and_says_what_is_wrong(fleetsim: Command, words: list[str]) -> None:
    outcome = fleetsim(*words)
    assert outcome.code == 2
    assert outcome.out == ""
    assert "Error: " in outcome.err


@pytest.mark.parametrize("words", [["--help"], ["check", "FILE"], ["run", "--help"], ["explain"]])
def test_help_and_check_are_light(week: Finished, words: list[str]) -> None:
    words = [str(week.scenario) if word == "FILE" else word for word in words]
    done = subprocess.run([sys.executable, "-c", LOADED.format(words=words)], capture_output=True, text=True,
                          check=True)
    cpu_s, *modules = done.stderr.split()
    heavy = {"numpy", "pandas", "matplotlib", "numba", "pyarrow", "duckdb", "scipy", "simpy"}
    assert not heavy & set(modules)
    # On a quiet machine it is below 0.5 s, which the benchmarks check; this only catches a heavy import.
    assert float(cpu_s) < 1.5


def test_new_writes_a_scenario_that_passes_check(fleetsim: Command, tmp_path: Path) -> None:
    file = tmp_path / "My first.yaml"
    outcome = fleetsim("new", file)
    assert outcome.code == 0
    assert f"fleetsim run {file}" in outcome.out
    checked = fleetsim("check", file)
    assert (checked.code, checked.err) == (0, "")
    assert checked.out == ("ok: my-first: 1 fleet, 1 pool, 2 traffic classes, 1 surge, 1 contract, "
                           "60 days in 17,280 steps of 300 s\n")


def test_new_never_overwrites(fleetsim: Command, tmp_path: Path) -> None:
    file = tmp_path / "kept.yaml"
    file.write_text("mine")
    outcome = fleetsim("new", file)
    assert outcome.code == 2
    assert outcome.err == f"error: {file} exists already and is not overwritten\n"
    assert file.read_text() == "mine"


@pytest.mark.parametrize(("name", "fault"), [("plan.txt", "write "), ("nowhere/plan.yaml", "No such file")])
def test_new_says_why_it_cannot_write(fleetsim: Command, tmp_path: Path, name: str, fault: str) -> None:
    outcome = fleetsim("new", tmp_path / name)
    assert outcome.code == 2
    assert fault in outcome.err


def test_check_reports_every_fault_with_its_place(fleetsim: Command, week: Finished, tmp_path: Path) -> None:
    file = tmp_path / "broken.yaml"
    text = week.scenario.read_text().replace("provider: azure", "provder: azure")
    file.write_text(text.replace("service: large", "service: lage"))
    outcome = fleetsim("check", file)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.count(": error: ") >= 2
    assert "did you mean 'provider'?" in outcome.err
    assert "Traceback" not in outcome.err


def test_check_as_json(fleetsim: Command, week: Finished, tmp_path: Path) -> None:
    good = fleetsim("check", week.scenario, "--json")
    assert json.loads(good.out) == {"ok": True, "diagnostics": [], "scenarios": ["small"]}
    file = tmp_path / "broken.yaml"
    file.write_text(week.scenario.read_text().replace("kind: step", "kind: stp"))
    bad = fleetsim("check", file, "--json")
    assert bad.code == 2
    found = json.loads(bad.out)
    assert found["ok"] is False
    assert found["diagnostics"][0]["line"] > 0


def test_check_checks_every_named_scenario(fleetsim: Command, week: Finished, tmp_path: Path) -> None:
    file = tmp_path / "named.yaml"
    named = "scenarios:\n  fine: {}\n  wrong: {set: {horizon.step_s: 7}}\n"
    file.write_text(week.scenario.read_text() + named)
    both = fleetsim("check", file)
    assert both.code == 2
    assert "horizon.step_s" in both.err
    one = fleetsim("check", file, "--scenario", "fine")
    assert one.out.startswith("ok: small-fine: ")


def test_check_takes_overrides(fleetsim: Command, week: Finished) -> None:
    fine = fleetsim("check", week.scenario, "--set", "horizon.step_s=60")
    assert fine.out.endswith("86,400 steps of 60 s\n")
    bad = fleetsim("check", week.scenario, "--set", "horizon.stepp_s=60")
    assert bad.code == 2
    assert "step_s" in bad.err


def test_a_warning_does_not_fail(fleetsim: Command, week: Finished) -> None:
    outcome = fleetsim("check", week.scenario, "--set", "contracts.rent.usd_per_gpu_hour=1300")
    assert outcome.code == 0
    assert ": warning: " in outcome.err


def test_a_missing_file_is_bad_input(fleetsim: Command) -> None:
    for verb in ("check", "run"):
        outcome = fleetsim(verb, "nowhere.yaml")
        assert outcome.code == 2
        assert "nowhere.yaml" in outcome.err


def test_the_schema_is_json(fleetsim: Command) -> None:
    for words in (["schema"], ["schema", "--json"]):
        schema = json.loads(fleetsim(*words).out)
        assert "horizon" in schema["properties"]


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_an_explanation(fleetsim: Command, code: str) -> None:
    outcome = fleetsim("explain", code)
    assert outcome.code == 0
    assert outcome.out.startswith(f"{code}\n\n")
    assert json.loads(fleetsim("explain", code, "--json").out)["code"] == code


def test_an_unknown_code_is_answered_with_the_nearest(fleetsim: Command) -> None:
    code = next(iter(CODES))
    outcome = fleetsim("explain", code[:-1])
    assert outcome.code == 2
    assert f"did you mean {code!r}?" in outcome.err


def test_explain_alone_lists_the_codes(fleetsim: Command) -> None:
    assert [line.split()[0] for line in fleetsim("explain").out.splitlines()] == sorted(CODES)
    assert set(json.loads(fleetsim("explain", "--json").out)) == set(CODES)
