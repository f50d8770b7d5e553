"""Fluid model and request level say the same of the same windows: throughput, busy GPUs, losses, latency.

The whole table: `pytest -m slow tests/agreement/test_fluid_and_requests.py -s`.
"""

import pytest
from fidelity_cases import CASES, Gap, gaps, text

QUICK = {"low": (0.2, 0.35), "overloaded": (0.98, 1.0), "few replicas": (0.75, 0.8, 0.84)}
"""Windows for every run of the tests, and the loads next to theirs."""


@pytest.mark.parametrize("name", QUICK)
def test_a_window_is_the_same_at_both_levels(name: str) -> None:
    (case,) = (case for case in CASES if case.name == name)
    found = gaps(case, range(3), QUICK[name])
    assert len(found) == 9
    assert [each for each in found if not each.holds] == [], text(found)


@pytest.mark.slow
def test_every_window_is_the_same_at_both_levels(capsys: pytest.CaptureFixture[str]) -> None:
    """Five seeds a window; prints every figure and the largest gap of each."""
    found: list[Gap] = []
    for case in CASES:
        found += gaps(case, range(5))
    with capsys.disabled():
        print("\n" + text(found))
    assert [each for each in found if not each.holds] == []
