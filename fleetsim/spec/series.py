"""Series files: messages per day at regular intervals, from CSV or Parquet."""

import math
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from fleetsim.errors import did_you_mean
from fleetsim.model.traffic import SeriesFile
from fleetsim.spec.checks.horizon import shown
from fleetsim.spec.draft import Draft
from fleetsim.spec.file import no_file
from fleetsim.spec.node import NodePath
from fleetsim.spec.scalar import number
from fleetsim.units import MOST_MESSAGES_PER_DAY, as_utc

Columns = dict[str, list[object]]


def load_series(draft: Draft, name: str, series: SeriesFile) -> None:
    """Read the file of traffic class `name` into the draft, or report what is wrong with it."""
    path: NodePath = ("traffic", name, "messages_per_day", "series")
    file = draft.directory / series.file
    if not file.is_file():
        draft.error("missing-file", (*path, "file"), *no_file(file, "*"))
        return
    columns = _columns(draft, file, (*path, "file"))
    if columns is None:
        return
    missing = False
    for key, column in (("time", series.time), ("value", series.value)):
        if column not in columns:
            hint = did_you_mean(column, list(columns))
            draft.error("missing-column", (*path, key), f"{file.name} has no column {column!r}", hint)
            missing = True
    if missing:
        return
    times = _times(draft, file.name, columns[series.time], path)
    values = _values(draft, file.name, columns[series.value], path)
    if times is None or values is None:
        return
    interval = _interval(draft, file.name, times, path)
    if interval is not None and _covers(draft, file.name, times, interval, path):
        draft.series[name] = (times[0], interval, values)
        from hashlib import sha256

        draft.inputs[series.file] = sha256(file.read_bytes()).hexdigest()


def _columns(draft: Draft, file: Path, path: NodePath) -> Columns | None:
    if file.suffix == ".parquet":
        import pyarrow
        import pyarrow.parquet

        try:
            table = pyarrow.parquet.read_table(file)
        except pyarrow.ArrowInvalid as error:
            draft.error("bad-file", path, f"{file.name} is no Parquet file: {str(error).splitlines()[0]}")
            return None
        return {column: table.column(column).to_pylist() for column in table.column_names}
    import csv

    try:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            rows = list(csv.reader(opened))
    except UnicodeDecodeError:
        draft.error("bad-file", path, f"{file.name} is not UTF-8 text", "give a CSV or a .parquet file")
        return None
    rows = [row for row in rows if row]
    if len(rows) < 2:
        draft.error("bad-file", path, f"{file.name} needs a header and at least one row")
        return None
    header = rows[0]
    ragged = next((line for line, row in enumerate(rows, 1) if len(row) != len(header)), None)
    if ragged is not None:
        message = f"{file.name} row {ragged} has {len(rows[ragged - 1])} cells, the header {len(header)}"
        draft.error("bad-file", path, message)
        return None
    return {column: [row[index] for row in rows[1:]] for index, column in enumerate(header)}


def _times(draft: Draft, name: str, cells: list[object], path: NodePath) -> list[datetime] | None:
    times: list[datetime] = []
    for row, cell in enumerate(cells, 2):
        try:
            times.append(as_utc(cell))
        except ValueError:
            draft.error("bad-cell", (*path, "time"), f"{name} row {row}: expected a date, got {cell!r}")
            return None
        if row > 2 and times[-1] <= times[-2]:
            message = f"{name} row {row}: {shown(times[-1])} does not come after {shown(times[-2])}"
            draft.error("unsorted-series", (*path, "time"), message, "sort the rows by time")
            return None
    return times


def _values(draft: Draft, name: str, cells: list[Any], path: NodePath) -> tuple[float, ...] | None:
    values: list[float] = []
    for row, cell in enumerate(cells, 2):
        try:
            value = float(cell)
        except (TypeError, ValueError):
            value = math.nan
        if not math.isfinite(value):
            draft.error("bad-cell", (*path, "value"), f"{name} row {row}: expected a number, got {cell!r}")
            return None
        if value < 0:
            draft.error("bad-cell", (*path, "value"), f"{name} row {row}: must be at least 0, got {value:g}")
            return None
        if value > MOST_MESSAGES_PER_DAY:
            most = number(MOST_MESSAGES_PER_DAY)
            message = f"{name} row {row}: must be at most {most}, got {value:g}"
            draft.error("bad-cell", (*path, "value"), message)
            return None
        values.append(value)
    return tuple(values)


def _interval(draft: Draft, name: str, times: list[datetime], path: NodePath) -> int | None:
    """Seconds between two rows, the same everywhere; a day for a single row."""
    if len(times) == 1:
        return 86_400
    interval = times[1] - times[0]
    for row in range(2, len(times)):
        if times[row] - times[row - 1] != interval:
            message = (
                f"{name} row {row + 2}: a gap between {shown(times[row - 1])} and {shown(times[row])}; "
                f"the interval is {interval.total_seconds():g} s"
            )
            draft.error("series-gap", (*path, "file"), message, "fill the gaps: every interval needs a row")
            return None
    seconds = interval.total_seconds()
    if seconds != int(seconds):
        draft.error("series-gap", (*path, "file"), f"{name}: the interval {seconds:g} s is not whole seconds")
        return None
    return int(seconds)


def _covers(draft: Draft, name: str, times: list[datetime], interval: int, path: NodePath) -> bool:
    horizon = draft.horizon
    if horizon is None:
        return True
    end = times[-1] + timedelta(seconds=interval)
    if times[0] > horizon.start or end < horizon.end:
        message = (
            f"{name} covers {shown(times[0])} to {shown(end)}, the horizon is "
            f"{shown(horizon.start)} to {shown(horizon.end)}"
        )
        draft.error("series-too-short", (*path, "file"), message, "every hour of the horizon needs a value")
        return False
    return True
