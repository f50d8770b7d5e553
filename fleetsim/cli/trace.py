"""`fleetsim trace import|describe|fit`: recorded requests or jobs as a file, as figures, as traffic."""

from pathlib import Path
from typing import Annotated

import typer

from fleetsim.cli.console import say, say_json, text_width
from fleetsim.cli.options import AsJson
from fleetsim.cli.trace_import import import_

TraceFile = Annotated[
    Path, typer.Argument(metavar="TRACE", help="Trace (Parquet), written by `fleetsim trace import`.")
]


def describe(
    trace: TraceFile,
    plots: Annotated[
        Path | None, typer.Option("--plots", metavar="DIR", help="Directory for a plot; created.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print what a trace is like: rates and lengths of requests, sizes, times and teams of jobs."""
    from fleetsim.spec.trace import kind_of

    if kind_of(trace) == "jobs":
        describe_jobs(trace, plots, as_json=as_json)
    else:
        describe_requests(trace, plots, as_json=as_json)


def describe_requests(trace: Path, plots: Path | None, *, as_json: bool) -> None:
    """A trace of requests, each of its classes too."""
    from dataclasses import asdict

    from fleetsim.experiments import trace_statistics
    from fleetsim.report.trace import describe_text
    from fleetsim.spec.trace import read_trace

    requests = read_trace(trace)
    parts = [asdict(part) for part in trace_statistics.describe(requests)]
    written: list[str] = []
    if plots is not None:
        from fleetsim.report.plots.trace import write_plot

        written.append(str(write_plot(requests, plots)))
    if as_json:
        say_json({**parts[0], "classes": parts[1:], "plots": written, "metadata": requests.metadata})
        return
    width, terminal = text_width()
    say(describe_text(parts, requests.metadata, width=width, terminal=terminal))
    if written:
        say("\n".join(written))


def describe_jobs(trace: Path, plots: Path | None, *, as_json: bool) -> None:
    """A trace of jobs."""
    from fleetsim.experiments import job_statistics
    from fleetsim.report.job_trace import describe_jobs_text
    from fleetsim.spec.trace import read_jobs

    jobs = read_jobs(trace)
    data = job_statistics.describe_jobs(jobs).as_dict()
    written: list[str] = []
    if plots is not None:
        from fleetsim.report.plots.job_trace import write_job_plot

        written.append(str(write_job_plot(jobs, plots)))
    if as_json:
        say_json({**data, "plots": written, "metadata": jobs.metadata})
        return
    width, terminal = text_width()
    say(describe_jobs_text(data, jobs.metadata, width=width, terminal=terminal))
    if written:
        say("\n".join(written))


def fit(
    trace: TraceFile,
    class_: Annotated[
        str | None, typer.Option("--class", metavar="NAME", help="Which of the trace's classes.")
    ] = None,
    pool: Annotated[str, typer.Option("--pool", metavar="NAME", help="Pool of the scenario.")] = "chat",
    service: Annotated[
        str, typer.Option("--service", metavar="NAME", help="Service of the scenario.")
    ] = "large",
    as_json: AsJson = False,
) -> None:
    """Print a trace of requests as a traffic class for `traffic:` of a scenario, and how well that fits.

    Pool and service are those of `fleetsim new` by default.
    """
    from fleetsim.experiments import trace_statistics
    from fleetsim.report.trace import fit_text, honesty
    from fleetsim.spec.trace import read_trace

    data = trace_statistics.fit(read_trace(trace), class_).as_dict()
    text = fit_text(data, pool=pool, service=service)
    say_json({**data, "remarks": honesty(data), "yaml": text}) if as_json else say(text)


TRACE_VERBS = (
    ("import", import_, "Write public or own records of requests or jobs as a trace."),
    ("describe", describe, "Print what a trace of requests or jobs is like."),
    ("fit", fit, "Print a trace as a traffic class."),
)
trace_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
for name, verb, line in TRACE_VERBS:
    trace_app.command(name, short_help=line)(verb)


@trace_app.callback()
def trace() -> None:
    """Recorded requests or jobs: import, describe, fit a traffic class."""
