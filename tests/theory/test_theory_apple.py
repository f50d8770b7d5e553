"""Apple's surge, from the tables of its runs: what the extra queries cost in GPUs, and who runs out when."""

import math
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from preset_runs import WORKLOADS, Preset, value
from theory_scenario import Array

from fleetsim.engine import simulate
from fleetsim.output.run import Run
from fleetsim.output.sink import TableSink
from fleetsim.spec import load as load_file

START = datetime(2024, 12, 1, tzinfo=UTC)
HOURS = 396 * 24
LAUNCH = datetime(2024, 12, 11, tzinfo=UTC)
SURGES = {"low": (5e6, 60, 25), "base": (40e6, 90, 30), "high": (250e6, 45, 15)}
"""Queries a day in the end, days to half of the way, time constant in days."""
GPU_S = (900 / (312e12 * 0.40 / 200e9) + 120 / 160) / 0.30
"""A100-seconds of a Siri query on GPT-4o: 7.3."""
AVAILABILITY = 6_330 / 6_354 * (1 - 0.0364)
AZURE = (0.89, 0.98, 0.96, 0.80, 0.81, 0.88, 1.01, 1.09, 1.11, 1.08, 0.98, 1.03,
         1.15, 1.27, 1.34, 1.24, 1.13, 1.08, 1.08, 1.01, 0.92, 0.77, 0.69, 0.72)  # fmt: skip
GROWING = ("none", "low", "base", "high")
FROZEN = ("none-frozen", "base-frozen", "high-frozen")


@cache
def queries(name: str) -> Array:
    """Queries of each hour: logistic roll-out x novelty x the day in New York, twelve steps an hour."""
    extra, midpoint, tau = SURGES[name]
    t = (np.arange(HOURS * 12) + 0.5) / 288 - (LAUNCH - START).days
    at_start = 1 / (1 + math.exp(midpoint / tau))
    level = 1 / (1 + np.exp(-(t - midpoint) / tau))
    per_day = np.where(t > 0, extra * (level - at_start) / (1 - at_start) * (1 + 0.5 * np.exp(-t / 10)), 0)
    profile = np.array(AZURE) * 24 / sum(AZURE)
    day = 1 + 0.60 / (profile.max() - 1) * (profile - 1)
    zone = ZoneInfo("America/New_York")
    local = [(START + timedelta(hours=n)).astimezone(zone).hour for n in range(HOURS)]
    result: Array = per_day.reshape(-1, 12).mean(axis=1) / 24 * day[local]
    return result


def hourly(run: Run, what: str) -> Array:
    """A sum over ChatGPT's rows of each hour."""
    rows = run.query(f"select sum({what}) as value from fact_capacity_hourly where pool = 'chatgpt' "
                     "group by hour order by hour")
    found: Array = rows["value"].to_numpy()
    assert len(found) == HOURS
    return found


def load(run: Run) -> Array:
    return hourly(run, "load_offered_gpu_hours") / hourly(run, "load_capacity_gpu_hours")


@pytest.mark.parametrize("pool", ["chatgpt", "api"])
def test_without_apple_the_growing_fleet_is_never_short(preset: Preset, pool: str) -> None:
    short = value(preset("apple-surge", "none"), f"""
        select count(*) from fact_capacity_hourly
        where pool = '{pool}' and load_offered_gpu_hours > load_capacity_gpu_hours""")
    assert short == 0


@pytest.mark.parametrize("name", SURGES)
def test_every_hour_requires_the_extra_queries_gpus(preset: Preset, name: str) -> None:
    """Required GPUs come from expected rates, so the difference has no noise."""
    more = (hourly(preset("apple-surge", name), "required_gpu_hours")
            - hourly(preset("apple-surge", "none"), "required_gpu_hours"))
    closed_form = queries(name) / 3_600 * GPU_S / (0.92 * AVAILABILITY)
    np.testing.assert_allclose(more, closed_form, rtol=1e-6, atol=1e-3)


@pytest.mark.parametrize("name", SURGES)
def test_the_extra_busy_gpu_hours_are_the_extra_queries_work(preset: Preset, name: str) -> None:
    """All are served on the growing path; noise of 3 % and half an hour's memory leaves 0.03 %."""
    more = (hourly(preset("apple-surge", name), "busy_gpu_hours").sum()
            - hourly(preset("apple-surge", "none"), "busy_gpu_hours").sum())
    assert more == pytest.approx(queries(name).sum() * GPU_S / 3_600, rel=0.003)


def test_the_peak_load_rises_with_the_surge(preset: Preset) -> None:
    loads = {name: load(preset("apple-surge", name)) for name in GROWING}
    peaks = [loads[name].max() for name in GROWING]
    assert peaks == sorted(peaks)
    assert len(set(peaks)) == len(peaks)
    healthy = hourly(preset("apple-surge", "none"), "healthy_gpu_hours")
    for name in SURGES:
        peak = int(loads[name].argmax())
        more = loads[name][peak] - loads["none"][peak]
        # The hour's own noise, 3 %: 0.1 is more than three of them.
        assert more == pytest.approx(queries(name)[peak] / 3_600 * GPU_S / healthy[peak], rel=0.1)


def first_short_hour(run: Run) -> datetime:
    found: datetime = value(run, """
        select min(hour) from fact_capacity_hourly
        where pool = 'chatgpt' and load_offered_gpu_hours > load_capacity_gpu_hours""")
    return found


def test_the_frozen_fleet_runs_out_in_mid_february_or_before(preset: Preset) -> None:
    none, base, high = (first_short_hour(preset("apple-surge", name)) for name in FROZEN)
    assert datetime(2025, 2, 10, tzinfo=UTC) <= none < datetime(2025, 2, 21, tzinfo=UTC)
    assert high <= base <= none


def test_on_the_frozen_fleet_more_apple_means_more_of_everything_bad(preset: Preset) -> None:
    """Hours short, messages lost (free ones first), and GPUs that would have to be rented."""
    runs = [preset("apple-surge", name) for name in FROZEN]
    short = [int((load(run) > 1).sum()) for run in runs]
    lost = [int(value(run, "select sum(messages_shed + messages_abandoned) from fact_traffic_hourly"))
            for run in runs]
    required = [hourly(run, "required_gpu_hours").sum() for run in runs]
    for figures in (short, lost, required):
        assert figures == sorted(figures)
        assert len(set(figures)) == len(figures)
    for run in runs:
        frac = {row["traffic_class"]: row["lost"] for row in run.query("""
            select traffic_class, sum(messages_shed + messages_abandoned) / sum(messages_arrived) as lost
            from fact_traffic_hourly where pool = 'chatgpt' and traffic_class <> 'siri'
            group by traffic_class""").to_pylist()}
        assert frac["team_ent"] <= frac["plus"] <= frac["free_text"]


def test_on_the_frozen_fleet_waits_grow_with_apple_and_fall_with_priority(preset: Preset) -> None:
    """99th percentile by class: who pays most waits least, and none waits less with more of Apple."""
    waits = []
    for name in FROZEN:
        run = preset("apple-surge", name)
        waits.append({one: run.figure(f"traffic.{one}.wait_p99_s")
                      for one in ("team_ent", "plus", "free_text")})
    for wait in waits:
        assert wait["team_ent"] <= wait["plus"] <= wait["free_text"]
    for less, more in pairwise(waits):
        assert all(more[one] >= less[one] for one in less)
    assert waits[-1]["free_text"] > 0


@pytest.mark.parametrize("name", FROZEN)
def test_the_elastic_bound_is_the_required_gpu_hours_at_the_price(preset: Preset, name: str) -> None:
    run = preset("apple-surge", name)
    required = value(run, """select sum(required_gpu_hours) from fact_capacity_hourly join dim_fleet
                             using (run_id, fleet) where role = 'serving'""")
    (price,) = {contract["usd_per_gpu_hour"] for contract in run.arrow("dim_contract").to_pylist()
                if contract["fleet"] == "azure-inference"}
    assert run.figure("cost.elastic_bound_usd") == pytest.approx(required * price, rel=1e-6)


FEBRUARY = {"horizon.end": "2025-03-01"}


def first_short(name: str, seed: int, **settings: object) -> datetime:
    """The first hour in which ChatGPT runs short, to the end of February 2025."""
    overrides = [f"{path}={text}" for path, text in {**FEBRUARY, **settings}.items()]
    scenario = load_file(WORKLOADS / "apple-surge.yaml", scenario=name, overrides=overrides).scenario
    sink = TableSink()
    simulate(scenario, seed=seed, sink=sink, tables=["fact_capacity_hourly"])
    rows = sink.table("fact_capacity_hourly").to_pandas()
    chatgpt = rows[rows["pool"] == "chatgpt"].groupby("hour")[
        ["load_offered_gpu_hours", "load_capacity_gpu_hours"]].sum()
    short = chatgpt[chatgpt["load_offered_gpu_hours"] > chatgpt["load_capacity_gpu_hours"]]
    found: datetime = short.index.min().to_pydatetime()
    return found


def test_without_noise_the_frozen_fleet_runs_out_in_mid_february() -> None:
    traffic = load_file(WORKLOADS / "apple-surge.yaml", scenario="none-frozen").scenario.traffic
    quiet = {f"traffic.{name}.noise_cv_frac": 0 for name in traffic}
    found = first_short("none-frozen", 0, **quiet)
    assert datetime(2025, 2, 10, tzinfo=UTC) <= found < datetime(2025, 2, 21, tzinfo=UTC)


@pytest.mark.parametrize("seed", range(6))
def test_noise_moves_the_first_stock_out_by_days_and_apple_brings_it_forward(seed: int) -> None:
    none, base, high = (first_short(name, seed) for name in FROZEN)
    assert datetime(2025, 2, 1, tzinfo=UTC) <= none < datetime(2025, 2, 21, tzinfo=UTC)
    assert high <= base <= none
