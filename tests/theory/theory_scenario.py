"""Small scenarios made from plain data, simulated into memory, read back as numpy arrays."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from fleetsim.engine import simulate
from fleetsim.model.scenario import Scenario
from fleetsim.output.sink import TableSink
from fleetsim.spec import load

GPU_S = 30.0
"""GPU-seconds of a message of `one_class`."""

Array = np.ndarray[Any, np.dtype[Any]]


def scenario_of(folder: Path, **parts: Any) -> Scenario:
    """A scenario from its sections; JSON is YAML."""
    path = folder / "scenario.yaml"
    path.write_text(json.dumps({"fleetsim": 1, "name": "theory", **parts}), encoding="utf-8")
    return load(path).scenario


def one_pool(gpus: int, *, end: str, step_s: int, start: str = "2024-01-01",
             **horizon: Any) -> dict[str, Any]:
    """Sections of a scenario with one healthy fleet, one pool and a service of GPU_S a call."""
    return {
        "horizon": {"start": start, "end": end, "step_s": step_s, "control_s": 3_600, **horizon},
        "fleets": {"azure": {"gpu": "a100-80gb", "provider": "azure",
                             "tranches": [{"date": start, "gpus": gpus}]}},
        "pools": {"chat": {"fleets": {"azure": {"share_frac": 1.0}}}},
        "services": {"model": {"gpu_s_per_call": GPU_S, "gpus_per_replica": 1}},
        "contracts": {"azure": {"kind": "reserved", "fleet": "azure", "usd_per_gpu_hour": 1.0}},
    }


def one_class(messages_per_day: Any, **more: Any) -> dict[str, Any]:
    """A traffic class of that pool without shape and noise."""
    return {"pool": "chat", "service": "model", "messages_per_day": messages_per_day,
            "prompt_tokens": {"mean": 100}, "output_tokens": {"mean": 100}, **more}


def simulated(scenario: Scenario, *, seed: int = 1, steps: bool = False) -> TableSink:
    """The tables of a run; every step of it when asked."""
    sink = TableSink()
    simulate(scenario, seed=seed, sink=sink, resolution="step" if steps else "hour")
    return sink


def column(sink: TableSink, table: str, name: str, **where: str) -> Array:
    """A column, of the rows in which others have these values."""
    import pyarrow.compute as pc

    rows = sink.table(table)
    for key, value in where.items():
        rows = rows.filter(pc.equal(rows[key].cast("string"), value))
    values = rows[name]
    if str(values.type).startswith("timestamp"):
        values = values.cast("int64")
    found: Array = values.to_numpy()
    return found
