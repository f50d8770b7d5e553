"""The hourly profiles that shapes are made of.

Source: Azure LLM inference trace 2024, conversation service, 12-18 May 2024, 27.30M requests (CC-BY,
Microsoft), read from the official weekly plot. Requests of each UTC hour 0-23 relative to the mean of
the day, rounded to 0.01 as published: their own mean is near 1, not exactly 1.
"""

AZURE_WEEKDAY: tuple[float, ...] = (
    0.89, 0.98, 0.96, 0.80, 0.81, 0.88, 1.01, 1.09, 1.11, 1.08, 0.98, 1.03,
    1.15, 1.27, 1.34, 1.24, 1.13, 1.08, 1.08, 1.01, 0.92, 0.77, 0.69, 0.72,
)  # fmt: skip
"""A weekday."""

AZURE_WEEKEND: tuple[float, ...] = (
    0.88, 0.94, 0.93, 0.79, 0.77, 0.80, 0.82, 0.92, 0.94, 0.87, 0.92, 1.02,
    1.09, 1.22, 1.23, 1.27, 1.20, 1.17, 1.13, 1.06, 1.06, 1.02, 0.95, 1.01,
)  # fmt: skip
"""A day of the weekend."""

AZURE_WEEKEND_TO_WEEKDAY = 0.57
"""Requests of a weekend day / requests of a weekday in the same week."""


def unit_mean(profile: tuple[float, ...]) -> tuple[float, ...]:
    """The profile scaled so that its mean is exactly 1."""
    mean = sum(profile) / len(profile)
    return tuple(value / mean for value in profile)


def highest_peak_to_mean(profile: tuple[float, ...] = AZURE_WEEKDAY) -> float:
    """The `peak_to_mean` at which the stretched profile's lowest hour falls to 0.

    The consumer profile is 1 + k (p - 1) with k = (peak_to_mean - 1) / (max p - 1); its trough
    1 + k (min p - 1) is negative for a larger `peak_to_mean`.
    """
    scaled = unit_mean(profile)
    return 1.0 + (max(scaled) - 1.0) / (1.0 - min(scaled))
