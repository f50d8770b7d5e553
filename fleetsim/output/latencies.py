"""The latency of served messages over a window: of the hours for which a class's latency is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleetsim.output.waits import Bucket
from fleetsim.output.window import Window


@dataclass(frozen=True)
class ClassLatency:
    """What is known of one traffic class; an hour is known when the histograms count all it served."""

    known_served: int
    """Served messages of the known hours."""
    arrived: Mapping[str, int]
    """By metric: first attempts of the known hours, as far as the class has a limit for the metric."""
    met: Mapping[str, int]
    """By metric: of the messages served in these hours, those within the limit."""
    histograms: Mapping[str, list[Bucket]]
    """By metric: the served messages of the known hours, shortest first."""


NOTHING = ClassLatency(0, {}, {}, {})


def read_latencies(connection: Any, window: Window) -> dict[str, ClassLatency]:
    """By traffic class; classes of which no message's latency is known are left out."""
    rows = connection.execute(f"""
        {_hours(window)}
        select traffic_class, sum(counted) filter (known),
               sum(arrived) filter (known and ttft_met is not null), sum(ttft_met) filter (known),
               sum(arrived) filter (known and tpot_met is not null), sum(tpot_met) filter (known)
        from hours group by traffic_class""").fetchall()
    histograms = _histograms(connection, window)
    found = {}
    for name, *sums in rows:
        known, ttft_arrived, ttft_met, tpot_arrived, tpot_met = (int(value or 0) for value in sums)
        if known:
            found[name] = ClassLatency(
                known, {"ttft": ttft_arrived, "tpot": tpot_arrived},
                {"ttft": ttft_met, "tpot": tpot_met}, histograms.get(name, {}))
    return found


def _hours(window: Window) -> str:
    """A query's head: `hours` of each class that has any latency, with what they served and whether it is
    known."""
    return f"""
        with counts as (
            select hour, traffic_class, sum(messages) as counted from fact_latency_hourly
            where {window.sql()} and metric = 'ttft' group by hour, traffic_class),
        traffic as (
            select hour, traffic_class, sum(messages_served) as served, sum(messages_arrived) as arrived,
                   sum(slo_ttft_met_count) as ttft_met, sum(slo_tpot_met_count) as tpot_met
            from fact_traffic_hourly
            where {window.sql()} and traffic_class in (select traffic_class from counts)
            group by hour, traffic_class),
        hours as (
            select traffic.*, coalesce(counted, 0) as counted, coalesce(counted, 0) = served as known
            from traffic left join counts using (hour, traffic_class))"""


def _histograms(connection: Any, window: Window) -> dict[str, dict[str, list[Bucket]]]:
    """By traffic class and metric: the known hours' messages."""
    rows = connection.execute(f"""
        {_hours(window)}
        select traffic_class, metric, latency_low_s, latency_high_s, sum(messages)
        from fact_latency_hourly semi join (select hour, traffic_class from hours where known)
            using (hour, traffic_class)
        group by traffic_class, metric, bucket, latency_low_s, latency_high_s order by bucket""").fetchall()
    found: dict[str, dict[str, list[Bucket]]] = {}
    for name, metric, low, high, messages in rows:
        found.setdefault(name, {}).setdefault(metric, []).append((low, high, int(messages)))
    return found
