"""What `import fleetsim` offers, and what it does not load."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import fleetsim as fs

HEAVY = {"numpy", "pandas", "pyarrow", "duckdb", "matplotlib", "numba", "scipy", "simpy", "pydantic",
         "ruamel", "typer", "rich"}


def test_the_exported_names_are_these() -> None:
    assert sorted(fs.__all__) == [
        "Diagnostic", "FleetsimError", "ObjectivesMissed", "Run", "Scenario", "ScenarioError",
        "SimulationError", "UsageError", "__version__", "compare", "export", "load", "open_run", "optimize",
        "override", "plot", "rebill", "reliability", "replay", "simulate", "size",
    ]
    assert dir(fs) == sorted(fs.__all__)


@pytest.mark.parametrize("name", fs.__all__)
def test_every_exported_name_exists_and_is_explained(name: str) -> None:
    assert getattr(fs, name).__doc__


def test_the_version_is_that_of_the_package() -> None:
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    assert fs.__version__ == project["project"]["version"]


def test_only_a_path_can_be_loaded() -> None:
    with pytest.raises(fs.UsageError, match="takes the path of a scenario file, not NoneType"):
        fs.load(None)  # wrong on purpose


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'simulat'"):
        fs.simulat  # noqa: B018 - the access itself is what is tested


def test_the_import_loads_nothing_heavy() -> None:
    code = "import sys, fleetsim; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not HEAVY & set(loaded.split())


def test_a_value_that_can_hardly_be_meant_is_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "costly.yaml"
    subprocess.run([sys.executable, "-m", "fleetsim", "new", str(file)], check=True, capture_output=True)
    with pytest.warns(UserWarning, match="1300"):
        scenario = fs.load(file, overrides=["contracts.rent.usd_per_gpu_hour=1300"])
    assert scenario.name == "costly"
