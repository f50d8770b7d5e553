"""The step laws of the catalogue against what was measured, point by point."""

import pytest

from fleetsim.spec import catalog

PROFILES = catalog.step_profiles()
DECODE_ERROR = {"2023-engine": (-0.04, 0.06), "2026-engine": (-0.06, 0.04)}
"""Of the fits, as their source states them."""


@pytest.mark.parametrize("name", PROFILES)
def test_decode_steps_are_within_the_stated_error(name: str) -> None:
    """Step time at the mean KV of the measured steps: prompt and half of the output, for each sequence."""
    entry = PROFILES[name]
    low, high = DECODE_ERROR[entry.profile]
    fits = [fit for fit in entry.fits() if fit.what.startswith("decode")]
    assert len(fits) == len(entry.decode)
    for fit in fits:
        assert low - 0.01 <= fit.error_frac <= high + 0.01, fit


def test_prefill_beyond_the_law_is_marked_and_kept() -> None:
    """The 2023 engine's prefill above 2,048 tokens takes 1.3 to 2.2 times as long as the law says."""
    entry = PROFILES["llama-2-70b-2023-engine-a100-80gb"]
    beyond = [fit for fit in entry.fits() if not fit.within_law]
    assert [fit.measured_ms for fit in beyond] == [661, 1_550]
    assert all(1.2 < fit.measured_ms / fit.predicted_ms < 2.2 for fit in beyond)
    assert all(-0.12 < fit.error_frac < 0.09 for fit in entry.fits()[:5])


def test_saturation_rates_are_those_of_the_worked_example() -> None:
    """p = 1,000, o = 250, batch 64: 2.58 and 5.25 requests per second on 8 x A100, 4.04 and 11.5 on H100."""
    found = {name: entry.law.saturation_rps(1_000, 250, 0.0, 64) for name, entry in PROFILES.items()}
    assert found == pytest.approx({
        "llama-2-70b-2023-engine-a100-80gb": 2.58, "llama-2-70b-2023-engine-h100-80gb": 4.04,
        "llama-2-70b-2026-engine-a100-80gb": 5.25, "llama-2-70b-2026-engine-h100-80gb": 11.46}, rel=0.002)


def test_rows_name_their_source_and_gpu() -> None:
    for entry in PROFILES.values():
        assert entry.source
        assert entry.date
        assert entry.grade in "ABCD"
        assert entry.gpu in catalog.gpus()
        assert entry.prefill
        assert entry.decode
