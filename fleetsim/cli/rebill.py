"""`fleetsim rebill RUN --contracts FILE`: a finished run under other contracts."""

from pathlib import Path
from typing import Annotated

import typer

from fleetsim.cli.find import find_run
from fleetsim.cli.options import RESULTS, AsJson, ResultsDir, RunRef


def rebill(
    run: RunRef,
    contracts: Annotated[
        list[Path], typer.Option("--contracts", metavar="FILE", help="Contract file; repeatable.")
    ],
    results: ResultsDir = RESULTS,
    as_json: AsJson = False,
) -> None:
    """Bill a finished run under the contracts of one or more files, beside its own.

    Nothing is simulated unless a contract takes capacity away.
    """
    from fleetsim.cli.compare import show
    from fleetsim.experiments.comparison import compare

    show(compare([find_run(run, results), *contracts], results=results).as_dict(),
         "json" if as_json else "table")
