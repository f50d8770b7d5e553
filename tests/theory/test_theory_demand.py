"""Expected traffic at chosen instants against the formulas, worked out here by themselves.

Steps of one hour, so that an hour's expected messages are the rate at its half x 3,600.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from theory_scenario import column, one_class, one_pool, scenario_of, simulated

BASE = 864_000.0
"""Messages a day: 36,000 an hour."""
START = datetime(2024, 1, 1, tzinfo=UTC)
Rate = Callable[[float], float]
"""Messages a day at so many days after START."""


def expected(folder: Path, *, start: datetime = START, days: int = 10, volume: Any = BASE,
             **parts: Any) -> dict[datetime, float]:
    """Expected messages of each hour, as messages a day."""
    shape = parts.pop("shape", {"kind": "flat"})
    end = f"{start + timedelta(days=days):%Y-%m-%dT%H:%M}"
    sections = one_pool(10_000, start=f"{start:%Y-%m-%d}", end=end, step_s=3_600)
    scenario = scenario_of(folder, **sections, traffic={"users": one_class(volume, shape=shape)}, **parts)
    sink = simulated(scenario)
    hours = column(sink, "fact_traffic_hourly", "hour")
    values = column(sink, "fact_traffic_hourly", "expected_messages")
    assert len(hours) == 24 * days
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return {epoch + timedelta(microseconds=int(hour)): 24 * float(value)
            for hour, value in zip(hours, values, strict=True)}


def level(t: float, midpoint: float, tau: float) -> float:
    return 1 / (1 + math.exp(-(t - midpoint) / tau))


def logistic(t: float) -> float:
    """1M a day in the end, from day 2 on, half of the way 3 days later, time constant 1.5 days."""
    at_start = level(0, 3, 1.5)
    return 1e6 * (level(max(t - 2, 0), 3, 1.5) - at_start) / (1 - at_start)


SURGES: dict[str, tuple[dict[str, Any], Rate]] = {
    "step": ({"start": "2024-01-03", "end": "2024-01-05T12:00", "extra_messages_per_day": 2e5},
             lambda t: BASE + (2e5 if 2 <= t < 4.5 else 0)),
    "ramp": ({"start": "2024-01-03", "end": "2024-01-07", "extra_messages_per_day": 4e5},
             lambda t: BASE + 4e5 * min(max((t - 2) / 4, 0), 1)),
    "logistic": ({"start": "2024-01-03", "extra_messages_per_day": 1e6, "midpoint_days": 3, "tau_days": 1.5},
                 lambda t: BASE + logistic(t)),
    "spike": ({"start": "2024-01-03", "extra_frac": 0.5, "tau_days": 2},
              lambda t: BASE * (1 + 0.5 * math.exp(-(t - 2) / 2) if t >= 2 else 1)),
    "multiplier": ({"start": "2024-01-03", "end": "2024-01-04", "factor": 0.25},
                   lambda t: BASE * (0.25 if 2 <= t < 3 else 1)),
    "adoption": ({"start": "2024-01-03", "eligible_devices": 1e6, "adoption_start": "2023-12-22",
                  "adoption_max_frac": 0.8, "adoption_tau_days": 20, "requests_per_device_per_day": 1.2,
                  "routed_frac": 0.25},
                 lambda t: BASE + (1e6 * 0.8 * (1 - math.exp(-(t + 10) / 20)) * 1.2 * 0.25 if t >= 2 else 0)),
}
"""By kind: its parameters, and the messages a day that BASE becomes."""


@pytest.mark.parametrize("kind", SURGES)
def test_a_surge_follows_its_formula(tmp_path: Path, kind: str) -> None:
    parameters, rate = SURGES[kind]
    found = expected(tmp_path, surges={"it": {"kind": kind, "class": "users", **parameters}})
    for n, value in enumerate(found.values()):
        assert value == pytest.approx(rate((n + 0.5) / 24), rel=1e-12), n


def test_additions_come_before_multipliers(tmp_path: Path) -> None:
    """(base + sum of additions) x product of multipliers, however the file orders them."""
    kinds = ("spike", "step", "multiplier", "ramp")
    found = expected(tmp_path, surges={
        kind: {"kind": kind, "class": "users", **SURGES[kind][0]} for kind in kinds})
    for n, value in enumerate(found.values()):
        spike, step, multiplier, ramp = (SURGES[kind][1]((n + 0.5) / 24) for kind in kinds)
        rate = (step + ramp - BASE) * (spike / BASE) * (multiplier / BASE)
        assert value == pytest.approx(rate, rel=1e-12), n


def test_a_pause_of_sign_ups_shifts_later_levels_down(tmp_path: Path) -> None:
    """The curve doubles every 2 days; two days of pause from day 3 on leave half of it afterwards."""
    anchors = {"2024-01-01": 1e6, "2024-01-11": 32e6}
    pause = {"kind": "sign_up_pause", "class": "users", "start": "2024-01-04", "end": "2024-01-06"}
    found = expected(tmp_path, volume=anchors, surges={"pause": pause})
    for n, value in enumerate(found.values()):
        t = (n + 0.5) / 24
        grown = t if t < 3 else 3 if t < 5 else t - 2
        assert value == pytest.approx(1e6 * 2 ** (grown / 2), rel=1e-12), n


def test_months_and_the_leap_day_leave_no_seam(tmp_path: Path) -> None:
    """Log-linear through the ends of January and February and through 29 February."""
    start = datetime(2024, 1, 30, tzinfo=UTC)
    anchors = {"2024-01-30": 1e6, "2024-02-29T12:00": 3e6, "2024-03-05": 2e6}
    found = expected(tmp_path, start=start, days=36, volume=anchors)
    assert list(found) == [start + timedelta(hours=n) for n in range(36 * 24)]
    assert datetime(2024, 2, 29, 23, tzinfo=UTC) in found
    for hour, value in found.items():
        t = (hour - start).total_seconds() / 86_400 + 0.5 / 24
        rate = 1e6 * 3 ** (t / 30.5) if t < 30.5 else 3e6 * (2 / 3) ** ((t - 30.5) / 4.5) if t < 35 else 2e6
        assert value == pytest.approx(rate, rel=1e-12), hour


AZURE = (0.89, 0.98, 0.96, 0.80, 0.81, 0.88, 1.01, 1.09, 1.11, 1.08, 0.98, 1.03,
         1.15, 1.27, 1.34, 1.24, 1.13, 1.08, 1.08, 1.01, 0.92, 0.77, 0.69, 0.72)  # fmt: skip
"""Hours of a weekday of the Azure conversation trace relative to its mean, as published."""


def consumer(local: datetime, peak_to_mean: float, weekend_to_weekday: float) -> float:
    """1 + k (p - 1) with its highest hour at `peak_to_mean`, times the day's factor; mean 1 over a week."""
    mean = sum(AZURE) / 24
    k = (peak_to_mean - 1) / (max(AZURE) / mean - 1)
    weekday = 7 / (5 + 2 * weekend_to_weekday)
    day = weekday * (weekend_to_weekday if local.weekday() >= 5 else 1)
    return day * (1 + k * (AZURE[local.hour] / mean - 1))


def test_a_clock_that_is_half_an_hour_off_changes_hour_at_the_half(tmp_path: Path) -> None:
    """Kolkata is 5:30 ahead: two steps of an hour of UTC fall into two local hours."""
    shape = {"kind": "consumer", "peak_to_mean": 1.3, "timezone": "Asia/Kolkata"}
    sections = one_pool(10_000, end="2024-01-08", step_s=1_800)
    sink = simulated(scenario_of(tmp_path, **sections, traffic={"users": one_class(BASE, shape=shape)}))
    values = column(sink, "fact_traffic_hourly", "expected_messages")
    for n, value in enumerate(values):
        local = [START + timedelta(hours=n, minutes=330 + 30 * half) for half in (0, 1)]
        factor = sum(consumer(hour, 1.3, 1.0) for hour in local) / 2
        assert float(value) == pytest.approx(BASE / 24 * factor, rel=1e-12), n


@pytest.mark.parametrize("start", [datetime(2024, 3, 4, tzinfo=UTC), datetime(2024, 10, 28, tzinfo=UTC)])
def test_a_day_in_new_york_starts_an_hour_earlier_in_summer(tmp_path: Path, start: datetime) -> None:
    """Clocks go forward on 10 March 2024 and back on 3 November, at 07:00 and 06:00 UTC."""
    shape = {"kind": "consumer", "peak_to_mean": 1.6, "weekend_to_weekday": 0.82,
             "timezone": "America/New_York"}
    found = expected(tmp_path, start=start, days=14, shape=shape)
    zone = ZoneInfo("America/New_York")
    for hour, value in found.items():
        assert value == pytest.approx(BASE * consumer(hour.astimezone(zone), 1.6, 0.82), rel=1e-12), hour
    peaks = {max(range(24), key=lambda h: found[start + timedelta(days=day, hours=h)]) for day in (1, 10)}
    assert peaks == {18, 19}  # 14:00 in New York


def test_a_week_of_a_shape_has_mean_1_and_its_peak_is_that_of_a_weekday(tmp_path: Path) -> None:
    shape = {"kind": "consumer", "peak_to_mean": 1.3, "weekend_to_weekday": 0.82}
    found = list(expected(tmp_path, days=7, shape=shape).values())
    assert sum(found) / len(found) == pytest.approx(BASE, rel=1e-12)
    assert max(found) == pytest.approx(BASE * 1.0542 * 1.30, rel=1e-4)
    assert sum(found[120:144]) / sum(found[:24]) == pytest.approx(0.82, rel=1e-12)
    assert max(found[:24]) / (sum(found[:24]) / 24) == pytest.approx(1.30, rel=1e-12)
