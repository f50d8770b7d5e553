"""`fleetsim trace import|describe|fit`: recorded requests as a file, as figures, as a traffic class."""

from pathlib import Path
from typing import Annotated

import typer

from fleetsim.cli.console import say, say_json, text_width, warn
from fleetsim.cli.options import AsJson
from fleetsim.errors import UsageError

SUFFIX = ".parquet"
TraceFile = Annotated[
    Path, typer.Argument(metavar="TRACE", help="Trace (Parquet), written by `fleetsim trace import`.")
]


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, or JSON lines (mooncake).")],
    format_: Annotated[
        str,
        typer.Option("--format", metavar="NAME",
                     help="azure-2023, azure-2024, burstgpt, mooncake, or generic: the columns are named."),
    ],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="TRACE", help="Parquet file to write.")],
    class_: Annotated[
        str | None,
        typer.Option("--class", metavar="NAME", help="Traffic class of all requests; the file's by default."),
    ] = None,
    time_column: Annotated[
        str | None, typer.Option("--time-column", metavar="COLUMN", help="Arrivals (generic).")
    ] = None,
    prompt_column: Annotated[
        str | None, typer.Option("--prompt-column", metavar="COLUMN", help="Prompt tokens (generic).")
    ] = None,
    output_column: Annotated[
        str | None, typer.Option("--output-column", metavar="COLUMN", help="Output tokens (generic).")
    ] = None,
    class_column: Annotated[
        str | None, typer.Option("--class-column", metavar="COLUMN", help="Traffic class (generic).")
    ] = None,
    time_unit: Annotated[
        str | None,
        typer.Option("--time-unit", metavar="UNIT", help="s, ms, us, ns, or iso, the default (generic)."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the requests of a public or own file as a trace, sorted by arrival; bad rows are listed."""
    from fleetsim.output.export.target import Target
    from fleetsim.report.trace import dropped_text, import_text
    from fleetsim.spec.trace import find_format, import_trace
    from fleetsim.spec.trace.generic import generic_layout
    from fleetsim.spec.trace.report import REASONS

    layout = find_format(format_).layout
    named = {"--time-column": time_column, "--prompt-column": prompt_column, "--output-column": output_column,
             "--class-column": class_column, "--time-unit": time_unit}
    if layout is None:
        layout = generic_layout(file, time=time_column, prompt=prompt_column, output=output_column,
                                class_=class_column, unit="iso" if time_unit is None else time_unit)
    elif given := [option for option, value in named.items() if value is not None]:
        raise UsageError(f"{given[0]} is for --format generic; {format_} knows its columns")
    if out.suffix != SUFFIX:
        raise UsageError(f"{out}: the name of a trace ends in {SUFFIX}")
    if out.exists() and file.exists() and out.samefile(file):
        raise UsageError(f"{out} is the file that is read")
    with Target(out, force=force) as target:
        report = import_trace(file, layout, target.partial(), class_name=class_)
        target.publish()
    data = report.as_dict()
    if report.dropped:
        warn(dropped_text(data, REASONS))
    say_json({"path": str(out), **data}) if as_json else say(import_text(data, str(out)))


def describe(
    trace: TraceFile,
    plots: Annotated[
        Path | None, typer.Option("--plots", metavar="DIR", help="Directory for a plot; created.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Print rates, burstiness and lengths of a trace, of each of its classes too."""
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
    """Print a trace as a traffic class for `traffic:` of a scenario, and how well that fits.

    Pool and service are those of `fleetsim new` by default.
    """
    from fleetsim.experiments import trace_statistics
    from fleetsim.report.trace import fit_text, honesty
    from fleetsim.spec.trace import read_trace

    data = trace_statistics.fit(read_trace(trace), class_).as_dict()
    text = fit_text(data, pool=pool, service=service)
    say_json({**data, "remarks": honesty(data), "yaml": text}) if as_json else say(text)


TRACE_VERBS = (
    ("import", import_, "Write public or own records of requests as a trace."),
    ("describe", describe, "Print rates, burstiness and lengths of a trace."),
    ("fit", fit, "Print a trace as a traffic class."),
)
trace_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
for name, verb, line in TRACE_VERBS:
    trace_app.command(name, short_help=line)(verb)


@trace_app.callback()
def trace() -> None:
    """Recorded requests: import, describe, fit a traffic class."""
