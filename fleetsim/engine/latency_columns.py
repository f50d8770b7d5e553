"""Latency histograms as columns of the tables of a run."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fleetsim.engine.index import Index
from fleetsim.engine.latency_hours import HourCounts
from fleetsim.kernel.arrays import Array
from fleetsim.model.latency_table import METRICS, Metric, latency_edges_s
from fleetsim.model.scenario import Scenario
from fleetsim.units import Coded


def latency_columns(found: HourCounts, hour_us: Array, index: Index,
                    services: Sequence[str]) -> dict[str, Any]:
    """Rows of `fact_latency_hourly`: buckets with messages, by hour, class, service, metric."""
    hour, key, metric, bucket = np.nonzero(found.counts)
    classes = np.array([c for c, _ in found.keys], dtype=np.int32)
    names = np.array([services.index(name) for _, name in found.keys], dtype=np.int32)
    edges = np.array(latency_edges_s())
    return {
        "hour": hour_us[hour],
        "traffic_class": Coded(classes[key], index.classes),
        "service": Coded(names[key], tuple(services)),
        "metric": Coded(metric.astype(np.int32), tuple(METRICS)),
        "bucket": bucket,
        "latency_low_s": edges[bucket],
        "latency_high_s": edges[bucket + 1],
        "messages": found.counts[hour, key, metric, bucket],
    }


def slo_columns(found: HourCounts | None, keys: Sequence[tuple[int, str]], scenario: Scenario,
                index: Index, hours: int) -> dict[str, Any]:
    """Served messages within `slo_ttft_s` and `slo_tpot_s` by hour and key; null where that is not known."""
    limits: tuple[tuple[Metric, str], ...] = (("ttft", "slo_ttft_s"), ("tpot", "slo_tpot_s"))
    columns: dict[str, Any] = {}
    for metric, field in limits:
        met = np.zeros((hours, len(keys)), dtype=np.int64)
        known = np.zeros((hours, len(keys)), dtype=np.bool_)
        for place, (c, service) in enumerate(keys):
            limit_s = getattr(scenario.traffic[index.classes[c]], field)
            if limit_s is not None and found is not None:
                met[:, place], known[:, place] = found.within((c, service), metric, limit_s)
        columns[f"slo_{metric}_met_count"] = np.ma.masked_array(met.ravel(), mask=~known.ravel())
    return columns
