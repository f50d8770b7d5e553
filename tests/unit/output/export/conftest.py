"""One run of every contract kind, and its FOCUS rows at both grains."""

from pathlib import Path

import pytest
from focus_file import FocusFile

import fleetsim as fs
from fleetsim.output.run import Run

ALL_KINDS = Path(__file__).parent / "all_kinds.yaml"


@pytest.fixture(scope="session")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The run of `all_kinds.yaml`, to be read only. Its hardware is written off inside it on purpose."""
    with pytest.warns(UserWarning, match="life-ends"):
        scenario = fs.load(ALL_KINDS)
    return fs.simulate(scenario, seed=1, results=tmp_path_factory.mktemp("kinds") / "results")


@pytest.fixture(scope="session")
def monthly(kinds: Run, tmp_path_factory: pytest.TempPathFactory) -> FocusFile:
    """Its FOCUS rows by month."""
    return FocusFile.of(kinds, tmp_path_factory.mktemp("monthly") / "focus.parquet", "month")


@pytest.fixture(scope="session", params=["month", "hour"])
def focus(request: pytest.FixtureRequest, kinds: Run, tmp_path_factory: pytest.TempPathFactory) -> FocusFile:
    """Its FOCUS rows at either grain."""
    return FocusFile.of(kinds, tmp_path_factory.mktemp("focus") / "focus.parquet", request.param)
