"""Night lending against the same traffic without it: how much is lent, and that no user notices."""

from math import sqrt
from pathlib import Path
from statistics import mean, stdev

import pytest

import fleetsim as fs

WORKLOAD = Path(__file__).parents[2] / "workloads" / "night-lending.yaml"
SEEDS = range(10)
DAYS = {"horizon.end": "2024-05-22"}
LEVELS = ("served_frac", "degraded_frac", "shed_frac", "wait_mean_s", "wait_p99_s", "slo_met_frac")
T_99_OF_9 = 3.25
"""Student's t: 99 % of the paired interval with ten pairs."""


def figures(scenario: str | None, seed: int, results: Path) -> dict[str, float]:
    run = fs.simulate(fs.override(fs.load(WORKLOAD, scenario=scenario), DAYS), seed=seed, results=results)
    found: dict[str, float] = run.summary["figures"]
    return found


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[dict[str, float], dict[str, float]]]:
    """By seed: with lending, and without."""
    results = tmp_path_factory.mktemp("pairs")
    return [(figures(None, seed, results), figures("without-lending", seed, results)) for seed in SEEDS]


def test_at_least_half_of_what_can_be_lent_at_night_is_lent(
        pairs: list[tuple[dict[str, float], dict[str, float]]]) -> None:
    for seed, (lending, _) in zip(SEEDS, pairs, strict=True):
        print(f"seed {seed}: {lending['pools.chatgpt.lent_of_lendable_frac']:.1%} of "
              f"{lending['pools.chatgpt.lendable_gpu_hours']:,.0f} lendable GPU-hours at night; gained "
              f"{lending['fleets.azure-inference.gained_gpu_hours']:,.0f} GPU-hours at "
              f"${lending['fleets.azure-inference.usd_per_gained_gpu_hour']:.4f}")
        assert lending["pools.chatgpt.lent_of_lendable_frac"] >= 0.5
        assert 1.30 < lending["fleets.azure-inference.usd_per_gained_gpu_hour"] < 1.60
        assert lending["fleets.azure-inference.slowest_reclaim_s"] <= 300


def test_service_levels_do_not_change_beyond_their_paired_interval(
        pairs: list[tuple[dict[str, float], dict[str, float]]]) -> None:
    classes = fs.load(WORKLOAD).traffic
    for name in (f"traffic.{each}.{level}" for each in classes for level in LEVELS):
        if pairs[0][0][name] is not None:
            changes = [lending[name] - plain[name] for lending, plain in pairs]
            interval = T_99_OF_9 * stdev(changes) / sqrt(len(changes))
            assert abs(mean(changes)) <= interval + 1e-12, (name, changes)


def test_what_is_served_costs_the_same(pairs: list[tuple[dict[str, float], dict[str, float]]]) -> None:
    for lending, plain in pairs:
        assert lending["cost.total_usd"] == plain["cost.total_usd"]
        assert lending["cost.idle_usd"] < plain["cost.idle_usd"]


def test_a_surge_has_its_gpus_back_within_the_reclaim_delay(tmp_path: Path) -> None:
    scenario = fs.override(fs.load(WORKLOAD, scenario="surge"), {
        "horizon.start": "2024-06-11", "horizon.end": "2024-06-13"})
    run = fs.simulate(scenario, results=tmp_path)
    calls = run.query("select kind::varchar as kind, epoch(time) as at, value from fact_event "
                      "where kind in ('called_in', 'handed_over') and time >= '2024-06-11 22:00:00+00' "
                      "and time < '2024-06-11 23:00:00+00' order by time").to_pylist()
    called = [row for row in calls if row["kind"] == "called_in"]
    assert sum(row["value"] for row in called) > 50_000
    for row in called:
        handed = [each for each in calls if each["kind"] == "handed_over" and each["at"] >= row["at"]]
        assert handed[0]["at"] - row["at"] <= 300
