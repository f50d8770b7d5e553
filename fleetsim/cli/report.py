"""`fleetsim report RUN --plots DIR`: a run as pictures."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleetsim.cli.console import say, say_json
from fleetsim.cli.find import find_run
from fleetsim.cli.options import RESULTS, AsJson, ResultsDir, RunRef


def report(
    run: RunRef,
    plots: Annotated[Path, typer.Option("--plots", metavar="DIR", help="Directory for the plots; created.")],
    format_: Annotated[
        Literal["png", "svg"], typer.Option("--format", help="File format of the plots.")
    ] = "png",
    results: ResultsDir = RESULTS,
    as_json: AsJson = False,
) -> None:
    """Write the plots of a run: capacity, GPU counts, utilisation, waits, training, cost."""
    import logging

    from fleetsim.output import Run

    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # where it keeps its fonts is no news of the run
    from fleetsim.report.plots import write_all

    written = write_all(Run(find_run(run, results)), plots, format_)
    if as_json:
        say_json({"plots": [str(path) for path in written]})
    else:
        say("\n".join(str(path) for path in written))
