"""The `fleetsim` command."""

import gc
from typing import Annotated

import typer

from fleetsim.cli.calibrate import calibrate
from fleetsim.cli.check import check
from fleetsim.cli.compare import compare
from fleetsim.cli.explain import explain
from fleetsim.cli.export import export
from fleetsim.cli.interrupt import INTERRUPTED, leave
from fleetsim.cli.new import new
from fleetsim.cli.optimize import optimize
from fleetsim.cli.program import Program
from fleetsim.cli.query import query
from fleetsim.cli.rebill import rebill
from fleetsim.cli.reliability import reliability
from fleetsim.cli.replay import replay
from fleetsim.cli.report import report
from fleetsim.cli.run import run
from fleetsim.cli.schema import schema
from fleetsim.cli.show import show
from fleetsim.cli.size import size
from fleetsim.cli.trace import TRACE_VERBS, trace, trace_app
from fleetsim.cli.verify import verify
from fleetsim.version import __version__

EXIT_CODES = (
    "Exit codes: 0 ok, 1 objectives missed (--strict-objectives), 2 bad input, 3 run failed, 130 interrupted."
)

app = typer.Typer(
    cls=Program,
    name="fleetsim",
    help="Simulate AI compute fleets: how many GPUs, for what traffic, under which contract, at what cost.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
VERBS = (
    (new, "Write a small commented scenario that runs."),
    (check, "Check a scenario file; report every fault."),
    (run, "Simulate a scenario and print the summary."),
    (show, "Print the summary of a finished run."),
    (query, "Ask a run's tables in SQL."),
    (verify, "Check a run against its manifest."),
    (export, "Write a run as FOCUS rows, CSV, DuckDB or Excel."),
    (report, "Write the plots of a run."),
    (compare, "Put alternatives side by side: scenarios, contract files or runs."),
    (rebill, "Bill a run under other contracts."),
    (reliability, "Price a training fleet's failures, spares and checkpoints."),
    (optimize, "Find the cheapest mix of offered contracts for a run."),
    (replay, "Run the requests of a trace on replicas, or its jobs on a fleet."),
    (size, "Find the fewest replicas on which a trace meets service levels."),
    (calibrate, "Measure a service's latency by load, for scenarios."),
    (schema, "Print the JSON Schema of scenario files."),
    (explain, "Explain the code of an error."),
)
GROUPS = {"trace": (trace, TRACE_VERBS, "Import, describe and fit recorded requests or jobs.")}
"""Verbs with verbs of their own."""
for verb, line in VERBS:
    app.command(short_help=line)(verb)
app.add_typer(trace_app, name="trace", short_help=GROUPS["trace"][2])


def print_version(wanted: bool) -> None:
    """Prints the version and ends."""
    if wanted:
        typer.echo(f"fleetsim {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Simulate AI compute fleets: how many GPUs, for what traffic, under which contract, at what cost."""


def main() -> None:
    """Run the command line; `fleetsim/__main__.py` calls it, for the script too."""
    gc.disable()  # a command ends before its few cycles are worth looking for; saves a tenth of `check`
    try:
        app()
    except SystemExit as end:
        if end.code == INTERRUPTED:
            leave(INTERRUPTED)
        raise
