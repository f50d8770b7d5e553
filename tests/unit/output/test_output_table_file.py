"""Files: encodings, row groups, and bytes that depend on the rows alone."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tiny_run import Coded

from fleetsim.output.table import DATE, FLAG, FLOAT, INT, KEY, MONEY, SINGLE, TEXT, TIME, table
from fleetsim.output.table_file import ROWS_PER_GROUP, TableFile
from fleetsim.units import Column

EVERY = table("every", "row", "thing", Column("thing", KEY, "", "."), Column("at", TIME, "UTC", "."),
              Column("day", DATE, "UTC", "."), Column("n", INT, "", "."), Column("x", FLOAT, "", "."),
              Column("y", SINGLE, "", "."), Column("usd", MONEY, "USD", "."), Column("ok", FLAG, "", "."),
              Column("note", TEXT, "", "."))
ROWS = 2 * ROWS_PER_GROUP + 1_000


def write(path: Path, edges: list[int]) -> list[int]:
    """Write ROWS rows in blocks that end at `edges`; the rows buffered after each block."""
    n = np.arange(ROWS)
    file, buffered = TableFile(path, EVERY, "run"), []
    for first, last in zip([0, *edges], [*edges, ROWS], strict=True):
        part = n[first:last]
        file.write({
            "thing": Coded((part % 7).astype(np.int32), tuple("abcdefg")), "at": part * 1_000_000,
            "day": part.astype(np.int32), "n": part * 3, "x": part / 7, "y": (part / 8).astype(np.float32),
            "usd": part * -1_000_001, "ok": part % 2 == 0,
            "note": Coded((part % 3 - 1).astype(np.int32), ("even", "odd")),
        })
        buffered.append(file._buffer.rows)
    file.close()
    file.close()
    return buffered


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("files") / "every.parquet"
    write(path, [10, 40_000])
    return path


def test_round_trip(path: Path) -> None:
    rows = pq.ParquetFile(path).read()
    assert rows.schema.equals(EVERY.schema(), check_metadata=True)
    n = np.arange(ROWS)
    assert rows.column("thing").to_pylist() == ["abcdefg"[k % 7] for k in n]
    assert np.array_equal(rows.column("n").to_numpy(), n * 3)
    assert np.array_equal(rows.column("x").to_numpy(), n / 7)
    assert str(rows.column("usd")[ROWS - 1].as_py()) == f"-{ROWS - 1}.{ROWS - 1:06d}"
    assert rows.column("note").to_pylist()[:4] == [None, "even", "odd", None]
    assert rows.column("at")[1].as_py().isoformat() == "1970-01-01T00:00:01+00:00"


def test_bytes_do_not_depend_on_blocks(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.parquet"
    write(other, [1, 2, 33_000, 60_000, 60_001])
    assert other.read_bytes() == path.read_bytes()


def test_row_groups_are_written_as_they_fill(path: Path, tmp_path: Path) -> None:
    metadata = pq.ParquetFile(path).metadata
    groups = [metadata.row_group(k).num_rows for k in range(metadata.num_row_groups)]
    assert groups == [ROWS_PER_GROUP, ROWS_PER_GROUP, 1_000]
    assert max(write(tmp_path / "small_blocks.parquet", list(range(5_000, ROWS, 5_000)))) < ROWS_PER_GROUP


def test_encodings(path: Path) -> None:
    group = pq.ParquetFile(path).metadata.row_group(0)
    columns = {group.column(k).path_in_schema: group.column(k) for k in range(group.num_columns)}
    assert {column.compression for column in columns.values()} == {"ZSTD"}
    assert all("BYTE_STREAM_SPLIT" in columns[name].encodings for name in ("x", "y"))
    assert all("RLE_DICTIONARY" in columns[name].encodings for name in ("run_id", "thing", "note"))
    assert all("RLE_DICTIONARY" not in columns[name].encodings for name in ("x", "n", "at"))
    assert columns["n"].statistics.min == 0
    assert columns["n"].statistics.max == 3 * (ROWS_PER_GROUP - 1)


def test_nothing_of_pandas_in_the_file(path: Path) -> None:
    assert set(pq.read_schema(path).metadata) == {b"table", b"grain"}
