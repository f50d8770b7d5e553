"""Importing jobs: every format, every reason to drop one, order, ids, fractions of GPUs, what is counted."""

import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from fleetsim.errors import UsageError
from fleetsim.spec.trace import (
    FORMATS,
    JobFormat,
    JobLayout,
    JobReport,
    JobTrace,
    import_jobs,
    kind_of,
    read_jobs,
    read_trace,
)
from fleetsim.spec.trace.jobs.generic import jobs_layout
from fleetsim.spec.trace.jobs.report import REASONS, REMARKS

OWN = jobs_layout(submit="at", gpus="gpus", duration="ran", job="id", queue="waited", user="user",
                  team="team", state="state", nodes="nodes", priority="rank", unit="s")
HEAD = "id,at,gpus,ran,waited,user,team,state,nodes,rank\n"
GOOD = "a,5,8,60,1.5,u,t,Done,1,0\n"


def layout_of(name: str) -> JobLayout:
    layout = FORMATS[name].layout
    assert isinstance(layout, JobLayout)
    return layout


def imported(folder: Path, text: str | bytes, layout: JobLayout = OWN) -> tuple[JobReport, JobTrace]:
    """The text as a file, imported and read back."""
    source = folder / "source.csv"
    source.write_bytes(text.encode() if isinstance(text, str) else text)
    report = import_jobs(source, layout, folder / "jobs.parquet")
    trace = read_jobs(folder / "jobs.parquet")
    assert report.read == report.kept + sum(report.dropped.values())
    assert trace.metadata == {"version": 1, **report.as_dict()}
    return report, trace


def rows_of(trace: JobTrace) -> list[tuple[object, ...]]:
    """The jobs as tuples; a missing number is None."""
    def optional(values: np.ndarray) -> list[object]:
        return [None if np.isnan(value) or value == -1 else value for value in values.tolist()]

    return list(zip(
        trace.job_id, (trace.submit_ns / 1e9).tolist(), trace.gpus.tolist(), trace.gpu_frac.tolist(),
        trace.duration_s.tolist(), optional(trace.queue_s),
        *([each.names[place] for place in each.index] for each in (trace.users, trace.teams, trace.states)),
        optional(trace.nodes), optional(trace.priority), strict=True))


def attempt(start: str | None, end: str | None, *gpus: int) -> dict[str, object]:
    """An attempt of a Philly job on servers with so many GPUs."""
    return {"start_time": start, "end_time": end,
            "detail": [{"ip": f"m{place}", "gpus": [f"gpu{each}" for each in range(count)]}
                       for place, count in enumerate(gpus)]}


def philly(job: str, submitted: str, *attempts: dict[str, object], status: str = "Pass") -> dict[str, object]:
    return {"status": status, "vc": "vc1", "jobid": job, "attempts": list(attempts), "user": "ann",
            "submitted_time": submitted}


DAY = "2017-10-07 "
PHILLY = json.dumps([
    philly("app_1", DAY + "01:00:00", attempt(DAY + "01:00:30", DAY + "01:01:30", 8),
           attempt(DAY + "01:02:00", DAY + "01:04:00", 8, 8), status="Killed"),
    philly("app_2", DAY + "01:00:10", attempt(DAY + "01:00:40", DAY + "01:00:50", 2),
           attempt(DAY + "01:01:00", None, 2)),
    philly("app_3", DAY + "01:00:20", attempt("None", None, 4), status="Failed"),
    philly("app_4", DAY + "01:00:20"),
    philly("app_5", DAY + "01:00:20", attempt(DAY + "01:01:00", DAY + "01:02:00")),
], indent=1)
HELIOS = (
    "job_id,user,vc,gpu_num,cpu_num,node_num,state,submit_time,start_time,end_time,duration,queue\n"
    "7,ann,vcA,16,64,2,COMPLETED,2020-06-09 18:41:01,2020-06-09 18:42:01,2020-06-09 19:42:01,3600,60\n"
    "8,bob,vcB,0,16,1,FAILED,2020-06-09 18:41:27,2020-06-09 18:41:27,2020-06-09 18:45:36,249,0\n"
    "9,bob,vcB,1,1,1,NODE_FAIL,2020-06-09 18:41:28,2020-06-09 18:41:28,2020-06-09 18:41:38,10,0\n")
ACME = (
    "job_id,user,node_num,gpu_num,cpu_num,type,state,submit_time,start_time,end_time,fail_time,duration,queue\n"
    "s1,ann,1,8,128,Other,FAILED,2023-05-01 08:00:00+08:00,2023-05-01 08:00:30+08:00,"
    "2023-05-01 08:02:30+08:00,,120,30\n"
    "k1,bob,8,64,960,Other,CANCELLED,2023-05-01 00:00:10+00:00,2023-05-01 00:00:20+00:00,"
    "2023-05-01 00:00:28+00:00,,18,10.0\n")
ALIBABA = (
    "name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,"
    "scheduled_time\n"
    "pod-1,88000,327680,8,1000,,Burstable,Succeeded,1000,1600,1000\n"
    "pod-2,4000,15258,1,250,,BE,Running,1100,1200,1140\n"
    "pod-3,4000,15258,0,0,,LS,Succeeded,1100,1200,1140\n"
    "pod-4,4000,15258,1,1000,V100M16|V100M32,LS,Pending,1100,1200,\n")

FORMAT_FILES = {
    "philly": (PHILLY, [
        ("app_1", 0.0, 16, 1.0, 180.0, 30.0, "ann", "vc1", "cancelled", 2, None),
        ("app_2", 10.0, 2, 1.0, 10.0, 30.0, "ann", "vc1", "completed", 1, None),
    ], {"no_run": 2, "no_gpu": 1}, {"gpus_change": 1, "attempts_without_times": 1},
        "2017-10-07T01:00:00.000000000Z"),
    "helios": (HELIOS, [
        ("7", 0.0, 16, 1.0, 3600.0, 60.0, "ann", "vcA", "completed", 2, None),
        ("9", 27.0, 1, 1.0, 10.0, 0.0, "bob", "vcB", "node_fail", 1, None),
    ], {"no_gpu": 1}, {}, "2020-06-09T18:41:01.000000000Z"),
    "acme": (ACME, [
        ("s1", 0.0, 8, 1.0, 120.0, 30.0, "ann", "ann", "failed", 1, None),
        ("k1", 10.0, 64, 1.0, 8.0, 10.0, "bob", "bob", "cancelled", 8, None),
    ], {}, {"duration_differs": 1}, "2023-05-01T00:00:00.000000000Z"),
    "alibaba-2023-jobs": (ALIBABA, [
        ("pod-1", 0.0, 8, 1.0, 600.0, 0.0, "unknown", "Burstable", "completed", None, 1),
        ("pod-2", 100.0, 1, 0.25, 60.0, 40.0, "unknown", "BE", "running", None, 2),
    ], {"no_gpu": 1, "no_run": 1}, {"fraction": 1}, None),
}


def test_every_format_but_the_named_one_has_a_test() -> None:
    jobs = {name for name, each in FORMATS.items() if isinstance(each, JobFormat)}
    assert {*FORMAT_FILES, "jobs"} == jobs


@pytest.mark.parametrize("name", FORMAT_FILES)
def test_a_format_is_read(name: str, tmp_path: Path) -> None:
    text, rows, dropped, remarks, start = FORMAT_FILES[name]
    report, trace = imported(tmp_path, text, layout_of(name))
    assert rows_of(trace) == rows
    assert (report.dropped, report.remarks, report.start) == (dropped, remarks, start)
    assert report.gpu_hours == pytest.approx(trace.gpu_hours.sum())
    assert kind_of(tmp_path / "jobs.parquet") == "jobs"


def test_a_named_file_is_read_and_what_it_lacks_has_a_name(tmp_path: Path) -> None:
    assert rows_of(imported(tmp_path, HEAD + GOOD)[1]) == [
        ("a", 0.0, 8, 1.0, 60.0, 1.5, "u", "t", "done", 1, 0)]
    bare = jobs_layout(submit="at", gpus="gpus", duration="ran", unit="s")
    text = "at,gpus,ran\n0,1.5,60\n0.5,1,0.25\n"
    report, trace = imported(tmp_path, text, bare)
    assert rows_of(trace) == [
        ("line 2", 0.0, 2, 0.75, 60.0, None, "unknown", "unknown", "unknown", None, None),
        ("line 3", 0.5, 1, 1.0, 0.25, None, "unknown", "unknown", "unknown", None, None)]
    assert report.remarks == {"fraction": 1}


BAD = [
    ("missing_columns", "b,5,8,60"),
    ("extra_columns", GOOD.strip() + ",x"),
    ("unreadable_row", 'b,"5,8,60,1,u,t,s,1,0'),
    ("unreadable_time", "b,later,8,60,1,u,t,s,1,0"),
    ("unreadable_number", "b,5,eight,60,1,u,t,s,1,0"),
    ("unreadable_number", "b,5,8,long,1,u,t,s,1,0"),
    ("unreadable_number", "b,5,8,60,1,u,t,s,1,high"),
    ("unreadable_number", "b,5,8,60,x,u,t,s,1,0"),
    ("unreadable_number", "b,5,8,60,1,u,t,s,1.5,0"),
    ("no_id", " ,5,8,60,1,u,t,s,1,0"),
    ("negative", "b,-5,8,60,1,u,t,s,1,0"),
    ("negative", "b,5,-8,60,1,u,t,s,1,0"),
    ("negative", "b,5,8,-60,1,u,t,s,1,0"),
    ("negative", "b,5,8,60,-1,u,t,s,1,0"),
    ("too_large", "b,5,2147483648,60,1,u,t,s,1,0"),
    ("no_gpu", "b,5,0,60,1,u,t,s,1,0"),
    ("no_gpu", "b,5,0,,1,u,t,s,1,0"),
    ("no_run", "b,5,8,,1,u,t,s,1,0"),
    ("zero_run", "b,5,8,0,1,u,t,s,1,0"),
    ("duplicate_id", "a,9,1,5,1,u,t,s,1,0"),
]


@pytest.mark.parametrize(("reason", "line"), BAD)
def test_a_bad_job_is_dropped_and_its_line_told(reason: str, line: str, tmp_path: Path) -> None:
    report, trace = imported(tmp_path, f"{HEAD}{GOOD}\n{line}\n")
    assert report.dropped == {reason: 1}
    assert [(row.line, row.value) for row in report.bad_rows[reason]] == [(4, line.strip())]
    assert trace.job_id == ("a",)


def test_every_reason_and_remark_is_tested() -> None:
    tested = {reason for reason, _ in BAD} | {"not_utf8"}
    assert tested == set(REASONS)
    counted = {key for _, _, _, remarks, _ in FORMAT_FILES.values() for key in remarks}
    assert counted | {"queue_below_zero"} == set(REMARKS)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    report, _ = imported(tmp_path, (HEAD + GOOD).encode() + b"b,5,8,60,1,caf\xe9,t,s,1,0\n")
    assert [row.line for row in report.bad_rows["not_utf8"]] == [3]


def test_order_and_ids(tmp_path: Path) -> None:
    """Sorted by submission, ties as in the file; the first in the file keeps an id, also when it is later."""
    rows = [("a", 20), ("b", 10), ("c", 20), ("b", 5), ("d", 10)]
    text = HEAD + "".join(f"{job},{at},1,60,1,u,t,s,1,0\n" for job, at in rows)
    report, trace = imported(tmp_path, text)
    assert (trace.job_id, trace.submit_ns.tolist()) == (("b", "d", "a", "c"), [0, 0, 10**10, 10**10])
    assert (report.out_of_order, report.dropped, report.span_s) == (2, {"duplicate_id": 1}, 10.0)


def test_ends_before_starts_and_starts_before_submissions(tmp_path: Path) -> None:
    head, *rows = HELIOS.splitlines()
    first = rows[0].replace("18:41:01", "18:42:31")
    second = rows[2].replace("2020-06-09 18:41:38", "2020-06-09 18:41:20")
    report, trace = imported(tmp_path, "\n".join([head, first, second]), layout_of("helios"))
    assert (report.dropped, report.remarks) == ({"negative": 1}, {"queue_below_zero": 1})
    assert np.isnan(trace.queue_s).all()
    head, *pods = ALIBABA.splitlines()
    missing = "\n".join([head, pods[0], pods[1].replace(",1200,", ",soon,")])
    assert imported(tmp_path, missing, layout_of("alibaba-2023-jobs"))[0].dropped == {"unreadable_time": 1}


def test_a_priority_word_that_is_not_known_is_none(tmp_path: Path) -> None:
    text = ALIBABA.replace("Burstable", "Custom").replace(",BE,", ",LS,")
    assert imported(tmp_path, text, layout_of("alibaba-2023-jobs"))[1].priority.tolist() == [-1, 0]


def test_entries_of_a_list_have_their_lines(tmp_path: Path) -> None:
    good = json.dumps(philly("x", DAY + "01:00:00", attempt(DAY + "01:00:30", DAY + "01:01:30", 8)))
    text = f'[\n{good},\n 3, {{"jobid": "y"}},\n\n{good}\n]\n'
    report, trace = imported(tmp_path, text, layout_of("philly"))
    lines = {reason: [row.line for row in rows] for reason, rows in report.bad_rows.items()}
    assert lines == {"unreadable_row": [3], "missing_columns": [3], "duplicate_id": [5]}
    assert trace.job_id == ("x",)


@pytest.mark.parametrize(("text", "layout", "line", "words"), [
    ("", OWN, 1, "the file is empty"),
    (HEAD, OWN, 1, "the file has no rows"),
    ("id,at\n", OWN, 1, "the header has no column 'gpus' of format jobs"),
    (HELIOS, layout_of("acme"), 1, "its columns are those of --format helios"),
    (HEAD + "a,5,0,60,1,u,t,s,1,0\n", OWN, 2, "no row can be used (1 no_gpu)"),
    (HEAD + "a,2024-01-01,1,60,1,u,t,s,1,0\n", OWN, 2,
     "times are read as s: say what they are with --time-unit"),
    ("{}", layout_of("philly"), 1, "no JSON list of jobs"),
    ("[{},\n{]", layout_of("philly"), 2, "no JSON begins here: '{]'"),
    ("[{},\n", layout_of("philly"), 2, "no JSON begins here"),
    ("[{}\n\n{}]", layout_of("philly"), 3, "does not go on, and does not end"),
    (b"\x1f\x8b\x08", layout_of("philly"), 1, "the file is gzip, not text"),
    (b'["\xe9"]', layout_of("philly"), 1, "the file is not UTF-8"),
])
def test_a_file_that_is_none_says_where(text: str | bytes, layout: JobLayout, line: int, words: str,
                                        tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        imported(tmp_path, text, layout)
    assert str(caught.value).startswith(f"{tmp_path / 'source.csv'}:{line}: error: ")
    assert words in str(caught.value)
    assert not (tmp_path / "jobs.parquet").exists()


def test_the_columns_that_must_be_named() -> None:
    with pytest.raises(UsageError, match="--format jobs needs --gpus-column, --duration-column"):
        jobs_layout(submit="at", gpus=None, duration=None)
    with pytest.raises(UsageError, match="unknown time unit 'sec'"):
        jobs_layout(submit="at", gpus="g", duration="d", unit="sec")


def test_the_file_has_its_types_and_the_same_bytes_again(tmp_path: Path) -> None:
    imported(tmp_path, HELIOS, layout_of("helios"))
    first = (tmp_path / "jobs.parquet").read_bytes()
    schema = {field.name: (str(field.type).split("<")[0], field.nullable)
              for field in pq.read_schema(tmp_path / "jobs.parquet")}
    assert schema == {
        "job_id": ("string", False), "submit_ns": ("int64", False), "gpus": ("int64", False),
        "gpu_frac": ("double", False), "duration_s": ("double", False), "queue_s": ("double", True),
        "user": ("dictionary", False), "team": ("dictionary", False), "state": ("dictionary", False),
        "nodes": ("int64", True), "priority": ("int64", True)}
    imported(tmp_path, HELIOS, layout_of("helios"))
    assert (tmp_path / "jobs.parquet").read_bytes() == first


def test_only_traces_of_jobs_are_read(tmp_path: Path) -> None:
    imported(tmp_path, HELIOS, layout_of("helios"))
    path = tmp_path / "jobs.parquet"
    table, stored = pq.read_table(path), pq.read_metadata(path).metadata[b"fleetsim.jobs"]

    def refused(words: str, column: str = "", values: list[object] | None = None, meta: bytes = stored,
                key: bytes = b"fleetsim.jobs") -> None:
        changed = table.replace_schema_metadata({key: meta})
        if column:
            place = table.schema.get_field_index(column)
            changed = changed.set_column(place, table.schema.field(column), [values])
        pq.write_table(changed, tmp_path / "x.parquet")
        with pytest.raises(UsageError, match=words):
            read_jobs(tmp_path / "x.parquet")

    refused("it was not written by an import", key=b"other")
    refused("is a trace of version 9", meta=stored.replace(b'"version": 1', b'"version": 9'))
    refused("not sorted from 0", "submit_ns", [0, -1])
    refused("a job has no GPU", "gpus", [1, 0])
    refused("a share of a GPU", "gpu_frac", [1.0, 1.5])
    refused("a job has no run time", "duration_s", [1.0, 0.0])
    refused("a wait is below 0", "queue_s", [None, -1.0])
    refused("an id occurs twice", "job_id", ["7", "7"])
    with pytest.raises(UsageError, match=r"no trace .*make one with"):
        read_jobs(tmp_path / "none.parquet")
    with pytest.raises(UsageError, match=r"is a trace of jobs, and this takes one of requests"):
        read_trace(path)
    assert kind_of(tmp_path / "source.csv") is None
