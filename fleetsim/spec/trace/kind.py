"""Whether a trace holds requests or jobs."""

from pathlib import Path
from typing import Literal

from fleetsim.spec.trace.canonical import KEY
from fleetsim.spec.trace.jobs.canonical import KEY as JOBS_KEY

Kind = Literal["requests", "jobs"]


def kind_of(path: Path | str) -> Kind | None:
    """What the metadata of a file say that it holds; None for a file that is no trace."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        stored = pq.read_metadata(path).metadata or {}
    except (pa.ArrowException, ValueError, OSError):
        return None
    return "jobs" if JOBS_KEY in stored else "requests" if KEY in stored else None
