"""Latency tables as files: one Parquet file of counts, what they were measured with in its metadata."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from fleetsim.errors import UsageError
from fleetsim.model.latency_table import (
    LATENCY_BUCKETS,
    METRICS,
    LatencyPoint,
    LatencyTable,
    Metric,
    MixPart,
    Replica,
)
from fleetsim.model.replica import Batching
from fleetsim.model.step_law import BatchTime, PromptTime, StepLaw

VERSION = 2
KEY = b"fleetsim.latency_table"
"""Under it the file's metadata hold what the table was measured with, as JSON."""
NAMES = ("service", "profile", "gpu", "traffic_class", "metric")
COLUMNS = ("service", "profile", "gpu", "traffic_class", "replicas", "load_frac", "metric", "bucket", "count")
AGAIN = "make it with: fleetsim calibrate SERVICE --in FILE --out TABLE.parquet"


def write_latency_table(table: LatencyTable, path: Path) -> None:
    """Write a table; the same table gives the same bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = list(_rows(table))
    types = {name: pa.dictionary(pa.int32(), pa.string()) for name in NAMES}
    types |= {"load_frac": pa.float64()}
    schema = pa.schema([pa.field(name, types.get(name, pa.int64()), nullable=False) for name in COLUMNS],
                       metadata={KEY: json.dumps(_stored(table)).encode()})
    columns = [pa.array([row[place] for row in rows], schema.field(name).type)
               for place, name in enumerate(COLUMNS)]
    pq.write_table(pa.Table.from_arrays(columns, schema=schema), path, version="2.6", compression="zstd",
                   use_dictionary=[name for name in COLUMNS if name != "count"])


def read_latency_table(path: Path) -> LatencyTable:
    """A table from its file; UsageError when it is none."""
    import io

    import pyarrow as pa
    import pyarrow.parquet as pq

    data = path.read_bytes()
    try:
        found = pq.read_table(io.BytesIO(data))
        stored = json.loads((found.schema.metadata or {})[KEY])
        if stored["version"] != VERSION:
            raise UsageError(f"{path.name} is a latency table of version {stored['version']}, this program "
                             f"reads {VERSION}; calibrate again")
        return _table(stored, tuple(_points(found)), sha256(data).hexdigest())
    except (pa.ArrowException, OSError, ValueError, KeyError, TypeError) as error:
        why = "it has no metadata of one" if isinstance(error, KeyError) else str(error).splitlines()[0]
        raise UsageError(f"{path.name} is no latency table: {why}; {AGAIN}") from None


def _rows(table: LatencyTable) -> Iterator[tuple[Any, ...]]:
    for point in table.points:
        for metric in METRICS:
            for bucket, count in sorted(point.counts[metric].items()):
                yield (table.service, table.profile, point.gpu, point.traffic_class, point.replicas,
                       point.load_frac, metric, bucket, count)


def _stored(table: LatencyTable) -> dict[str, Any]:
    """What the metadata hold."""
    return {
        "version": VERSION, "service": table.service, "profile": table.profile,
        "replicas_of": {gpu: asdict(each) for gpu, each in table.replicas_of.items()},
        "batching": asdict(table.batching), "routing": table.routing,
        "mix": {name: asdict(part) for name, part in table.mix.items()},
        "seed": table.seed, "fleetsim_version": table.version, "requests_per_point": table.requests,
        "warmup_frac": table.warmup_frac,
        "spread_s": {gpu: dict(of_class) for gpu, of_class in table.spread_s.items()},
    }


def _table(stored: dict[str, Any], points: tuple[LatencyPoint, ...], digest: str) -> LatencyTable:
    return LatencyTable(
        service=stored["service"], profile=stored["profile"],
        replicas_of={gpu: Replica(**{**each, "law": _law(each["law"])})
                     for gpu, each in stored["replicas_of"].items()},
        batching=Batching(**stored["batching"]), routing=stored["routing"],
        mix={name: MixPart(**part) for name, part in stored["mix"].items()},
        seed=stored["seed"], version=stored["fleetsim_version"], requests=stored["requests_per_point"],
        warmup_frac=stored["warmup_frac"], spread_s=stored["spread_s"], points=points, sha256=digest)


def _law(stored: dict[str, Any]) -> StepLaw:
    return StepLaw(**{**stored, "decode_ms": tuple(BatchTime(**each) for each in stored["decode_ms"]),
                      "prefill_ms": tuple(PromptTime(**each) for each in stored["prefill_ms"])})


def _points(found: Any) -> Iterator[LatencyPoint]:
    """The points of the rows, which come point by point and metric by metric."""
    import numpy as np

    names = {name: found.column(name).combine_chunks() for name in ("gpu", "traffic_class", "metric")}
    coded = {name: column.indices.to_numpy() for name, column in names.items()}
    replicas, load, bucket, count = (
        found.column(name).to_numpy() for name in ("replicas", "load_frac", "bucket", "count"))
    if not len(count) or count.min() < 1 or bucket.min() < 0 or bucket.max() >= LATENCY_BUCKETS:
        raise ValueError("a row has no count or no bucket")
    keys = np.stack([coded["gpu"], coded["traffic_class"], replicas, load, coded["metric"]], axis=1)
    starts = [0, *(np.flatnonzero((keys[1:] != keys[:-1]).any(axis=1)) + 1).tolist(), len(count)]
    words = {name: column.dictionary.to_pylist() for name, column in names.items()}
    groups: dict[tuple[str, str, int, float], dict[Metric, dict[int, int]]] = {}
    for begin, end in pairwise(starts):
        key = (words["gpu"][coded["gpu"][begin]], words["traffic_class"][coded["traffic_class"][begin]],
               int(replicas[begin]), float(load[begin]))
        counts = groups.setdefault(key, {metric: {} for metric in METRICS})
        counts[words["metric"][coded["metric"][begin]]] = dict(
            zip(bucket[begin:end].tolist(), count[begin:end].tolist(), strict=True))
    return iter([LatencyPoint(*key, counts=counts) for key, counts in groups.items()])
