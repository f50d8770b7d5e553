"""Where the parts of a run lie, and the id that its inputs give it."""

import json
import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from fleetsim.errors import UsageError
from fleetsim.rng import MAX_SEED
from fleetsim.version import __version__

if TYPE_CHECKING:
    from fleetsim.model.scenario import Scenario

FIDELITY = "fluid"
RESOLUTIONS = ("hour", "step")

MANIFEST = "manifest.json"
"""Written last: a directory without it is no run."""
SUMMARY = "summary.json"
SCENARIO = "scenario.yaml"
LOG = "log.json"
TABLES_FOLDER = "tables"


def run_id(scenario: "Scenario", *, seed: int, replication: int, resolution: str) -> str:
    """The first 16 hex digits of the sha256 of everything that a run is made from.

    UsageError when the resolution is unknown, a seed no whole number from 0 to 2^63 - 1, or the scenario
    is no longer what its `source` says, so that a run never stands under the description of another.
    """
    if scenario.fingerprint not in ("", scenario.contents_sha256()):
        raise UsageError("the scenario was changed after it was loaded; use fleetsim.override instead")
    if resolution not in RESOLUTIONS:
        raise UsageError(f"resolution {resolution!r} is neither {RESOLUTIONS[0]} nor {RESOLUTIONS[1]}")
    for name, value in (("seed", seed), ("replication", replication)):
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SEED:
            raise UsageError(f"{name} {value!r}: seed and replication are whole numbers from 0 to {MAX_SEED}")
    parts = {
        # Keys of the scenario are not sorted: the order of a pool's fleets is the spill-over order.
        "scenario": scenario.source,
        "contents": scenario.contents_sha256(),
        "inputs": dict(sorted(scenario.inputs.items())),
        "seed": seed,
        "replication": replication,
        "fidelity": FIDELITY,
        "resolution": resolution,
        "version": __version__,
    }
    text = json.dumps(parts, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return sha256(text.encode()).hexdigest()[:16]


def run_directory(results: Path, scenario: "Scenario", identity: str) -> Path:
    """`results/<scenario>/<run_id>`; characters of the name that a path may not hold become `-`."""
    folder = re.sub(r"[^\w.-]+", "-", scenario.name).strip(".-") or "scenario"
    return results / folder / identity


def table_path(directory: Path, table: str) -> Path:
    """The file of a table."""
    return directory / TABLES_FOLDER / f"{table}.parquet"


def is_run(directory: Path) -> bool:
    """Whether a finished run lies there."""
    return (directory / MANIFEST).is_file()
