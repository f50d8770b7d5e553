"""Importing traces: every format, every reason to drop a row, order, ties, exact times, whole blocks."""

from fractions import Fraction
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleetsim.errors import UsageError
from fleetsim.spec.trace import (
    FORMATS,
    Format,
    ImportReport,
    Layout,
    Trace,
    find_format,
    import_trace,
    read_trace,
)
from fleetsim.spec.trace.blocks import Block, LineBlocks
from fleetsim.spec.trace.by_column import read_columns
from fleetsim.spec.trace.canonical import duplicates, whole_ties
from fleetsim.spec.trace.cells import parse_count, parse_time
from fleetsim.spec.trace.csv_lines import CsvLines
from fleetsim.spec.trace.generic import generic_layout
from fleetsim.spec.trace.layout import UNITS, TimeUnit
from fleetsim.spec.trace.line_by_line import read_lines
from fleetsim.spec.trace.rows import ClassNames, Rows

AZURE = Path(__file__).parents[4] / "shared" / "data" / "azure-llm-inference-2023-conv.csv"
HEAD = "TIMESTAMP,ContextTokens,GeneratedTokens\n"
OWN = Layout("generic", time="t", prompt="p", output="o", unit="ns", class_column="c")


def layout_of(name: str) -> Layout:
    layout = FORMATS[name].layout
    assert isinstance(layout, Layout)
    return layout


def imported(folder: Path, text: str | bytes, layout: Layout, **options: str) -> tuple[ImportReport, Trace]:
    """The text as a file, imported and read back."""
    source = folder / "source.csv"
    source.write_bytes(text.encode() if isinstance(text, str) else text)
    report = import_trace(source, layout, folder / "trace.parquet", **options)
    return report, read_trace(folder / "trace.parquet")


def rows_of(trace: Trace) -> list[tuple[int, int, int, str]]:
    """The requests as tuples."""
    names = [trace.class_names[number] for number in trace.class_index]
    return list(zip(trace.arrival_ns.tolist(), trace.prompt_tokens.tolist(), trace.output_tokens.tolist(),
                    names, strict=True))


FORMAT_FILES = {
    "azure-2023": (
        HEAD + "2023-11-16 18:15:46.6805900,374,44\r\n2023-11-16 18:15:50.9951690,396,109",
        [(0, 374, 44, "requests"), (4_314_579_000, 396, 109, "requests")], "2023-11-16T18:15:46.680590000Z"),
    "azure-2024": (
        HEAD + "2024-05-10 00:00:00.009930+00:00,2162,5\n2024-05-10 00:00:01+00:00,2399,6\n",
        [(0, 2162, 5, "requests"), (990_070_000, 2399, 6, "requests")], "2024-05-10T00:00:00.009930000Z"),
    "burstgpt": (
        "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
        "5,a,1,ChatGPT,472,18,490,Conversation log\n45.5,b,2,GPT-4,1087,230,1317,API log\n",
        [(0, 472, 18, "ChatGPT"), (40_500_000_000, 1087, 230, "GPT-4")], None),
    "mooncake": (
        '{"timestamp": 27482, "input_length": 6955, "output_length": 52, "hash_ids": [46, 47]}\n'
        '{"timestamp": 30535.25, "input_length": 6472, "output_length": 26, "hash_ids": []}\n',
        [(0, 6955, 52, "requests"), (3_053_250_000, 6472, 26, "requests")], None),
}


@pytest.mark.parametrize("name", FORMAT_FILES)
def test_a_format_is_read(name: str, tmp_path: Path) -> None:
    text, rows, start = FORMAT_FILES[name]
    report, trace = imported(tmp_path, text, layout_of(name))
    assert rows_of(trace) == rows
    assert (report.read, report.kept, report.dropped, report.start) == (2, 2, {}, start)
    assert report.sha256 == sha256(text.encode()).hexdigest()
    assert trace.metadata == {"version": 1, **report.as_dict()}
    assert trace.metadata["source"] == "source.csv"


def test_every_format_but_the_named_one_has_a_test() -> None:
    requests = {name for name, each in FORMATS.items() if isinstance(each, Format)}
    assert {*FORMAT_FILES, "generic"} == requests


@pytest.mark.parametrize(("unit", "one", "other", "gap_ns"), [
    ("s", "1.5", "2.000000001", 500_000_001), ("ms", "7", "7.25", 250_000), ("us", "1.001", "2", 999),
    ("ns", "10", "12", 2), ("s", "1e-9", "1.5e3", 1_499_999_999_999),
    ("iso", "2024-02-28T23:59:59Z", "2024-02-29T00:00:00.5Z", 1_500_000_000),
    ("iso", "2024-01-01T00:00:00+02:00", "2023-12-31 22:00:01", 1_000_000_000),
])
def test_generic_units(unit: str, one: str, other: str, gap_ns: int, tmp_path: Path) -> None:
    layout = generic_layout(Path("x.csv"), time="at", prompt="in", output="out", class_="who", unit=unit)
    _, trace = imported(tmp_path, f"who,out,x,in,at\nweb,2,?,1,{one}\napp,4,?,3,{other}\n", layout)
    assert rows_of(trace) == [(0, 1, 2, "web"), (gap_ns, 3, 4, "app")]


def test_generic_json_lines(tmp_path: Path) -> None:
    layout = generic_layout(Path("x.jsonl"), time="at", prompt="in", output="out", unit="s")
    text = '{"at": 0.1, "in": 1, "out": 2}\n{"at": "0.3", "in": "3", "out": 4}'
    _, trace = imported(tmp_path, text, layout)
    assert rows_of(trace) == [(0, 1, 2, "requests"), (200_000_000, 3, 4, "requests")]


BAD_CSV = [
    ("missing_columns", "5,a"), ("extra_columns", "5,1,2,a,b"), ("unreadable_row", '5,"1,2,a'),
    ("unreadable_time", "soon,1,2,a"), ("unreadable_time", ",1,2,a"), ("unreadable_time", "1e400,1,2,a"),
    ("unreadable_time", "nan,1,2,a"), ("unreadable_time", "9223372036854775807,1,2,a"),
    ("unreadable_number", "5,many,2,a"), ("unreadable_number", "5,1,2.5,a"), ("unreadable_number", "5,,2,a"),
    ("unreadable_number", "5,1_000,2,a"), ("unreadable_number", "5,0x1F,2,a"),
    ("unreadable_number", "5,\u0661,2,a"),
    ("no_class", "5,1,2, "), ("negative", "5,-1,2,a"), ("negative", "5,1,-2,a"), ("negative", "-5,1,2,a"),
    ("too_large", "5,2147483648,2,a"), ("too_large", "5,1,1e40,a"),
    ("zero_prompt", "5,0,2,a"), ("zero_prompt", "5,0,0,a"), ("zero_output", "5,1,0,a"),
]
BAD_JSON = [
    ("unreadable_row", "{"), ("unreadable_row", "[1]"), ("missing_columns", '{"t": 1, "p": 2, "c": "a"}'),
    ("unreadable_time", '{"t": NaN, "p": 1, "o": 2, "c": "a"}'),
    ("unreadable_time", '{"t": null, "p": 1, "o": 2, "c": "a"}'),
    ("unreadable_number", '{"t": 5, "p": true, "o": 2, "c": "a"}'),
    ("zero_output", '{"t": 5, "p": 1, "o": 0, "c": "a"}'),
    ("no_class", '{"t": 5, "p": 1, "o": 1, "c": null}'),
    ("unreadable_time", '{"t": null, "p": 1, "o": 1, "c": "a"}'),
]


@pytest.mark.parametrize(("reason", "line"), BAD_CSV)
def test_a_bad_row_is_dropped_and_its_line_told(reason: str, line: str, tmp_path: Path) -> None:
    report, trace = imported(tmp_path, f"t,p,o,c\n1,1,1,a\n\n{line}\n3,1,1,a\n", OWN)
    assert report.dropped == {reason: 1}
    assert [(row.line, row.value) for row in report.bad_rows[reason]] == [(4, line.strip())]
    assert (report.read, report.kept, len(trace)) == (3, 2, 2)


@pytest.mark.parametrize(("reason", "line"), BAD_JSON)
def test_a_bad_object_is_dropped(reason: str, line: str, tmp_path: Path) -> None:
    layout = Layout("generic", time="t", prompt="p", output="o", unit="ns", class_column="c", lines="json")
    report, _ = imported(tmp_path, f'{line}\n{{"t": 1, "p": 1, "o": 1, "c": "a"}}\n', layout)
    assert (report.dropped, report.kept) == ({reason: 1}, 1)
    assert report.bad_rows[reason][0].line == 1


def test_the_first_ten_of_a_reason_are_shown(tmp_path: Path) -> None:
    report, _ = imported(tmp_path, "t,p,o,c\n" + "1,0,1,a\n" * 12 + "1,1,1,a\n" + "1,1,x,a\n", OWN)
    assert report.dropped == {"zero_prompt": 12, "unreadable_number": 1}
    assert [row.line for row in report.bad_rows["zero_prompt"]] == list(range(2, 12))
    assert report.read == report.kept + sum(report.dropped.values()) == 14


def test_rows_out_of_order_are_sorted_and_ties_keep_their_order(tmp_path: Path) -> None:
    text = "t,p,o,c\n20,1,1,a\n10,2,1,b\n20,3,1,a\n10,1,1,a\n30,1,1,a\n"
    report, trace = imported(tmp_path, text, OWN)
    assert rows_of(trace) == [(0, 2, 1, "b"), (0, 1, 1, "a"), (10, 1, 1, "a"), (10, 3, 1, "a"),
                              (20, 1, 1, "a")]
    assert report.out_of_order == 2
    assert trace.class_names == ("a", "b")
    assert report.classes == {"a": 4, "b": 1}


def test_duplicates_are_kept_and_counted(tmp_path: Path) -> None:
    text = "t,p,o,c\n1,5,5,a\n1,6,5,a\n1,5,5,a\n1,5,5,b\n1,5,5,a\n2,5,5,a\n"
    report, trace = imported(tmp_path, text, OWN)
    assert (report.duplicates, len(trace)) == (2, 6)
    assert trace.metadata["duplicates"] == 2


def test_a_class_for_all(tmp_path: Path) -> None:
    report, trace = imported(tmp_path, "t,p,o,c\n1,5,5,a\n2,5,5,\n", OWN, class_name="chat")
    assert (trace.class_names, report.classes) == (("chat",), {"chat": 2})
    with pytest.raises(UsageError, match="'a b' is no name of a traffic class"):
        imported(tmp_path, "t,p,o,c\n1,5,5,a\n", OWN, class_name="a b")


def test_a_column_of_identifiers_is_no_class(tmp_path: Path) -> None:
    text = "t,p,o,c\n" + "".join(f"1,1,1,user{number}\n" for number in range(1_001))
    with pytest.raises(UsageError, match="column 'c' has more than 1,000 different values"):
        imported(tmp_path, text, OWN)


@pytest.mark.parametrize(("text", "place", "words"), [
    ("", 1, "the file is empty"),
    ("t,p,o,c\n", 1, "the file has no rows"),
    ("t,p,oo,c\n1,1,1,a\n", 1, "no column 'o' of format generic (did you mean 'oo'?)"),
    ("t,p,o,c,t\n1,1,1,a,1\n", 1, "2 columns 't'"),
    (HEAD + "1,1,1\n", 1, "its columns are those of --format azure-2023"),
    ("t,p,o,c\n\n1,1,0,a\n1,x,0,a\n", 3,
     "no row can be used (1 unreadable_number, 1 zero_output); the first: an output of no tokens: '1,1,0,a'"),
    ("t,p,o,c\n2024-01-01,1,1,a\n", 2, "times are read as ns: say what they are with --time-unit"),
    ("t;p;o;c" * 20 + "\n1;1;1;a\n", 1,
     f"(it is one cell, '{('t;p;o;c' * 20)[:80]}...': is the delimiter a comma?)"),
    (b"t,p,o,c\xe9\n1,1,1,a\n", 1, "the header is not UTF-8"),
    (b"\x1f\x8b\x08", 1, "the file is gzip, not text; unpack it first"),
    (b"PAR1", 1, "the file is Parquet, not text"),
    ("t,p,o,c\n".encode("utf-16"), 1, "the file is UTF-16, not UTF-8"),
])
def test_a_file_that_is_none_says_where(text: str | bytes, place: int, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        imported(tmp_path, text, OWN)
    assert str(caught.value).startswith(f"{tmp_path / 'source.csv'}:{place}: error: ")
    assert words in str(caught.value)
    assert not (tmp_path / "trace.parquet").exists()


@pytest.mark.parametrize("end", ["", ",\""])
def test_bytes_that_are_not_utf8_are_told_with_their_line(tmp_path: Path, end: str) -> None:
    text = (b"t,p,o,c,note\n1,1,1,a,x\n2,1,1,caf\xe9,x\n3,1,1,a,\xe9\n4,1,1,caf\xc3\xa9,x\n5,1,0,a"
            + end.encode())
    report, trace = imported(tmp_path, text, OWN)
    assert [row.line for row in report.bad_rows["not_utf8"]] == [3, 4]
    assert (report.dropped["not_utf8"], trace.class_names) == (2, ("a", "caf\u00e9"))


def test_unknown_names(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"unknown trace format 'azure2024' .did you mean 'azure-2024'"):
        find_format("azure2024")
    with pytest.raises(UsageError, match="no such file"):
        import_trace(tmp_path / "none.csv", OWN, tmp_path / "x.parquet")
    with pytest.raises(UsageError, match="needs --prompt-column, --output-column"):
        generic_layout(Path("x.csv"), time="t", prompt=None, output=None)
    with pytest.raises(UsageError, match="unknown time unit 'sec'"):
        generic_layout(Path("x.csv"), time="t", prompt="p", output="o", unit="sec")


def test_a_byte_order_mark_quotes_and_blanks_are_understood(tmp_path: Path) -> None:
    text = b'\xef\xbb\xbf t ,"p",o,c\r\n1, 5 ,6.0,"a,b"\r\n\r\n2,"7",8,a\r\n'
    report, trace = imported(tmp_path, text, OWN)
    assert rows_of(trace) == [(0, 5, 6, "a,b"), (1, 7, 8, "a")]
    assert report.dropped == {}


@given(st.integers(0, 10**18), st.integers(1, 12), st.sampled_from(list(UNITS)), st.sampled_from("+-"))
def test_times_are_exact(digits: int, places: int, unit: TimeUnit, sign: str) -> None:
    text = f"{sign}{digits // 10**places}.{digits % 10**places:0{places}d}"
    exact = round(Fraction(int(f"{sign}{digits}"), 10**places) * 10 ** UNITS[unit])
    assert parse_time(text, unit) == (exact if abs(exact) < 2**62 else None)


def test_digits_behind_the_nanosecond_are_rounded_half_to_even() -> None:
    found = [parse_time(f"0.{digits}", "s") for digits in ("0000000005", "0000000015", "00000000151")]
    assert found == [0, 2, 2]
    assert parse_time("2024-01-01T00:00:00.9999999996Z", "iso") == parse_time("2024-01-01T00:00:01Z", "iso")
    assert parse_time("2024-01-01T00:00:60Z", "iso") is None
    assert parse_time("2024-02-30 00:00:00", "iso") is None
    assert parse_count("12.0") == 12


CELL = st.sampled_from(["", "0", "1", "17", "-3", "2.0", "2.5", "x", " 4", "999999999", "9999999999", '"8"'])
TIME = {
    "iso": ["2023-11-16 18:15:46.6805900", "2024-05-10T00:00:01Z", "2024-05-10 00:00:00.009930+00:00",
            "2024-02-30 00:00:00", "2024-05-10 00:00:60", "1969-12-31 23:59:59", "later"],
    "s": ["0", "1.5", "1699999999.123456789", "1.0000000001", "-1", "9999999999", "1e3", "late"],
    "ms": ["0", "27482", "1699999999123.456789", "0.0000001"],
    "ns": ["0", "1699999999123456789", "1.5", "999999999999999999999"],
}


@st.composite
def blocks_of_rows(draw: st.DrawFn) -> tuple[TimeUnit, bytes]:
    """Lines that are all plain, all good, or anything."""
    unit = draw(st.sampled_from(sorted(TIME)))
    plain = draw(st.booleans())
    count = st.integers(0, 999).map(str) if plain else CELL
    time = st.just(TIME[unit][1]) if plain else st.sampled_from(TIME[unit])
    name = st.sampled_from(["a", "b", "GPT-4"] if plain else ["a", "b", " b", "", "\u00fc"])
    row = st.tuples(time, count, count, name).map(",".join)
    line = row if plain else st.one_of(row, st.just(""), st.just("1,2"))
    lines = draw(st.lists(line, min_size=1, max_size=9))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return unit, (end.join(lines) + draw(st.sampled_from(["", end]))).encode()


@given(blocks_of_rows())
def test_by_column_is_line_by_line(found: tuple[TimeUnit, bytes]) -> None:
    unit, data = found
    results = []
    for by_column in (True, False):
        rows, report, names = Rows(), ImportReport("generic", "x"), ClassNames("x")
        lines, block = CsvLines(Path("x"), OWN, "t,p,o,c"), Block(2, data)
        if not (by_column and read_columns(block, lines, unit, names, rows, report)):
            read_lines(block, lines, unit, names, rows, report)
        results.append((rows.time_ns.tolist(), rows.prompt.tolist(), rows.output.tolist(),
                        rows.class_index.tolist(), names.numbers, report.as_dict()))
    assert results[0] == results[1]


@pytest.mark.parametrize(("unit", "time"), [("iso", TIME["iso"][0]), ("iso", TIME["iso"][2]), ("s", "1.5"),
                                            ("ms", "27482"), ("ns", "1699999999123456789")])
def test_plain_blocks_are_read_by_column(unit: TimeUnit, time: str) -> None:
    rows, report = Rows(), ImportReport("generic", "x")
    block = Block(2, f"{time},1,2,a\n{time},0,2,b\n".encode())
    assert read_columns(block, CsvLines(Path("x"), OWN, "t,p,o,c"), unit, ClassNames("x"), rows, report)
    assert (rows.count, report.dropped, report.bad_rows["zero_prompt"][0].line) == (1, {"zero_prompt": 1}, 3)


@given(st.binary(max_size=60), st.integers(1, 9))
def test_blocks_are_whole_lines(tmp_path_factory: pytest.TempPathFactory, data: bytes, size: int) -> None:
    path = tmp_path_factory.mktemp("blocks") / "x"
    path.write_bytes(data)
    reader = LineBlocks(path, size)
    blocks = list(reader)
    assert b"".join(block.data for block in blocks) == data
    assert all(block.data.endswith(b"\n") for block in blocks[:-1])
    assert [block.line for block in blocks] == [
        1 + b"".join(block.data for block in blocks[:place]).count(b"\n") for place in range(len(blocks))]
    assert reader.digest == sha256(data).hexdigest()


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 2), st.integers(1, 2), st.integers(0, 1)),
                min_size=1, max_size=30), st.integers(1, 7))
def test_parts_are_sorted_and_their_duplicates_add_up(table: list[tuple[int, ...]], size: int) -> None:
    rows = Rows()
    rows.append(*np.array(table, np.int64).T)
    found, repeated = [], 0
    for part in whole_ties(rows, size):
        columns = (rows.time_ns[part], rows.prompt[part], rows.output[part], rows.class_index[part])
        found += list(zip(*(column.tolist() for column in columns), strict=True))
        repeated += duplicates(*columns)
    assert found == sorted(table, key=lambda row: row[0])
    assert repeated == len(table) - len(set(table))
    latest = [max(row[0] for row in table[:place + 1]) for place in range(len(table))]
    assert rows.out_of_order == sum(row[0] < high for row, high in zip(table, latest, strict=True))


def test_the_file_has_its_types_and_the_same_bytes_again(tmp_path: Path) -> None:
    imported(tmp_path, FORMAT_FILES["burstgpt"][0], layout_of("burstgpt"))
    first = (tmp_path / "trace.parquet").read_bytes()
    schema = pq.read_schema(tmp_path / "trace.parquet")
    assert [(field.name, str(field.type)) for field in schema] == [
        ("arrival_ns", "int64"), ("prompt_tokens", "int64"), ("output_tokens", "int64"),
        ("traffic_class", "dictionary<values=string, indices=int32, ordered=0>")]
    imported(tmp_path, FORMAT_FILES["burstgpt"][0], layout_of("burstgpt"))
    assert (tmp_path / "trace.parquet").read_bytes() == first


def test_only_traces_are_read(tmp_path: Path) -> None:
    _, good = imported(tmp_path, "t,p,o,c\n1,1,1,a\n5,1,1,a\n", OWN)
    path = tmp_path / "trace.parquet"
    table = pq.ParquetFile(path).read()
    metadata = pq.ParquetFile(path).metadata.metadata[b"fleetsim.trace"]

    def refused(changed: pa.Table, words: str, stored: bytes | None = metadata) -> None:
        with pq.ParquetWriter(tmp_path / "x.parquet", changed.schema) as writer:
            writer.write_table(changed)
            if stored is not None:
                writer.add_key_value_metadata({b"fleetsim.trace": stored})
        with pytest.raises(UsageError, match=words):
            read_trace(tmp_path / "x.parquet")

    plain = table.replace_schema_metadata(None)
    refused(plain, "it was not written by an import", None)
    refused(plain.drop_columns(["output_tokens"]), "it has no column 'output_tokens'")
    refused(plain.take([1, 0]), "its arrivals are not sorted from 0")
    refused(plain.slice(0, 0), "it has no rows")
    refused(plain, "is a trace of version 9", metadata.replace(b'"version": 1', b'"version": 9'))
    (tmp_path / "y.parquet").write_text("no Parquet")
    with pytest.raises(UsageError, match="is no trace"):
        read_trace(tmp_path / "y.parquet")
    with pytest.raises(UsageError, match=r"no trace .*make one with"):
        read_trace(tmp_path / "none.parquet")
    with pytest.raises(UsageError, match="the trace has no class 'b'"):
        good.of_class("b")


@pytest.mark.skipif(not AZURE.is_file(), reason=f"the public trace {AZURE.name} is not beside the checkout")
def test_the_azure_conversation_trace(tmp_path: Path) -> None:
    report = import_trace(AZURE, layout_of("azure-2023"), tmp_path / "conv.parquet")
    trace = read_trace(tmp_path / "conv.parquet")
    assert (report.read, report.kept, report.dropped, report.out_of_order) == (19_366, 19_366, {}, 0)
    assert report.sha256 == "2f1e5b666d4e3055fdbba98598ce2ec307767b9064e03e2fa46676dbcc7d0bf8"
    assert (trace.prompt_tokens.sum(), trace.output_tokens.sum()) == (22_361_870, 4_088_665)
    assert round(trace.span_s, 2) == 3_501.72
    assert report.start == "2023-11-16T18:15:46.680590000Z"
    # 100 ns steps, kept whole.
    assert int(trace.arrival_ns[-1]) == 3_501_721_937_000
    assert not (trace.arrival_ns % 100).any()
