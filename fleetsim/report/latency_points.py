"""A latency table as plain data: percentiles of every point."""

from typing import Any

from fleetsim.model.latency_table import FULL, METRICS, LatencyPoint, LatencyTable, latency_edges_s
from fleetsim.output.waits import percentile

QUANTILES = (50, 99)


def as_dict(table: LatencyTable) -> dict[str, Any]:
    """What it was measured with, saturation beside the formula's, and the points.

    `load_frac` is None for a replica that is kept full.
    """
    return {
        "service": table.service, "profile": table.profile, "routing": table.routing,
        "max_batch": table.batching.max_batch, "requests_per_point": table.requests,
        "warmup_frac": table.warmup_frac, "seed": table.seed, "fleetsim_version": table.version,
        "gpus": {gpu: {"gpus": each.gpus, "formula_rps": each.formula_rps, "measured_rps": each.measured_rps,
                       "settle_s": each.settle_s, "spread_s": dict(table.spread_s[gpu])}
                 for gpu, each in table.replicas_of.items()},
        "mix": {name: part.share_frac for name, part in table.mix.items()},
        "points": [{
            "gpu": point.gpu, "traffic_class": point.traffic_class, "replicas": point.replicas,
            "load_frac": None if point.load_frac == FULL else point.load_frac, "requests": point.requests(),
            **{f"{metric}_p{q}_s": point_percentile(point, metric, q / 100)
               for metric in METRICS for q in QUANTILES},
        } for point in table.points],
    }


def point_percentile(point: LatencyPoint, metric: Any, q: float) -> float | None:
    """A percentile of one metric at one point, seconds; None without requests that have it."""
    edges = latency_edges_s()
    return percentile([(edges[b], edges[b + 1], count)
                       for b, count in sorted(point.counts[metric].items())], q)
