"""`fleetsim trace import`: requests or jobs of a public or own file as a trace."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetsim.cli.console import say, say_json, warn
from fleetsim.cli.options import AsJson
from fleetsim.cli.trace_options import (
    ClassColumn,
    DurationColumn,
    GpusColumn,
    JobColumn,
    NodesColumn,
    OutputColumn,
    PriorityColumn,
    PromptColumn,
    QueueColumn,
    StateColumn,
    TeamColumn,
    TimeColumn,
    TimeUnitOption,
    UserColumn,
)
from fleetsim.errors import UsageError

if TYPE_CHECKING:
    from fleetsim.spec.trace import JobLayout, Layout

SUFFIX = ".parquet"
BOTH = ("--time-column", "--time-unit")
OF_REQUESTS = ("--prompt-column", "--output-column", "--class-column")
OF_JOBS = ("--gpus-column", "--duration-column", "--job-column", "--queue-column", "--user-column",
           "--team-column", "--state-column", "--nodes-column", "--priority-column")
TAKEN = {**dict.fromkeys(BOTH, ("generic", "jobs")), **dict.fromkeys(OF_REQUESTS, ("generic",)),
         **dict.fromkeys(OF_JOBS, ("jobs",))}
"""Formats that take an option."""


def import_(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV, JSON lines (mooncake) or a JSON list (philly).")
    ],
    format_: Annotated[
        str,
        typer.Option("--format", metavar="NAME",
                     help="Requests: azure-2023, azure-2024, burstgpt, mooncake, or generic: the columns are "
                     "named. Jobs: philly, helios, acme, alibaba-2023-jobs, or jobs: the same."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="TRACE", help="Parquet file to write.")],
    class_: Annotated[
        str | None,
        typer.Option("--class", metavar="NAME", help="Traffic class of all requests; the file's by default."),
    ] = None,
    time_column: TimeColumn = None,
    time_unit: TimeUnitOption = None,
    prompt_column: PromptColumn = None,
    output_column: OutputColumn = None,
    class_column: ClassColumn = None,
    gpus_column: GpusColumn = None,
    duration_column: DurationColumn = None,
    job_column: JobColumn = None,
    queue_column: QueueColumn = None,
    user_column: UserColumn = None,
    team_column: TeamColumn = None,
    state_column: StateColumn = None,
    nodes_column: NodesColumn = None,
    priority_column: PriorityColumn = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the requests or jobs of a file as a trace, sorted by time; bad rows are listed."""
    columns = (time_column, time_unit, prompt_column, output_column, class_column, gpus_column,
               duration_column, job_column, queue_column, user_column, team_column, state_column,
               nodes_column, priority_column)
    named = dict(zip((*BOTH, *OF_REQUESTS, *OF_JOBS), columns, strict=True))
    layout = layout_of(file, format_, named, class_)
    if out.suffix != SUFFIX:
        raise UsageError(f"{out}: the name of a trace ends in {SUFFIX}")
    if out.exists() and file.exists() and out.samefile(file):
        raise UsageError(f"{out} is the file that is read")
    write(file, layout, out, class_, force=force, as_json=as_json)


def layout_of(file: Path, format_: str, named: dict[str, str | None],
              class_: str | None) -> "Layout | JobLayout":
    """The columns of the format, or those that are named; UsageError for an option that is not for it."""
    from fleetsim.spec.trace.formats import find_format
    from fleetsim.spec.trace.generic import generic_layout
    from fleetsim.spec.trace.jobs.generic import jobs_layout
    from fleetsim.spec.trace.jobs.layout import JobFormat

    found = find_format(format_)
    for option, value in named.items():
        if value is not None and format_ not in TAKEN[option]:
            knows = "has other columns" if found.layout is None else "knows its columns"
            raise UsageError(f"{option} is for --format {' or '.join(TAKEN[option])}; {format_} {knows}")
    if class_ is not None and isinstance(found, JobFormat):
        raise UsageError(f"--class is for requests; {format_} is a format of jobs")
    if found.layout is not None:
        return found.layout
    unit = named["--time-unit"] or "iso"
    if isinstance(found, JobFormat):
        return jobs_layout(
            submit=named["--time-column"], gpus=named["--gpus-column"], duration=named["--duration-column"],
            job=named["--job-column"], queue=named["--queue-column"], user=named["--user-column"],
            team=named["--team-column"], state=named["--state-column"], nodes=named["--nodes-column"],
            priority=named["--priority-column"], unit=unit)
    return generic_layout(file, time=named["--time-column"], prompt=named["--prompt-column"],
                          output=named["--output-column"], class_=named["--class-column"], unit=unit)


def write(file: Path, layout: "Layout | JobLayout", out: Path, class_: str | None, *, force: bool,
          as_json: bool) -> None:
    """Write the trace whole, and say what became of every row."""
    from fleetsim.output.export.target import Target
    from fleetsim.report.job_trace import import_jobs_text
    from fleetsim.report.trace import dropped_text, import_text
    from fleetsim.spec.trace import ImportReport, JobReport, import_jobs, import_trace
    from fleetsim.spec.trace.jobs.layout import JobLayout
    from fleetsim.spec.trace.jobs.report import REMARKS

    report: ImportReport | JobReport
    with Target(out, force=force) as target:
        if isinstance(layout, JobLayout):
            report = import_jobs(file, layout, target.partial())
        else:
            report = import_trace(file, layout, target.partial(), class_name=class_)
        target.publish()
    data = report.as_dict()
    if report.dropped:
        warn(dropped_text(data, report.reasons))
    if as_json:
        say_json({"path": str(out), **data})
    elif isinstance(report, JobReport):
        say(import_jobs_text(data, str(out), REMARKS))
    else:
        say(import_text(data, str(out)))
