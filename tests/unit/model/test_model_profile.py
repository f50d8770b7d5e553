"""The hourly profiles."""

import pytest

from fleetsim.model.profile import AZURE_WEEKDAY, AZURE_WEEKEND, highest_peak_to_mean, unit_mean


@pytest.mark.parametrize("profile", [AZURE_WEEKDAY, AZURE_WEEKEND])
def test_a_profile_has_every_hour_of_a_day_and_a_mean_near_one(profile: tuple[float, ...]) -> None:
    assert len(profile) == 24
    assert sum(profile) / 24 == pytest.approx(1.0, abs=0.002)
    assert sum(unit_mean(profile)) / 24 == pytest.approx(1.0, abs=1e-15)


def test_at_the_highest_peak_the_trough_is_zero() -> None:
    scaled = unit_mean(AZURE_WEEKDAY)
    stretch = (highest_peak_to_mean() - 1.0) / (max(scaled) - 1.0)
    assert 1.0 + stretch * (min(scaled) - 1.0) == pytest.approx(0.0, abs=1e-12)


def test_peak_and_trough_of_the_weekday() -> None:
    assert max(AZURE_WEEKDAY) == 1.34
    assert min(AZURE_WEEKDAY) == 0.69
