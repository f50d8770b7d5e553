"""Lending between pools and training jobs, read from the tables of a run."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from fleetsim.output.window import DAY_US, Window


class Night(NamedTuple):
    """The hours in which a pool requires less than in the mean of their day, GPU-hours."""

    lent_gpu_hours: float
    lendable_gpu_hours: float
    """Healthy - busy / target load - headroom."""


class Lending(NamedTuple):
    """What was lent at night, and how fast it came back."""

    nights: Mapping[str, Night]
    """By pool that lends to training jobs."""
    slowest_reclaim_s: Mapping[str, float]
    """By fleet: longest time in which jobs gave up GPUs that were called in."""


def read_lending(query: Callable[[str], list[tuple[Any, ...]]], window: Window, any_lent: bool) -> Lending:
    """What the tables say of a window; nothing where nothing was lent."""
    if not any_lent:
        return Lending({}, {})
    nights = query(f"""
        with hours as (
            select pool, hour, sum(healthy_gpu_hours) healthy, sum(busy_gpu_hours) busy,
                   sum(load_required_gpu_hours) required, sum(lent_gpu_hours) lent
            from fact_capacity_hourly where {window.sql()} group by pool, hour),
        days as (select *, avg(required) over (partition by pool, epoch_us(hour) // {DAY_US}) as mean
                 from hours)
        select pool, coalesce(sum(lent), 0),
               coalesce(sum(greatest(0, healthy * (1 - lending_headroom_frac) - busy / target_load_frac)), 0)
        from days join dim_pool using (pool)
        where lending_headroom_frac is not null and required < mean group by pool""")
    reclaims = query(f"""
        select thing[7:], max(value) from fact_event
        where kind = 'handed_over' and {window.sql("time")} group by 1""")
    return Lending({pool: Night(lent, lendable) for pool, lent, lendable in nights}, dict(reclaims))
