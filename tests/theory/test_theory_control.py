"""Two gpu types in spill-over order, dated changes inside a step, the warm-up."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from theory_scenario import GPU_S, column, one_class, one_pool, scenario_of, simulated

STEP_S = 300
DAY_S = 86_400


@pytest.mark.parametrize("per_step", [100, 400, 700, 900])
def test_each_fleet_does_the_work_in_its_own_gpu_seconds(tmp_path: Path, per_step: int) -> None:
    """An H100 reads 2.6 and writes 1.64 times as fast as an A100, so that work is not one number."""
    parts = one_pool(100, end="2024-01-01T01:00", step_s=STEP_S)
    parts["fleets"]["oracle"] = {"gpu": "h100-80gb", "provider": "oracle",
                                 "tranches": [{"date": "2024-01-01", "gpus": 40}]}
    parts["pools"]["chat"]["fleets"]["oracle"] = {"share_frac": 1.0}
    parts["contracts"]["oracle"] = {"kind": "reserved", "fleet": "oracle", "usd_per_gpu_hour": 2.0}
    parts["services"] = {"model": {"rates": {"prefill_tokens_per_s_per_gpu": 200,
                                             "decode_tokens_per_s_per_gpu": 50}, "efficiency_frac": 0.5}}
    users = one_class(per_step * DAY_S / STEP_S, prompt_tokens={"mean": 2_600},
                      output_tokens={"mean": 410}, calls_per_message=2)
    sink = simulated(scenario_of(tmp_path, **parts, traffic={"users": users}), steps=True)

    prefill_a, decode_a = 2 * 2_600 / 200 / 0.5, 2 * 410 / 50 / 0.5
    prefill_h, decode_h = prefill_a / 2.6, decode_a / 1.64
    at_azure = min(per_step, 100 * STEP_S / (prefill_a + decode_a))
    at_oracle = min(per_step - at_azure, 40 * STEP_S / (prefill_h + decode_h))
    hour = {fleet: [float(column(sink, "fact_capacity_hourly", f"{name}_gpu_hours", fleet=fleet)[0])
                    for name in ("prefill", "decode")] for fleet in ("azure", "oracle")}
    assert hour["azure"] == pytest.approx([at_azure / STEP_S * prefill_a, at_azure / STEP_S * decode_a])
    assert hour["oracle"] == pytest.approx([at_oracle / STEP_S * prefill_h, at_oracle / STEP_S * decode_h])
    # Required: what fills azure to 0.92 of its GPUs stays there, all the rest is the last fleet's.
    offered_h = (per_step - at_azure) * (prefill_h + decode_h) / STEP_S
    required = {fleet: float(column(sink, "fact_capacity_hourly", "required_gpu_hours", fleet=fleet)[0])
                for fleet in ("azure", "oracle")}
    assert required["azure"] == pytest.approx(at_azure * (prefill_a + decode_a) / STEP_S / 0.92)
    assert required["oracle"] == pytest.approx(offered_h / 0.92)


def utc(minute: int, second: int = 0) -> datetime:
    return datetime(2024, 1, 1, 0, minute, second, tzinfo=UTC)


def events(sink: Any) -> dict[tuple[str, str], tuple[datetime, datetime]]:
    """By thing and kind: when it happened and from when on it acts."""
    rows = sink.table("fact_event").to_pylist()
    return {(row["thing"], row["kind"]): (row["time"], row["effective_time"]) for row in rows}


def test_a_change_inside_a_step_acts_at_the_next(tmp_path: Path) -> None:
    parts = one_pool(100, end="2024-01-01T01:00", step_s=STEP_S)
    parts["fleets"]["azure"]["tranches"].append({"date": "2024-01-01T00:07:30", "gpus": 50})
    parts["fleets"]["azure"]["outages"] = {
        "fire": {"start": "2024-01-01T00:21", "end": "2024-01-01T00:29:59", "gpus": 40}}
    parts["services"]["model"]["efficiency_frac"] = {"2024-01-01": 1.0, "2024-01-01T00:41": 2.0}
    surges = {"rush": {"kind": "step", "class": "users", "start": "2024-01-01T00:15:01",
                       "end": "2024-01-01T00:49", "extra_messages_per_day": 200 * 288}}
    sink = simulated(scenario_of(tmp_path, **parts, surges=surges,
                                 traffic={"users": one_class(500 * 288)}), steps=True)

    def by_step(table: str, name: str) -> list[float]:
        where = {"pool": "chat"} if table == "series_step_capacity" else {}
        return [round(float(value), 3) for value in column(sink, table, name, **where)]

    assert by_step("series_step_capacity", "rented_gpus") == [100] * 2 + [150] * 10
    assert by_step("series_step_capacity", "healthy_gpus") == [100] * 2 + [150] * 3 + [110] + [150] * 6
    arrived = [500] * 4 + [700] * 6 + [500] * 2
    assert by_step("series_step_traffic", "messages_arrived") == arrived
    work = [GPU_S] * 9 + [GPU_S / 2] * 3
    busy = [messages * gpu_s / STEP_S for messages, gpu_s in zip(arrived, work, strict=True)]
    assert by_step("series_step_capacity", "busy_gpus") == busy
    happened = events(sink)
    assert happened["surge/rush", "surge_start"] == (utc(15, 1), utc(20))
    assert happened["surge/rush", "surge_end"] == (utc(49), utc(50))
    assert happened["fleet/azure", "outage_start"] == (utc(21), utc(25))
    assert happened["fleet/azure", "outage_end"] == (utc(29, 59), utc(30))
    assert happened["service/model", "efficiency"] == (utc(41), utc(45))
    assert happened["fleet/azure", "accepted"] == (utc(7, 30), utc(10))


def test_a_change_on_a_step_acts_at_once(tmp_path: Path) -> None:
    parts = one_pool(100, end="2024-01-01T01:00", step_s=STEP_S)
    parts["fleets"]["azure"]["tranches"].append({"date": "2024-01-01T00:10", "gpus": 50})
    sink = simulated(scenario_of(tmp_path, **parts), steps=True)
    rented = column(sink, "series_step_capacity", "rented_gpus", pool="chat")
    assert list(rented) == [100] * 2 + [150] * 10
    assert events(sink)["fleet/azure", "accepted"] == (utc(10), utc(10))


def test_the_warm_up_is_simulated_and_discarded(tmp_path: Path) -> None:
    """The recorded part is the end of the same run without warm-up: queue, failures and noise go on."""
    parts = one_pool(800, end="2024-01-03", step_s=STEP_S)
    parts["fleets"]["azure"] |= {"node_mtbf_h": 100, "repair_h": 5}
    users = one_class(1.1 * 800 / GPU_S * DAY_S, patience_s=7_200, noise_cv_frac=0.05)
    whole = simulated(scenario_of(tmp_path, **parts, traffic={"users": users}), steps=True)
    parts["horizon"]["warmup_days"] = 1.25
    part = simulated(scenario_of(tmp_path, **parts, traffic={"users": users}), steps=True)
    for table, times in (("fact_capacity_hourly", "hour"), ("fact_traffic_hourly", "hour"),
                         ("fact_wait_hourly", "hour"), ("fact_cost_hourly", "hour"),
                         ("series_step_capacity", "time"), ("series_step_traffic", "time")):
        kept = column(whole, table, times) >= int(datetime(2024, 1, 2, 6, tzinfo=UTC).timestamp() * 1e6)
        own = np.ones(part.table(table).num_rows, dtype=bool)
        if table == "fact_cost_hourly":  # a month's payment stands on its first recorded hour
            kept &= column(whole, table, "charge_category") == "Usage"
            own = column(part, table, "charge_category") == "Usage"
        for name in part.table(table).column_names:
            np.testing.assert_array_equal(column(part, table, name)[own], column(whole, table, name)[kept],
                                          name)
        assert 0 < kept.sum() < len(kept)
