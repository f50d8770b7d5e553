"""What training fleets did, as columns: GPU-hours by state, jobs with what they cost, and events."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from fleetsim.engine.columns import Columns, coded, joined, tiled
from fleetsim.engine.training import TrainingFleet
from fleetsim.engine.world import World
from fleetsim.kernel.arrays import Array
from fleetsim.kernel.training import arrays as rows
from fleetsim.model.failure_cause import CAUSES
from fleetsim.model.pool import TRAINING
from fleetsim.model.training_job import TrainingJob
from fleetsim.timebase import HOUR_NS, HOUR_S
from fleetsim.units import Coded

STATE_COLUMNS = {"repair" if state == "down" else state: k for k, state in enumerate(rows.STATES)
                 if state != "lent"}
"""By column: the state whose GPU-hours it has. What is lent has a column of its own for all fleets."""


def state_columns(world: World, shares: Array, first_hour: int, hours: int) -> dict[str, Any]:
    """GPU-hours by state, hour by hour and share by share; null for fleets without jobs."""
    found = np.zeros((len(rows.STATES), hours, len(shares)))
    known = np.zeros((hours, len(shares)), dtype=bool)
    for place, share in enumerate(shares):
        fleet, pool = world.index.shares[share]
        if fleet in world.training and pool == TRAINING:
            found[:, :, place] = world.training[fleet].state_gpu_hours(first_hour, first_hour + hours)
            known[:, place] = True
    return {f"{name}_gpu_hours": np.ma.masked_array(found[k], mask=~known).ravel()
            for name, k in STATE_COLUMNS.items()}


def training_events(world: World) -> list[Columns]:
    """What happened on training fleets since the last call, fleet by fleet in order of time."""
    found: list[Columns] = []
    for name, training in world.training.items():
        log = training.take_events()
        time_us = world.start_us + log["time_ns"] // 1_000
        acting, places = np.unique(log["job"], return_inverse=True)
        things = tuple(f"fleet/{name}" if job < 0 else f"job/{training.jobs.names[job]}" for job in acting)
        found.append({
            "time": time_us, "effective_time": time_us,
            "thing": Coded(places.astype(np.int32), things),
            "kind": Coded(log["kind"].astype(np.int32), rows.KINDS),
            "gpus": np.ma.masked_all(len(log), np.int64),
            "value": log["gpus"].astype(float),
            "detail": Coded((log["cause"] + 1).astype(np.int32), ("", *(cause.name for cause in CAUSES))),
        })
    return found


def job_columns(world: World, effective_micro_usd: Mapping[str, Array]) -> dict[str, Any]:
    """A row per job that was submitted, fleet by fleet; with what its GPUs cost, hour by hour.

    `effective_micro_usd` is the cost of each fleet by hour. A GPU-hour costs what all of the hour's rented
    GPU-hours share; so the jobs' costs and that of idle, spare and broken GPUs add up to the fleet's.
    """
    parts = [_fleet_jobs(world, name, training, effective_micro_usd[name])
             for name, training in world.training.items()]
    return joined(parts)


def _fleet_jobs(world: World, name: str, training: TrainingFleet, cost: Array) -> dict[str, Any]:
    jobs, pool = training.jobs, training.pool
    there = np.flatnonzero(pool.jobs["phase"] != rows.TO_COME)
    record = pool.jobs[there]
    hours = (pool.state.job_s[there] + pool.state.job_ns[there] / 1e9) / HOUR_S
    end_ns = int(pool.cluster["now_ns"])
    ended = record["ended_ns"]
    until = np.where(ended >= 0, ended, end_ns)
    waiting = record["phase"] == rows.QUEUED
    queued_ns = record["queued_ns"] + np.where(waiting, end_ns - record["since_ns"], 0)
    elapsed_ns = until - record["submit_ns"]
    held_ns = np.maximum(elapsed_ns - queued_ns, 0)
    useful_ns = hours[:, rows.PRODUCTIVE] * HOUR_NS / record["gpus"]
    made = [jobs.kinds[j] for j in there]
    deadlines = np.array([world.ns_at(job.deadline) if isinstance(job, TrainingJob) and job.deadline else -1
                          for job in made], dtype=np.int64)
    open_ = (deadlines < 0) | ((ended < 0) & (deadlines > end_ns))
    missed = np.where(ended >= 0, ended, end_ns + 1) > deadlines

    def instants(ns: Array) -> Any:
        return np.ma.masked_array(world.start_us + ns // 1_000, mask=ns < 0)

    columns: dict[str, Any] = {
        "job": Coded(np.arange(len(there), dtype=np.int32), tuple(jobs.names[j] for j in there)),
        "fleet": tiled([0], (name,), len(there)),
        "team": Coded(record["team"].astype(np.int32), jobs.teams),
        "outcome": coded([_outcome(phase) for phase in record["phase"]]),
        "submit_time": instants(record["submit_ns"]),
        "start_time": instants(record["started_ns"]),
        "end_time": instants(ended),
        "deadline": instants(deadlines),
        "deadline_missed": np.ma.masked_array(missed, mask=open_),
        "gpus": record["gpus"],
        "priority": record["priority"],
        "work_gpu_hours": record["work_ns"] / HOUR_NS * record["gpus"],
        "queued_gpu_hours": queued_ns / HOUR_NS * record["gpus"],
        "restarts": record["restarts"],
        "failures": record["failures"],
        "preemptions": record["preemptions"],
        "checkpoint_interval_s": record["interval_ns"] / 1e9,
        "ettr_frac": _share(useful_ns, elapsed_ns),
        "running_ettr_frac": _share(useful_ns, held_ns),
        "effective_usd": training.cost_of_jobs(cost)[there],
    }
    for kind in range(rows.HELD_STATES):
        columns[f"{rows.STATES[kind]}_gpu_hours"] = hours[:, kind]
    return columns


def _outcome(phase: int) -> str:
    return {rows.DONE: "done", rows.QUEUED: "queued"}.get(phase, "running")


def _share(part: Array, whole: Array) -> Any:
    """part / whole, null where nothing has passed."""
    return np.ma.masked_array(part / np.maximum(whole, 1), mask=whole <= 0)
