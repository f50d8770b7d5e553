"""The rows of the dimension tables, from the scenario; and the labels of training jobs."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from fleetsim.model.base import Labels, at
from fleetsim.model.contract import Contract
from fleetsim.model.pool import TRAINING, UNASSIGNED
from fleetsim.model.scenario import Scenario
from fleetsim.model.traffic import IDLE
from fleetsim.model.training_job import Gang
from fleetsim.output.layout import FIDELITY
from fleetsim.output.table import Table, text
from fleetsim.output.tables import TABLES
from fleetsim.policies import Borrow
from fleetsim.units import Coded
from fleetsim.version import __version__

JOBS = "fact_training_job"
Rows = dict[str, list[Any]]
"""Columns of Python values."""


def recorded_from(scenario: Scenario) -> datetime:
    """The first recorded hour: the horizon's start, after the warm-up."""
    return scenario.horizon.start + timedelta(hours=scenario.horizon.recorded_from)


def labelled_tables(scenario: Scenario) -> dict[str, Table]:
    """The tables as this scenario needs them: labels become text columns after the declared ones."""
    labels = {**_labels(scenario), JOBS: [job.labels for job in _jobs(scenario).values()]}
    return {name: _labelled(TABLES[name], things) for name, things in labels.items()}


def job_labels(scenario: Scenario, jobs: Coded) -> dict[str, Coded]:
    """The label columns of training jobs by name; all jobs of a stream have those of the stream."""
    made = _jobs(scenario)
    found = {}
    for label, column in _label_columns(TABLES[JOBS], [job.labels for job in made.values()]).items():
        codes: dict[str | None, int] = {None: -1}
        places = [codes.setdefault(made[name.partition("/")[0]].labels.get(label), len(codes) - 1)
                  for name in jobs.names]
        found[column] = Coded(np.array(places, dtype=np.int32)[jobs.codes],
                              tuple(text for text in codes if text is not None))
    return found


def dimension_rows(scenario: Scenario, *, seed: int, replication: int, resolution: str) -> dict[str, Rows]:
    """The rows of every dimension table, in the order of the scenario file."""
    rows = {
        "dim_run": _run(scenario, seed, replication, resolution),
        "dim_fleet": _fleets(scenario),
        "dim_pool": _pools(scenario),
        "dim_gpu": _gpus(scenario),
        "dim_service": _services(scenario),
        "dim_traffic_class": _traffic_classes(scenario),
        "dim_contract": _contracts(scenario),
        "dim_date": _dates(recorded_from(scenario), scenario.horizon.end),
    }
    for name, things in _labels(scenario).items():
        extra = len(next(iter(rows[name].values()))) - len(things)
        for label, column in _label_columns(TABLES[name], things).items():
            rows[name][column] = [*(labels.get(label) for labels in things), *([None] * extra)]
    return rows


def _jobs(scenario: Scenario) -> dict[str, Gang]:
    return {**scenario.training_jobs, **scenario.job_streams}


def _labels(scenario: Scenario) -> dict[str, list[Labels]]:
    return {
        "dim_fleet": [fleet.labels for fleet in scenario.fleets.values()],
        "dim_pool": [pool.labels for pool in scenario.pools.values()],
        "dim_service": [service.labels for service in scenario.services.values()],
        "dim_traffic_class": [traffic.labels for traffic in scenario.traffic.values()],
    }


def _label_columns(table: Table, things: list[Labels]) -> dict[str, str]:
    """Column name by label: lower case, unlike any other column's, in alphabetical order."""
    taken = {column.name for column in table.columns}
    columns = {}
    labels = {label: re.sub(r"\W+", "_", label.lower()).strip("_") or "label"
              for labels in things for label in labels}
    for label in sorted(labels, key=lambda label: (label != labels[label], label)):  # as it is written first
        name = labels[label]
        while name in taken:
            name = f"label_{name}"
        taken.add(name)
        columns[label] = name
    return dict(sorted(columns.items()))


def _labelled(table: Table, things: list[Labels]) -> Table:
    columns = _label_columns(table, things)
    return replace(table, columns=(
        *table.columns, *(text(name, f"Label `{label}` of the scenario.") for label, name in columns.items())
    ))


def _columns(things: Mapping[str, Any], **values: Callable[[str, Any], Any]) -> Rows:
    """One column per keyword, one row per thing; each value is a function of name and thing."""
    return {column: [value(name, thing) for name, thing in things.items()]
            for column, value in values.items()}


def _run(scenario: Scenario, seed: int, replication: int, resolution: str) -> Rows:
    horizon = scenario.horizon
    row = {
        "scenario": scenario.name, "seed": seed, "replication": replication, "fidelity": FIDELITY,
        "resolution": resolution, "start": horizon.start, "recorded_from": recorded_from(scenario),
        "end": horizon.end, "step_s": horizon.step_s, "currency": "USD", "generator_version": __version__,
    }
    return {column: [value] for column, value in row.items()}


def _fleets(scenario: Scenario) -> Rows:
    return _columns(
        scenario.fleets,
        fleet=lambda name, _: name,
        gpu=lambda _, fleet: fleet.gpu,
        provider=lambda _, fleet: fleet.provider,
        role=lambda _, fleet: fleet.role,
        region=lambda _, fleet: fleet.region,
        promised_gpus=lambda _, fleet: sum(tranche.gpus for tranche in fleet.tranches),
        first_delivery=lambda _, fleet: min((tranche.date for tranche in fleet.tranches), default=None),
        elastic_max_gpus=lambda _, fleet: fleet.elastic.max_gpus if fleet.elastic else None,
        node_mtbf_h=lambda _, fleet: fleet.node_mtbf_h,
        repair_h=lambda _, fleet: fleet.repair_h,
        draining_frac=lambda _, fleet: fleet.draining_frac,
        expected_availability_frac=lambda _, fleet: fleet.expected_availability_frac,
    )


def _pools(scenario: Scenario) -> Rows:
    headrooms = {policy.from_: policy.headroom_frac for policy in scenario.policies.values()
                 if isinstance(policy, Borrow) and policy.pool == TRAINING}
    rows = _columns(
        scenario.pools,
        pool=lambda name, _: name,
        kind=lambda _, __: "serving",
        fleets=lambda _, pool: ",".join(pool.fleets),
        target_load_frac=lambda _, pool: pool.target_load_frac,
        lending_headroom_frac=lambda name, _: headrooms.get(name),
    )
    for name in (TRAINING, UNASSIGNED):
        for column, values in rows.items():
            values.append(name if column in ("pool", "kind") else None)
    return rows


def _gpus(scenario: Scenario) -> Rows:
    fields = TABLES["dim_gpu"].columns[2:]
    return {"gpu": list(scenario.gpus),
            **{field.name: [getattr(gpu, field.name) for gpu in scenario.gpus.values()] for field in fields}}


def _with_others(rows: Rows, name: str, scenario: Scenario) -> Rows:
    """The rows, and those that are only a name: what training jobs borrowed, and what was idle."""
    others = [TRAINING, IDLE] if scenario.lends_to_jobs else [IDLE]
    return {column: [*values, *(other if column == name else None for other in others)]
            for column, values in rows.items()}


def _services(scenario: Scenario) -> Rows:
    start = scenario.horizon.start
    return _with_others(_columns(
        scenario.services,
        service=lambda name, _: name,
        model=lambda _, service: service.model,
        prefill_tokens_per_s_per_gpu=lambda _, service: getattr(
            service.rates, "prefill_tokens_per_s_per_gpu", None),
        decode_tokens_per_s_per_gpu=lambda _, service: getattr(
            service.rates, "decode_tokens_per_s_per_gpu", None),
        gpu_s_per_call=lambda _, service: service.gpu_s_per_call,
        engine_profile=lambda _, service: service.step_law.engine_profile if service.step_law else None,
        max_batch=lambda _, service: service.batching.max_batch if service.step_law else None,
        prefill=lambda _, service: service.batching.prefill if service.step_law else None,
        routing=lambda _, service: service.routing if service.step_law else None,
        efficiency_frac=lambda _, service: float(at(service.efficiency_frac, start)),
        gpus_per_replica=lambda _, service: service.gpus_per_replica,
    ), "service", scenario)


def _traffic_classes(scenario: Scenario) -> Rows:
    return _with_others(_columns(
        scenario.traffic,
        traffic_class=lambda name, _: name,
        pool=lambda _, traffic: traffic.pool,
        services=lambda _, traffic: ",".join(traffic.services()),
        priority=lambda _, traffic: traffic.priority,
        calls_per_message=lambda _, traffic: traffic.calls_per_message,
        prompt_tokens_mean=lambda _, traffic: traffic.prompt_tokens.mean,
        output_tokens_mean=lambda _, traffic: traffic.output_tokens.mean,
        shape=lambda _, traffic: traffic.shape.kind,
        patience_s=lambda _, traffic: traffic.patience_s,
        max_retries=lambda _, traffic: traffic.retry.max_retries if traffic.retry else 0,
        slo_wait_s=lambda _, traffic: traffic.slo_wait_s,
    ), "traffic_class", scenario)


def _contracts(scenario: Scenario) -> Rows:
    terms = scenario.source.get("contracts")
    written = terms if isinstance(terms, Mapping) else {}

    def price(contract: object, field: str) -> float | None:
        value = getattr(contract, field, None)
        return None if value is None else float(at(value, scenario.horizon.start))

    def minimum(contract: Contract) -> float:
        return float(getattr(contract, "minimum_frac", contract.bills == "committed"))

    return _columns(
        scenario.contracts,
        contract=lambda name, _: name,
        fleet=lambda _, contract: contract.fleets[0],
        provider=lambda _, contract: scenario.fleets[contract.fleets[0]].provider,
        kind=lambda _, contract: contract.kind,
        bills=lambda _, contract: contract.bills,
        minimum_frac=lambda _, contract: minimum(contract),
        charges_taken=lambda _, contract: minimum(contract) < 1
        or getattr(contract, "make_up_months", None) is not None,
        committed=lambda _, contract: contract.commits,
        capital_charge_usd_per_gpu_hour=lambda _, contract: contract.capital_charge_usd_per_gpu_hour,
        usd_per_gpu_hour=lambda _, contract: price(contract, "usd_per_gpu_hour"),
        list_usd_per_gpu_hour=lambda _, contract: price(contract, "list_usd_per_gpu_hour"),
        terms=lambda name, _: json.dumps(written.get(name, {}), ensure_ascii=False),
    )


def _dates(start: datetime, end: datetime) -> Rows:
    first, last = start.date(), (end - timedelta(microseconds=1)).date()
    days = [first + timedelta(days=k) for k in range((last - first).days + 1)]

    return {
        "date": days,
        "year": [day.year for day in days],
        "quarter": [(day.month + 2) // 3 for day in days],
        "month": [day.month for day in days],
        "day": [day.day for day in days],
        "iso_year": [day.isocalendar().year for day in days],
        "iso_week": [day.isocalendar().week for day in days],
        "weekday": [day.isoweekday() for day in days],
        "is_weekend": [day.isoweekday() > 5 for day in days],
    }
