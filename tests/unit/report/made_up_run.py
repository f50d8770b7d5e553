"""A made-up run for the report's tests: two pools, three classes, a surge, a shortage, two contracts."""

from pathlib import Path
from typing import Any, ClassVar

import duckdb
import numpy as np
import pandas as pd
from made_up_summary import made_up_summary


class MadeUpRun:
    """Answers SQL over made-up tables as a real run does; nothing is on disk."""

    path = Path("results/made-up/0123abcd")
    scenario: ClassVar[dict[str, Any]] = {}
    """Without contracts: nothing was paid before the first hour."""

    def __init__(self, days: int = 90, *, short: bool = True, latency: bool = False) -> None:
        hours = pd.date_range("2024-01-01", periods=24 * days, freq="h", tz="UTC")
        self.summary = made_up_summary()
        self.summary["horizon"] |= {"end": f"{hours[-1] + pd.Timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"}
        clock = hours.hour.to_numpy()
        growth = np.linspace(0.6, 1.1 if short else 0.8, len(hours))
        demand = growth * (1 + 0.3 * np.sin(2 * np.pi * (clock - 9) / 24)) / 1.3
        self.tables = {
            "fact_capacity_hourly": pd.concat([
                capacity_rows(hours, demand, "chatgpt", 29_000),
                capacity_rows(hours, demand * 0.7, "api", 6_000),
                capacity_rows(hours, demand * 0, "training", 12_000),
            ]),
            "fact_traffic_hourly": pd.concat([
                traffic_rows(hours, demand, "plus", "chatgpt", 20_000),
                traffic_rows(hours, demand, "free_text", "chatgpt", 7_840),
                traffic_rows(hours, demand * 0.7, "api_gpt4", "api", 5_760),
            ]),
            "fact_wait_hourly": wait_rows(hours, demand),
            "fact_latency_hourly": latency_rows(hours, demand)[: None if latency else 0],
            "fact_cost_hourly": pd.concat([cost_rows(hours, "azure-a100", 35_000),
                                           cost_rows(hours, "azure-training", 12_000)]),
            "dim_traffic_class": pd.DataFrame({"traffic_class": ["free_text", "plus", "api_gpt4", "idle"],
                                               "pool": ["chatgpt", "chatgpt", "api", None]}),
            "dim_contract": pd.DataFrame({"contract": ["azure-a100", "azure-training"]}),
            "fact_event": pd.DataFrame({
                "effective_time": [hours[len(hours) // 2]], "thing": ["surge/apple"],
                "kind": ["surge_start"]}),
        }
        self.connection = duckdb.connect()
        self.connection.execute("set TimeZone = 'UTC'")
        for name, rows in self.tables.items():
            self.connection.register(name, rows)

    def query(self, query: str) -> Any:
        return self.connection.sql(query).to_arrow_table()


def latency_rows(hours: pd.DatetimeIndex, demand: np.ndarray) -> pd.DataFrame:
    """Half of the messages within 0.1 s of TTFT, half within a time that grows with demand; TPOT a tenth."""
    parts = [pd.DataFrame({"hour": hours, "traffic_class": "api_gpt4", "metric": metric, "latency_low_s": low,
                           "latency_high_s": high, "messages": np.full(len(hours), 500)})
             for metric, scale in (("ttft", 1.0), ("tpot", 0.1), ("e2e", 10.0))
             for low, high in ((0.09 * scale, 0.1 * scale), (scale * demand, 1.1 * scale * demand))]
    return pd.concat(parts)


def capacity_rows(hours: pd.DatetimeIndex, demand: np.ndarray, pool: str, gpus: int) -> pd.DataFrame:
    healthy = gpus * 0.96
    offered = demand * healthy
    return pd.DataFrame({
        "hour": hours, "fleet": "azure", "pool": pool, "gpu": "a100-80gb", "provider": "azure",
        "rented_gpu_hours": float(gpus), "healthy_gpu_hours": healthy, "allocated_gpu_hours": healthy,
        "lent_gpu_hours": 0.0, "borrowed_gpu_hours": 0.0,
        "busy_gpu_hours": np.minimum(offered, healthy), "required_gpu_hours": offered / (0.92 * 0.96),
        "load_offered_gpu_hours": offered, "load_capacity_gpu_hours": healthy if pool != "training" else 0.0,
    })


def traffic_rows(hours: pd.DatetimeIndex, demand: np.ndarray, name: str, pool: str,
                 gpus: int) -> pd.DataFrame:
    arrived = np.rint(demand * 10_000).astype(np.int64)
    return pd.DataFrame({
        "hour": hours, "traffic_class": name, "service": "gpt-4o", "pool": pool, "messages_arrived": arrived,
        "messages_shed": 0,
        "messages_abandoned": np.rint(arrived * np.maximum(0, demand - 1)).astype(np.int64),
        "busy_gpu_hours": gpus * np.minimum(demand, 1.0),
    })


def wait_rows(hours: pd.DatetimeIndex, demand: np.ndarray) -> pd.DataFrame:
    waited = demand > 1
    bucket = np.where(waited, np.rint(40 + 100 * (demand - 1)), 0)
    high = np.where(waited, 0.125 * 2 ** (bucket / 8), 0.0)
    rows = [pd.DataFrame({"hour": hours, "traffic_class": name, "bucket": bucket,
                          "wait_low_s": high / 2 ** 0.125, "wait_high_s": high * factor, "messages": 10_000})
            for name, factor in (("free_text", 1.0), ("plus", 0.0), ("api_gpt4", 0.0))]
    return pd.concat(rows)


def cost_rows(hours: pd.DatetimeIndex, contract: str, gpus: int) -> pd.DataFrame:
    return pd.DataFrame({"hour": hours, "fleet": "azure", "contract": contract, "gpu_hours": float(gpus),
                         "charge_category": "Usage", "clause": "usage", "list_usd": gpus * 4.10,
                         "contracted_usd": gpus * 1.50, "effective_usd": gpus * 1.30,
                         "billed_usd": np.where(hours == hours[0], gpus * 1.30 * len(hours) * 2, 0.0)})
