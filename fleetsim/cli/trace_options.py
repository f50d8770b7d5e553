"""Options of `trace import` that name the columns of a file."""

from typing import Annotated

import typer

ClassColumn = Annotated[
    str | None, typer.Option("--class-column", metavar="COLUMN", help="Traffic class (generic).")
]
DurationColumn = Annotated[
    str | None, typer.Option("--duration-column", metavar="COLUMN", help="Run time in seconds (jobs).")
]
GpusColumn = Annotated[str | None, typer.Option("--gpus-column", metavar="COLUMN", help="GPUs (jobs).")]
JobColumn = Annotated[
    str | None, typer.Option("--job-column", metavar="COLUMN", help="Id; the line by default (jobs).")
]
NodesColumn = Annotated[
    str | None, typer.Option("--nodes-column", metavar="COLUMN", help="Number of nodes (jobs).")
]
OutputColumn = Annotated[
    str | None, typer.Option("--output-column", metavar="COLUMN", help="Output tokens (generic).")
]
PriorityColumn = Annotated[
    str | None,
    typer.Option("--priority-column", metavar="COLUMN", help="Whole number, 0 the most important (jobs)."),
]
PromptColumn = Annotated[
    str | None, typer.Option("--prompt-column", metavar="COLUMN", help="Prompt tokens (generic).")
]
QueueColumn = Annotated[
    str | None, typer.Option("--queue-column", metavar="COLUMN", help="Recorded wait in seconds (jobs).")
]
StateColumn = Annotated[str | None, typer.Option("--state-column", metavar="COLUMN", help="Outcome (jobs).")]
TeamColumn = Annotated[
    str | None, typer.Option("--team-column", metavar="COLUMN", help="Team; the user by default (jobs).")
]
TimeColumn = Annotated[
    str | None,
    typer.Option("--time-column", metavar="COLUMN", help="Arrivals (generic) or submissions (jobs)."),
]
TimeUnitOption = Annotated[
    str | None,
    typer.Option("--time-unit", metavar="UNIT", help="s, ms, us, ns, or iso, the default (generic, jobs)."),
]
UserColumn = Annotated[str | None, typer.Option("--user-column", metavar="COLUMN", help="User (jobs).")]
