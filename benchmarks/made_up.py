"""Scenarios of any size and load, made from plain data."""

import json
import tempfile
from pathlib import Path
from typing import Any

from fleetsim.model.scenario import Scenario
from fleetsim.spec import load

GPU_S = 30.0


def scenario(*, fleets: int = 1, classes: int = 1, gpus: int = 10_000, load_frac: float = 0.8,
             days: int = 31, patience_s: float | None = 600.0) -> Scenario:
    """Every fleet with a pool of its own, `classes` traffic classes in each, at a mean load."""
    per_class = load_frac * gpus / GPU_S / classes * 86_400
    users = {f"users_{f}_{c}": {
        "pool": f"pool-{f}", "service": "model", "messages_per_day": per_class, "priority": c % 3,
        "prompt_tokens": {"mean": 1_000}, "output_tokens": {"mean": 300}, "noise_cv_frac": 0.03,
        **({} if patience_s is None else {"patience_s": patience_s}),
    } for f in range(fleets) for c in range(classes)}
    parts: dict[str, Any] = {
        "fleetsim": 1, "name": "made-up",
        "horizon": {"start": "2024-01-01", "end": f"2024-01-{days:02d}T23:00"},
        "fleets": {f"fleet-{f}": {"gpu": "a100-80gb", "provider": "azure", "node_mtbf_h": 6_330,
                                  "tranches": [{"date": "2024-01-01", "gpus": gpus}]} for f in range(fleets)},
        "pools": {f"pool-{f}": {"fleets": {f"fleet-{f}": {"share_frac": 1.0}}} for f in range(fleets)},
        "services": {"model": {"gpu_s_per_call": GPU_S}},
        "contracts": {f"fleet-{f}": {"kind": "reserved", "fleet": f"fleet-{f}", "usd_per_gpu_hour": 1.3}
                      for f in range(fleets)},
        "traffic": users,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made-up.yaml"
        path.write_text(json.dumps(parts), encoding="utf-8")
        return load(path).scenario
