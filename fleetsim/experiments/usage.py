"""What a finished run's meter said: the usage that contracts are rated on, read back from its tables.

On the basis `metered` a fleet's use is its allocated GPU-hours, as the run was billed. On the basis
`required` it is the hourly mean of the required GPUs, unrounded: what would be rented if every GPU could be
had and given back by the hour. That is a bound, since nobody procures so exactly.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fleetsim.ledger.allocation import ShareUse, Work
from fleetsim.ledger.usage import Delivery, HourlyUsage
from fleetsim.output.run import Run

if TYPE_CHECKING:
    from fleetsim.model.scenario import Scenario

Basis = Literal["metered", "required"]
HOUR_S = 3_600.0

_METER = """
    select fleet::varchar as fleet, epoch_us(hour) as hour_us,
           sum(rented_gpu_hours) as rented, sum(allocated_gpu_hours) as allocated,
           sum(required_gpu_hours) as required, sum(elastic_gpu_hours) as elastic,
           sum(elastic_allocated_gpu_hours) as elastic_allocated,
           sum(failed_gpu_hours + outage_gpu_hours) as lost, sum(energy_kwh) as energy
    from fact_capacity_hourly group by fleet, hour order by fleet, hour
"""
_DELIVERIES = """
    select fleet::varchar, gpus, epoch_us(promised_time), epoch_us(accepted_time), epoch_us(handed_back_time)
    from fact_delivery order by fleet, tranche
"""


def metered_usage(run: Run, scenario: "Scenario") -> dict[str, dict[Basis, HourlyUsage]]:
    """By fleet and basis: the usage of every recorded hour."""
    meter = run.query(_METER)
    columns = {name: meter.column(name).to_numpy(zero_copy_only=False) for name in meter.column_names}
    deliveries = _deliveries(run)
    found: dict[str, dict[Basis, HourlyUsage]] = {}
    for fleet, spec in scenario.fleets.items():
        rows = columns["fleet"] == fleet
        own = {name: values[rows] for name, values in columns.items() if name != "fleet"}
        whole = {name: _whole(own[name] * HOUR_S)
                 for name in ("rented", "allocated", "required", "elastic", "elastic_allocated", "lost")}
        common: dict[str, Any] = {
            "fleet": fleet,
            "hour_us": own["hour_us"].astype(np.int64),
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


_SHARES = """
    select fleet::varchar as fleet, pool::varchar as pool, rented_gpu_hours as rented,
           prefill_gpu_hours + decode_gpu_hours as busy
    from fact_capacity_hourly where fleet in (select fleet from dim_fleet where role = 'serving')
    order by fleet, pool, hour
"""
_WORK = """
    select traffic_class::varchar as traffic_class, service::varchar as service, pool::varchar as pool,
           epoch_us(hour) as hour_us, busy_gpu_hours as busy
    from fact_traffic_hourly order by traffic_class, service, hour
"""


def work_of(run: Run, hour_us: Any) -> tuple[list[ShareUse], list[Work]]:
    """What each pool's part of a fleet was, and what each class had done, by recorded hour."""
    shares = {name: column.to_numpy(zero_copy_only=False) for name, column in _columns(run, _SHARES)}
    found = []
    for fleet, pool in dict.fromkeys(zip(shares["fleet"], shares["pool"], strict=True)):
        rows = (shares["fleet"] == fleet) & (shares["pool"] == pool)
        if rows.sum() == len(hour_us):
            found.append(ShareUse(fleet, pool, shares["rented"][rows], shares["busy"][rows]))
    traffic = {name: column.to_numpy(zero_copy_only=False) for name, column in _columns(run, _WORK)}
    keys = list(zip(traffic["traffic_class"], traffic["service"], traffic["pool"], strict=True))
    names = np.array(["/".join(key) for key in keys]) if keys else np.zeros(0, dtype=str)
    work = []
    for key in dict.fromkeys(keys):
        rows = names == "/".join(key)
        busy = np.zeros(len(hour_us))
        busy[np.searchsorted(hour_us, traffic["hour_us"][rows])] = traffic["busy"][rows]
        work.append(Work(*key, busy))
    return found, work


def _columns(run: Run, query: str) -> list[tuple[str, Any]]:
    rows = run.query(query)
    return list(zip(rows.column_names, rows.columns, strict=True))


def _deliveries(run: Run) -> Mapping[str, tuple[Delivery, ...]]:
    rows = run.query(_DELIVERIES)
    found: dict[str, tuple[Delivery, ...]] = {}
    for fleet, gpus, promised, accepted, end in zip(*(column.to_pylist() for column in rows.columns),
                                                    strict=True):
        each = Delivery(accepted_us=accepted, gpus=gpus, promised_us=promised, end_us=end)
        found[fleet] = (*found.get(fleet, ()), each)
    return found


def _whole(values: Any) -> Any:
    return np.rint(values).astype(np.int64)
