"""`fleetsim export RUN --to focus`: a run as files of other kinds."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from fleetsim.cli.console import say, say_json
from fleetsim.cli.find import find_run
from fleetsim.cli.options import RESULTS, AsJson, ResultsDir, RunRef


def export(
    run: RunRef,
    to: Annotated[
        Literal["focus", "csv", "duckdb", "xlsx"],
        typer.Option("--to", help="FOCUS 1.2 rows, a folder of CSV files, a database, a workbook."),
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", metavar="PATH", help="File, or folder of CSV; here by default."),
    ] = None,
    grain: Annotated[
        Literal["month", "hour"] | None, typer.Option("--grain", help="Of FOCUS rows; a month by default.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    results: ResultsDir = RESULTS,
    as_json: AsJson = False,
) -> None:
    """Write a run as FOCUS, CSV, DuckDB or Excel; its totals are compared with the manifest first."""
    from fleetsim.output import Run
    from fleetsim.output.export import export as write

    opened = Run(find_run(run, results))
    paths, sums = write(opened, to, out, grain=grain, force=force)
    if as_json:
        say_json({"run_id": opened.run_id, "to": to, "paths": [str(path) for path in paths],
                  "rows": sums.rows, "billed_usd": f"{sums.billed_usd:f}",
                  "effective_usd": f"{sums.effective_usd:f}"})
        return
    say("\n".join(str(path) for path in paths))
    say(f"{sums.rows:,} rows of charges: billed ${sums.billed_usd:,.2f}, "
        f"effective ${sums.effective_usd:,.2f}; both equal the manifest")
