"""The tiny run of `tiny_run.py`, written once; tests that change files write or copy one of their own."""

import pytest
from tiny_run import write_run

from fleetsim.output.run import Run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The tiny run, to be read only."""
    return write_run(tmp_path_factory.mktemp("tiny") / "results")
