"""Arguments and options that several verbs share, so that each is spelled and explained once."""

from pathlib import Path
from typing import Annotated

import typer

ScenarioFile = Annotated[Path, typer.Argument(metavar="FILE", help="Scenario file (YAML).")]
ScenarioName = Annotated[
    str | None, typer.Option("--scenario", metavar="NAME", help="One of the file's named scenarios.")
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="Replace one value, by its dotted path; repeatable."),
]
ResultsDir = Annotated[Path, typer.Option("--results", metavar="DIR", help="Where runs are kept.")]
RunRef = Annotated[
    str, typer.Argument(metavar="RUN", help="Run directory, scenario directory or start of a run id.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output on stdout.")]

RESULTS = Path("results")
