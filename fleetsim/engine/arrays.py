"""The kernel's records and arrays, made from a scenario: what is declared, and the state at the start."""

import math
from dataclasses import replace

import numpy as np

from fleetsim.engine.index import Index
from fleetsim.kernel.arrays import (
    BUCKETS_PER_OCTAVE,
    CLASS,
    COHORT,
    COHORTS,
    FIRST_EDGE_S,
    FLEET,
    GPU_SECONDS,
    LOAN,
    MESSAGES,
    PLACE,
    POOL,
    SHARE,
    STEP_GPUS,
    STEP_MESSAGES,
    WAIT_BUCKETS,
    Array,
    Hourly,
    Steps,
    Things,
)
from fleetsim.model.fleet import Fleet
from fleetsim.model.pool import UNASSIGNED
from fleetsim.model.scenario import Scenario


def failure_probs(fleet: Fleet, step_s: float) -> tuple[float, float]:
    """That a working node is down one step later, and that one under repair is back.

    The two-state Markov chain in continuous time, seen every step: its stationary availability is
    MTBF / (MTBF + repair) whatever the step.
    """
    if fleet.node_mtbf_h is None:
        return 0.0, 1.0
    fail, repair = 1.0 / fleet.node_mtbf_h, 1.0 / fleet.repair_h
    moved = -math.expm1(-(fail + repair) * step_s / 3_600) / (fail + repair)
    return fail * moved, repair * moved


def make_things(scenario: Scenario, index: Index) -> Things:
    """Everything, before anything has happened: no GPUs, no limits, every queue empty."""
    classes = _classes(scenario, index)
    pools = _pools(scenario, index)
    shares = _shares(scenario, index)
    of_class, attempts = len(classes), int(classes["attempts"].max(initial=1))
    units = (of_class, index.slot_count, len(shares))
    grids = load_grids(scenario, index)
    edges = FIRST_EDGE_S * 2.0 ** (np.arange(WAIT_BUCKETS) / BUCKETS_PER_OCTAVE)
    edges[0] = 0.0
    return Things(
        step_s=float(scenario.horizon.step_s),
        steps_per_hour=3_600 // scenario.horizon.step_s,
        fleets=_fleets(scenario, index),
        shares=shares,
        pools=pools,
        classes=classes,
        loans=np.zeros(0, dtype=LOAN),
        pool_share=np.array([s for places in index.pool_shares for s in places], dtype=PLACE),
        pool_class=np.array([c for places in index.pool_classes for c in places], dtype=PLACE),
        unit_prefill_gpu_s=np.zeros(units),
        unit_decode_gpu_s=np.zeros(units),
        waiting=np.zeros((of_class, attempts)),
        in_retry=np.zeros((of_class, attempts)),
        cohorts=np.zeros((of_class, COHORTS), dtype=COHORT),
        served=np.zeros((of_class, index.slot_count)),
        work_gpu_s=np.zeros((of_class, index.slot_count)),
        arrivals=np.zeros((of_class, attempts)),
        cost_gpu_s=np.zeros((of_class, len(shares))),
        degraded_cost_gpu_s=np.zeros((of_class, len(shares))),
        wait_edges_s=edges,
        load_unit=_load_unit(index, units),
        load_points=np.array([len(grid) for grid in grids], dtype=np.int64),
        load_grid=_load_grid(grids),
        load_served=np.zeros(len(grids)),
        shares_before=np.zeros_like(shares),
        classes_before=np.zeros_like(classes),
    )


def _fleets(scenario: Scenario, index: Index) -> Array:
    records = np.zeros(len(index.fleets), dtype=FLEET)
    for record, name in zip(records, index.fleets, strict=True):
        fleet = scenario.fleets[name]
        places = index.shares_of(name)
        record["first_share"], record["last_share"] = places[0], places[-1] + 1
        record["node_gpus"] = scenario.gpus[fleet.gpu].gpus_per_node
        if fleet.role == "training" and name in scenario.fleets_with_jobs:  # the training kernel has them
            fleet = replace(fleet, node_mtbf_h=None, draining_frac=0.0)
        fail_prob, repair_prob = failure_probs(fleet, scenario.horizon.step_s)
        record["fail_prob"], record["repair_prob"] = fail_prob, repair_prob
        record["log_unrepaired"] = math.log1p(-repair_prob) if repair_prob < 1 else -math.inf
        record["draining_frac"] = fleet.draining_frac
    records["keep_frac"] = 1.0
    return records


def _shares(scenario: Scenario, index: Index) -> Array:
    records = np.zeros(len(index.shares), dtype=SHARE)
    for record, (fleet, pool) in zip(records, index.shares, strict=True):
        record["availability_frac"] = scenario.fleets[fleet].expected_availability_frac
        record["allocated_limit"] = 0 if pool == UNASSIGNED else -1
    records["routing_weight"] = -1.0
    records["worth"] = 1.0
    for places in index.pool_shares:
        flops = [scenario.gpus[scenario.fleets[index.shares[s][0]].gpu].flops_factor for s in places]
        records["worth"][list(places)] = np.array(flops) / flops[0]  # until there is a mix to tell by
    return records


def _pools(scenario: Scenario, index: Index) -> Array:
    records = np.zeros(len(index.pools), dtype=POOL)
    first_share = first_class = 0
    for p, name in enumerate(index.pools):
        record = records[p]
        record["first_share"], record["first_class"] = first_share, first_class
        first_share += len(index.pool_shares[p])
        first_class += len(index.pool_classes[p])
        record["last_share"], record["last_class"] = first_share, first_class
        record["target_load_frac"] = scenario.pools[name].target_load_frac
    records["shed_above_load_frac"] = math.inf
    records["degrade_above_load_frac"] = math.inf
    return records


def _classes(scenario: Scenario, index: Index) -> Array:
    records = np.zeros(len(index.classes), dtype=CLASS)
    for record, name, degrade_slot in zip(records, index.classes, index.degrade_slot, strict=True):
        spec = scenario.traffic[name]
        record["priority"] = spec.priority
        record["patience_s"] = spec.patience_s or math.inf
        record["attempts"] = 1 + (spec.retry.max_retries if spec.retry else 0)
        if spec.retry:
            record["retry_frac"] = spec.retry.retry_frac
            record["return_prob"] = -math.expm1(-scenario.horizon.step_s / spec.retry.delay_s)
        record["slo_wait_s"] = math.inf if spec.slo_wait_s is None else spec.slo_wait_s
        record["degrade_slot"] = degrade_slot
    records["max_messages_per_s"] = math.inf
    records["max_wait_s"] = math.inf
    return records


def load_grids(scenario: Scenario, index: Index) -> list[list[float]]:
    """By unit: the loads of its latency table up to 1, rising."""
    return [scenario.latency_tables[index.slots[c][m]].loads(scenario.fleets[index.shares[k][0]].gpu)
            for c, m, k in index.units]


def _load_unit(index: Index, shape: tuple[int, ...]) -> Array:
    places = np.full(shape, -1, dtype=np.int64)
    for unit, (c, m, k) in enumerate(index.units):
        places[c, m, k] = unit
    return places


def _load_grid(grids: list[list[float]]) -> Array:
    rows = np.zeros((len(grids), max(map(len, grids), default=0)))
    for row, grid in zip(rows, grids, strict=True):
        row[: len(grid)] = grid
    return rows


def make_waits(index: Index) -> Array:
    """Room for the waits of a month's hours. Zeroed pages cost nothing until one is written to."""
    return np.zeros((31 * 24, len(index.classes), WAIT_BUCKETS))


def make_hourly(index: Index, first_hour: int, hours: int, waits: Array, loads: int = 0) -> Hourly:
    """Room for a block of at most a month; `waits`, all 0, is the largest part and is used again.

    `loads` is one more than the most loads of a latency table.
    """
    shares, classes = len(index.shares), len(index.classes)
    slots = index.slot_count
    return Hourly(
        first_hour=first_hour,
        gpu_s=np.zeros((len(GPU_SECONDS), hours, shares)),
        nodes=np.zeros((2, hours, len(index.fleets)), dtype=np.int64),
        messages=np.zeros((len(MESSAGES), hours, classes), dtype=np.int64),
        served=np.zeros((hours, classes, slots), dtype=np.int64),
        work_gpu_s=np.zeros((hours, classes, slots)),
        expected=np.zeros((hours, classes)),
        waiting_message_s=np.zeros((hours, classes)),
        waits=waits[:hours],
        waited=np.zeros((hours, classes), dtype=np.bool_),
        load_served=np.zeros((hours, len(index.units), loads)),
    )


def make_steps(index: Index, steps: int) -> Steps:
    """Room for every step of a block; 0 steps when they are not asked for."""
    return Steps(
        gpus=np.zeros((len(STEP_GPUS), steps, len(index.shares)), dtype=np.float32),
        messages=np.zeros((len(STEP_MESSAGES), steps, len(index.classes)), dtype=np.float32),
    )
