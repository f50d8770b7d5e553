"""Blocks into tables: dictionaries that grow, columns left out, blocks that do not fit."""

import numpy as np
import pyarrow as pa
import pytest
from tiny_run import Coded

from fleetsim.output.encode import TableBuffer
from fleetsim.output.sink import TableSink
from fleetsim.output.table import FLOAT, INT, KEY, TEXT, table
from fleetsim.output.tables import TABLES
from fleetsim.units import Column

SMALL = table("small", "row", "thing", Column("thing", KEY, "", "Thing."), Column("n", INT, "", "Number."),
              Column("x", FLOAT, "", "Share."), Column("note", TEXT, "", "Note."))


@pytest.fixture
def buffer() -> TableBuffer:
    return TableBuffer(SMALL, "r1")


def things(*codes: int, names: tuple[str, ...] = ("a", "b")) -> Coded:
    return Coded(np.array(codes, dtype=np.int32), names)


def test_a_block(buffer: TableBuffer) -> None:
    assert buffer.append({"thing": things(1, 0), "n": np.array([1, 2]), "note": things(-1, 1)}) == 2
    rows = buffer.all()
    assert rows.schema.equals(SMALL.schema(), check_metadata=True)
    assert rows.to_pylist() == [
        {"run_id": "r1", "thing": "b", "n": 1, "x": None, "note": None},
        {"run_id": "r1", "thing": "a", "n": 2, "x": None, "note": "b"},
    ]
    rows.validate(full=True)


def test_dictionaries_grow_over_blocks(buffer: TableBuffer) -> None:
    buffer.append({"thing": things(0, 1, names=("a", "b"))})
    buffer.append({"thing": things(0, 1, 2, names=("c", "b", "a"))})
    buffer.append({"thing": ["d", "a"]})
    column = buffer.all().column("thing")
    assert column.to_pylist() == ["a", "b", "c", "b", "a", "d", "a"]
    assert column.num_chunks == 1
    assert column.chunk(0).dictionary.to_pylist() == ["a", "b", "c", "d"]


def test_equal_names_in_another_tuple_keep_their_codes(buffer: TableBuffer) -> None:
    for _ in range(3):
        buffer.append({"thing": things(0, 1, names=tuple("ab"))})
    assert buffer.all().column("thing").chunk(0).dictionary.to_pylist() == ["a", "b"]


def test_take_keeps_the_order(buffer: TableBuffer) -> None:
    for first in (0, 3, 6):
        buffer.append({"thing": things(0, 0, 0), "n": np.arange(first, first + 3)})
    assert buffer.take(4).column("n").to_pylist() == [0, 1, 2, 3]
    assert buffer.rows == 5
    buffer.append({"thing": ["z"], "n": [9]})
    rest = buffer.take(6)
    assert rest.column("n").to_pylist() == [4, 5, 6, 7, 8, 9]
    assert rest.column("thing").to_pylist() == ["a"] * 5 + ["z"]
    assert buffer.rows == 0


def test_no_rows(buffer: TableBuffer) -> None:
    assert buffer.append({"thing": things(), "n": np.array([], dtype=np.int64)}) == 0
    assert buffer.append({}) == 0
    assert buffer.all().num_rows == 0
    assert buffer.all().schema == SMALL.schema()


@pytest.mark.parametrize(("columns", "message"), [
    ({"thing": ["a"], "m": [1]}, "small has no column m"),
    ({"thing": ["a"], "n": [1, 2]}, "different lengths"),
    ({"thing": things(0, -1)}, "small.thing is part of the key and has no value in 1 of 2 rows"),
    ({"n": [1]}, "small.thing is part of the key and has no value in 1 of 1 rows"),
    ({"thing": [None]}, "small.thing is part of the key"),
])
def test_blocks_that_do_not_fit(buffer: TableBuffer, columns: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        buffer.append(columns)


def test_sink_in_memory() -> None:
    sink = TableSink("r2")
    sink.write("fact_event", {"sequence": np.array([0]), "time": np.array([5]), "thing": ["fleet/a"],
                              "kind": ["delivery"]})
    assert sink.table("fact_event").column("run_id").to_pylist() == ["r2"]
    sink.write("fact_event", {"sequence": np.array([1]), "time": np.array([6]), "thing": ["fleet/a"],
                              "kind": ["delivery"]})
    assert sink.table("fact_event").column("time").cast(pa.int64()).to_pylist() == [5, 6]
    assert {name: rows.num_rows for name, rows in sink.tables().items() if rows.num_rows} == {"fact_event": 2}
    assert sink.tables().keys() == TABLES.keys()
