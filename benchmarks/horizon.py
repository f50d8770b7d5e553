"""Memory over the horizon: ten years need no more than one."""

import tempfile

from measure import WORKLOADS, Measured, fleetsim

YEARS = (1, 10)


def measure() -> list[Measured]:
    """Peak memory of runs of one and of ten years."""
    peaks = []
    for years in YEARS:
        with tempfile.TemporaryDirectory() as results:
            peaks.append(fleetsim("run", str(WORKLOADS / "contract-comparison.yaml"), "--results", results,
                                  "--set", f"horizon.end={2024 + years}-01-01").peak_mb)
    one, ten = peaks
    return [
        Measured("peak memory of 1 year", one, "MB"),
        Measured("peak memory of 10 years", ten, "MB"),
        Measured("10 years / 1 year", ten / one, "", 1.1),
    ]
