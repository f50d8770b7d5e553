"""Requests and time series of a replay as Parquet files."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleetsim.timebase import SECOND_NS

if TYPE_CHECKING:
    from fleetsim.engine.request_gauge import Gauge
    from fleetsim.kernel.arrays import Array

OUTCOMES = ("served", "abandoned", "shed", "rejected")
"""In the order of the kernel's numbers."""


def write_requests(path: Path, kept: "Array", class_names: Sequence[str]) -> int:
    """One row per kept request in order of arrival; the number of rows.

    `request` is its place in the trace. Times are null where a request did not come so far.
    """
    import numpy as np
    import pyarrow as pa

    rows = kept[np.argsort(kept["number"])]
    first_ns, served = rows["first_ns"], rows["outcome"] == 0
    ttft = (first_ns - rows["arrival_ns"]) / SECOND_NS
    e2e = (rows["finish_ns"] - rows["arrival_ns"]) / SECOND_NS
    several = served & (rows["output"] > 1)
    tpot = (e2e - ttft) / np.maximum(rows["output"] - 1, 1)
    no_replica = rows["replica"] < 0
    table = pa.table({
        "request": pa.array(rows["number"]),
        "traffic_class": _coded(rows["class_"], class_names),
        "outcome": _coded(rows["outcome"], OUTCOMES),
        "replica": pa.array(rows["replica"], mask=no_replica),
        "prompt_tokens": pa.array(rows["prompt"]),
        "output_tokens": pa.array(rows["output"]),
        "arrival_ns": pa.array(rows["arrival_ns"]),
        "first_token_ns": pa.array(first_ns, mask=first_ns < 0),
        "end_ns": pa.array(rows["finish_ns"]),
        "ttft_s": pa.array(ttft, mask=first_ns < 0),
        "tpot_s": pa.array(tpot, mask=~several),
        "e2e_s": pa.array(e2e, mask=~served),
    })
    return _write(path, table)


def write_series(path: Path, gauges: "Sequence[Gauge]", series_s: float) -> int:
    """One row per gauge; the number of rows."""
    import numpy as np
    import pyarrow as pa

    columns: dict[str, Any] = {"time_s": np.arange(len(gauges)) * series_s}
    for name in ("batch", "kv_tokens", "queue", "active_gpus"):
        columns[name] = np.array([getattr(gauge, name) for gauge in gauges], dtype=np.int64)
    columns["active_gpu_s"] = np.array([gauge.active_gpu_s for gauge in gauges])
    return _write(path, pa.table(columns))


def _coded(codes: "Array", names: Sequence[str]) -> Any:
    import numpy as np
    import pyarrow as pa

    words = pa.array(list(names), pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), words)


def _write(path: Path, table: Any) -> int:
    import pyarrow.parquet as pq

    pq.write_table(table, path, version="2.6", compression="zstd")
    return int(table.num_rows)
