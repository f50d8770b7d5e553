"""One small finished run for all tests of the command line."""

import json
from pathlib import Path

import pytest
from cli_command import WEEK, Command, Finished, run_apart, run_here


@pytest.fixture(scope="session")
def fleetsim() -> Command:
    return run_here


@pytest.fixture(scope="session")
def fleetsim_apart() -> Command:
    return run_apart


@pytest.fixture(scope="session")
def week(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A run of that week."""
    folder = tmp_path_factory.mktemp("week")
    scenario = folder / "small.yaml"
    assert run_here("new", scenario).code == 0
    outcome = run_here("run", scenario, *WEEK, "--results", folder / "runs", "--json")
    assert outcome.code == 0, outcome.err
    summary = json.loads(outcome.out)
    return Finished(scenario, folder / "runs", Path(summary["path"]), summary["run_id"])
