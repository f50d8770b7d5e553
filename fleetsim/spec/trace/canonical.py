"""The canonical trace: one Parquet file of requests in order of arrival, and the same as arrays."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleetsim.errors import UsageError, did_you_mean
from fleetsim.spec.trace.jobs.canonical import KEY as JOBS_KEY
from fleetsim.spec.trace.report import ImportReport
from fleetsim.spec.trace.rows import STEP, Rows

VERSION = 1
KEY = b"fleetsim.trace"
"""Under it the file's metadata hold the import's report as JSON."""
COLUMNS = ("arrival_ns", "prompt_tokens", "output_tokens", "traffic_class")
NS_PER_S = 1e9


@dataclass(frozen=True)
class Trace:
    """Requests in order of arrival; equal arrivals in the order of the source file."""

    arrival_ns: NDArray[np.int64]
    """From the first arrival, nanoseconds; never falls."""
    prompt_tokens: NDArray[np.int64]
    """At least 1."""
    output_tokens: NDArray[np.int64]
    """At least 1."""
    class_names: tuple[str, ...]
    """Traffic classes in order of appearance in the source file."""
    class_index: NDArray[np.int32]
    """Place of each request's class in `class_names`."""
    metadata: dict[str, Any]
    """Source and counts of the import: format, source, sha256, read, kept, dropped, start, ..."""

    def __len__(self) -> int:
        return self.arrival_ns.size

    @property
    def span_s(self) -> float:
        """First to last arrival, seconds."""
        return float(self.arrival_ns[-1] - self.arrival_ns[0]) / NS_PER_S

    def of_class(self, name: str) -> "Trace":
        """The requests of one class, arrivals still from the first of all; UsageError when it has none."""
        if name not in self.class_names:
            hint = did_you_mean(name, list(self.class_names))
            raise UsageError(f"the trace has no class {name!r} ({hint})")
        own = self.class_index == self.class_names.index(name)
        return Trace(self.arrival_ns[own], self.prompt_tokens[own], self.output_tokens[own], (name,),
                     np.zeros(int(np.count_nonzero(own)), np.int32), self.metadata)


def write_trace(rows: Rows, names: list[str], report: ImportReport, path: Path) -> None:
    """Write the rows in order of arrival; `report` gets its count of duplicates and stands in the metadata.

    The same rows give the same bytes. `rows` must not be empty.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    classes = pa.array(names, pa.string())
    types = (pa.int64(), pa.int64(), pa.int64(), pa.dictionary(pa.int32(), pa.string()))
    schema = pa.schema([pa.field(name, type_, nullable=False)
                        for name, type_ in zip(COLUMNS, types, strict=True)])
    first = int(rows.time_ns.min())
    with pq.ParquetWriter(path, schema, version="2.6", compression="zstd", compression_level=1,
                          use_dictionary=["traffic_class"],
                          column_encoding={"arrival_ns": "DELTA_BINARY_PACKED"}) as writer:
        for part in whole_ties(rows):
            time_ns, prompt, output = rows.time_ns[part], rows.prompt[part], rows.output[part]
            class_index = rows.class_index[part]
            report.duplicates += duplicates(time_ns, prompt, output, class_index)
            writer.write_table(pa.table([
                pa.array(time_ns - first), pa.array(prompt.astype(np.int64)),
                pa.array(output.astype(np.int64)),
                pa.DictionaryArray.from_arrays(pa.array(class_index.astype(np.int32)), classes),
            ], schema=schema))
        stored = {"version": VERSION, **report.as_dict()}
        writer.add_key_value_metadata({KEY: json.dumps(stored).encode()})


def whole_ties(rows: Rows, size: int = STEP) -> Iterator[Any]:
    """Slices or index arrays of about `size` rows in order of arrival; equal arrivals stay in one."""
    order = np.argsort(rows.time_ns, kind="stable") if rows.out_of_order else None
    start = 0
    while start < rows.count:
        end = min(start + size, rows.count)
        if end < rows.count:
            last = rows.time_ns[end - 1 if order is None else order[end - 1]]
            end = int(np.searchsorted(rows.time_ns, last, side="right", sorter=order))
        yield slice(start, end) if order is None else order[start:end]
        start = end


def duplicates(*columns: NDArray[Any]) -> int:
    """Rows that equal an earlier one; the first column is sorted."""
    time_ns = columns[0]
    same = time_ns[1:] == time_ns[:-1]
    if not same.any():
        return 0
    tied = np.concatenate(([False], same)) | np.concatenate((same, [False]))
    table = [column[tied] for column in columns]
    order = np.lexsort(table[::-1])
    equal = np.ones(order.size - 1, np.bool_)
    for column in table:
        ordered = column[order]
        equal &= ordered[1:] == ordered[:-1]
    return int(np.count_nonzero(equal))


def read_trace(path: Path | str) -> Trace:
    """The requests of a canonical file; UsageError when it is no trace or its rows break the rules of one."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = Path(path)
    if not path.is_file():
        raise UsageError(f"no trace {path}; make one with: fleetsim trace import FILE --format NAME "
                         "--out TRACE.parquet")
    try:
        with pq.ParquetFile(path) as file:
            metadata = file.metadata.metadata or {}
            stored = metadata.get(KEY)
            if stored is None and JOBS_KEY in metadata:
                raise UsageError(f"{path} is a trace of jobs, and this takes one of requests; jobs go into: "
                                 "fleetsim trace describe, fleetsim replay")
            missing = [name for name in COLUMNS if name not in file.schema_arrow.names]
            if stored is None or missing:
                why = f"it has no column {missing[0]!r}" if missing else "it was not written by an import"
                raise UsageError(f"{path} is no trace: {why}; make one with: fleetsim trace import")
            return read_rows(file, json.loads(stored), path)
    except (pa.ArrowException, ValueError) as error:
        raise UsageError(f"{path} is no trace: {str(error).splitlines()[0]}; make one with: "
                         "fleetsim trace import") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {str(error).splitlines()[0]}") from None


def read_rows(file: Any, metadata: dict[str, Any], path: Path) -> Trace:
    """The rows of an open file, batch by batch into arrays of the whole."""
    if metadata.get("version") != VERSION:
        raise UsageError(f"{path} is a trace of version {metadata.get('version')}, this program reads "
                         f"{VERSION}; import it again")
    count = file.metadata.num_rows
    numbers = [np.empty(count, np.int64) for _ in range(3)]
    class_index = np.empty(count, np.int32)
    place = {name: number for number, name in enumerate(metadata["classes"])}
    start = 0
    for batch in file.iter_batches(batch_size=STEP, columns=list(COLUMNS)):
        part = slice(start, start + batch.num_rows)
        for number, column in zip(numbers, batch.columns[:3], strict=True):
            number[part] = column.to_numpy()
        words = batch.column(3)
        known = [place.get(word, -1) for word in words.dictionary.to_pylist()]
        class_index[part] = np.array(known, np.int32)[words.indices.to_numpy()]
        start += batch.num_rows
    arrival, prompt, output = numbers
    broken = ("it has no rows" if not count
              else "its arrivals are not sorted from 0" if arrival[0] != 0 or (np.diff(arrival) < 0).any()
              else "a request has no tokens" if prompt.min() < 1 or output.min() < 1
              else "a class is not among those it names" if class_index.min() < 0 else "")
    if broken:
        raise UsageError(f"{path} is no trace: {broken}; make one with: fleetsim trace import")
    return Trace(arrival, prompt, output, tuple(metadata["classes"]), class_index, metadata)
