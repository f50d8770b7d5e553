"""Runs of whole scenarios, shared by the tests that read them."""

import pytest
from preset_runs import Preset, presets


@pytest.fixture(scope="session")
def preset(tmp_path_factory: pytest.TempPathFactory) -> Preset:
    return presets(tmp_path_factory.mktemp("presets"))
