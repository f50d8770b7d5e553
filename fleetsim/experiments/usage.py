"""What a finished run's meter said: the usage that contracts are rated on, read back from its tables.

On the basis `metered` a fleet's use is its allocated GPU-hours, as the run was billed. On the basis
`required` it is the hourly mean of the required GPUs, unrounded: what would be rented if every GPU could be
had and given back by the hour. That is a bound, since nobody procures so exactly.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pyarrow.compute as pc

from fleetsim.ledger.allocation import ShareUse, Work
from fleetsim.ledger.usage import Delivery, HourlyUsage
from fleetsim.output.run import Run
from fleetsim.timebase import HOUR_S, HOUR_US, epoch_us

if TYPE_CHECKING:
    from fleetsim.model.scenario import Scenario

Basis = Literal["metered", "required"]
SEPARATOR = "/"
"""In no name."""

GPU_HOURS = ("rented", "allocated", "required", "elastic", "elastic_allocated", "lost")
_METER = """
    select fleet::varchar as fleet, epoch_us(hour) as hour_us,
           sum(rented_gpu_hours) as rented, sum(allocated_gpu_hours) as allocated,
           sum(required_gpu_hours) as required, sum(elastic_gpu_hours) as elastic,
           sum(elastic_allocated_gpu_hours) as elastic_allocated,
           sum(failed_gpu_hours + outage_gpu_hours) as lost, sum(energy_kwh) as energy
    from fact_capacity_hourly group by fleet, hour order by fleet, hour
"""
_SHARES = """
    select fleet::varchar as fleet, pool::varchar as pool, epoch_us(hour) as hour_us,
           rented_gpu_hours as rented,
           case when pool = 'training' then allocated_gpu_hours
                else prefill_gpu_hours + decode_gpu_hours end as busy
    from fact_capacity_hourly where fleet in (select fleet from dim_fleet where role = 'serving')
    order by fleet, pool, hour
"""
_WORK = """
    select traffic_class::varchar as traffic_class, service::varchar as service, pool::varchar as pool,
           epoch_us(hour) as hour_us, busy_gpu_hours as busy
    from fact_traffic_hourly
    union all
    select 'training', 'training', 'training', epoch_us(hour), sum(allocated_gpu_hours)
    from fact_capacity_hourly
    where pool = 'training' and fleet in (select fleet from dim_fleet where role = 'serving') group by hour
    order by traffic_class, service, hour_us
"""
_DELIVERIES = """
    select fleet::varchar, gpus, epoch_us(promised_time), epoch_us(accepted_time), epoch_us(handed_back_time)
    from fact_delivery order by fleet, tranche
"""


def recorded_hours(run: Run) -> Any:
    """Start of each recorded hour, microseconds since 1970."""
    return np.arange(epoch_us(run.window.start), epoch_us(run.window.end), HOUR_US, dtype=np.int64)


def metered_usage(run: Run, scenario: "Scenario") -> dict[str, dict[Basis, HourlyUsage]]:
    """By fleet and basis: the usage of every recorded hour."""
    hour_us = recorded_hours(run)
    meter = {fleet: columns for (fleet,), columns in _by_hour(
        run, _METER, ("fleet",), (*GPU_HOURS, "energy"), hour_us)}
    deliveries = deliveries_of(run)
    found: dict[str, dict[Basis, HourlyUsage]] = {}
    for fleet, spec in scenario.fleets.items():
        own = meter.get(fleet, dict.fromkeys((*GPU_HOURS, "energy"), np.zeros(len(hour_us))))
        whole = {name: _whole(own[name] * HOUR_S) for name in GPU_HOURS}
        common: dict[str, Any] = {
            "fleet": fleet,
            "hour_us": hour_us,
            "committed_gpu_s": whole["rented"] - whole["elastic"],
            "lost_gpu_s": whole["lost"],
            "energy_wh": _whole(own["energy"] * 1_000.0),
            "elastic_contract": spec.elastic.contract if spec.elastic else None,
            "deliveries": deliveries.get(fleet, ()),
        }
        found[fleet] = {
            "metered": HourlyUsage(**common, elastic_allocated_gpu_s=whole["elastic_allocated"],
                                   allocated_gpu_s=whole["allocated"] - whole["elastic_allocated"]),
            "required": HourlyUsage(**common, elastic_allocated_gpu_s=np.zeros_like(whole["required"]),
                                    allocated_gpu_s=whole["required"]),
        }
    return found


def work_of(run: Run) -> tuple[list[ShareUse], list[Work]]:
    """What each pool's part of a fleet was, and what each class had done, by recorded hour."""
    hour_us = recorded_hours(run)
    shares = [ShareUse(fleet, pool, columns["rented"], columns["busy"]) for (fleet, pool), columns in
              _by_hour(run, _SHARES, ("fleet", "pool"), ("rented", "busy"), hour_us)]
    work = [Work(traffic_class, service, pool, columns["busy"])
            for (traffic_class, service, pool), columns in _by_hour(
                run, _WORK, ("traffic_class", "service", "pool"), ("busy",), hour_us)]
    return shares, work


def _by_hour(run: Run, query: str, keys: tuple[str, ...], values: tuple[str, ...],
             hour_us: Any) -> list[tuple[tuple[str, ...], dict[str, Any]]]:
    """Per combination of keys: its values at every recorded hour, 0 where it has no row."""
    rows = run.query(query)
    joined = pc.binary_join_element_wise(*(rows.column(key) for key in keys), SEPARATOR)
    coded = joined.combine_chunks().dictionary_encode()
    codes = _numpy(coded.indices, np.int32)
    places = np.searchsorted(hour_us, _numpy(rows["hour_us"], np.int64))
    found = []
    for code, joined_keys in enumerate(coded.dictionary.to_pylist()):
        own = codes == code
        columns = {}
        for name in values:
            columns[name] = np.zeros(len(hour_us))
            columns[name][places[own]] = _numpy(rows[name], np.float64)[own]
        found.append((tuple(joined_keys.split(SEPARATOR)), columns))
    return found


def _numpy(column: Any, dtype: Any) -> Any:
    """The values of an Arrow column without nulls. `to_numpy` would import pandas, which takes longer."""
    array = column.combine_chunks() if hasattr(column, "combine_chunks") else column
    return np.frombuffer(array.buffers()[1], dtype=dtype)[array.offset : array.offset + len(array)]


def deliveries_of(run: Run) -> Mapping[str, tuple[Delivery, ...]]:
    """By fleet: its tranches as they turned out."""
    rows = run.query(_DELIVERIES)
    found: dict[str, tuple[Delivery, ...]] = {}
    for fleet, gpus, promised, accepted, end in zip(*(column.to_pylist() for column in rows.columns),
                                                    strict=True):
        each = Delivery(accepted_us=accepted, gpus=gpus, promised_us=promised, end_us=end)
        found[fleet] = (*found.get(fleet, ()), each)
    return found


def _whole(values: Any) -> Any:
    return np.rint(values).astype(np.int64)
