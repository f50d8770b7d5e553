"""`fleetsim reliability FILE`: prices of failures, spares, checkpoint intervals and jobs."""

from typing import Annotated

import typer

from fleetsim.cli.console import say, say_json, text_width, warn
from fleetsim.cli.options import RESULTS, AsJson, Overrides, ResultsDir, ScenarioFile, ScenarioName
from fleetsim.errors import UsageError
from fleetsim.rng import MAX_SEED


def reliability(
    file: ScenarioFile,
    scenario: ScenarioName = None,
    set_: Overrides = None,
    fleet: Annotated[
        str | None,
        typer.Option("--fleet", metavar="NAME", help="One training fleet; all that have jobs by default."),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", metavar="N", min=1,
                     help="Replications of every variant; by default 5 of many jobs, up to 50 of few."),
    ] = None,
    spares: Annotated[
        str | None,
        typer.Option("--spares", metavar="LIST", help="Numbers of spare nodes to try, as 0,8,16."),
    ] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=MAX_SEED, help="Seed of every random stream.")
    ] = 0,
    results: ResultsDir = RESULTS,
    as_json: AsJson = False,
) -> None:
    """Put a price on failures: a year of them, a spare node, checkpoint intervals, and the cost per job.

    One run of the scenario gives the price of a GPU-hour; then each training fleet is simulated alone, again
    and again with the same random numbers. A year of 46,000 jobs takes a second each time.
    """
    from fleetsim.cli.progress import Progress
    from fleetsim.experiments.reliability import reliability as priced
    from fleetsim.report.reliability import reliability_text
    from fleetsim.spec import load

    tried = None if spares is None else spares_of(spares)
    loaded = load(file, scenario=scenario, overrides=tuple(set_ or ()))
    for warning in loaded.warnings:
        warn(str(warning))
    with Progress(loaded.scenario.horizon.start) as progress:
        found = priced(loaded.scenario, fleet=fleet, seed=seed, replications=seeds, spares=tried,
                       results=results, progress=progress.advance, doing=progress.doing)
    if as_json:
        say_json(found.as_dict())
    else:
        width, terminal = text_width()
        say(reliability_text(found.as_dict(), width=width, terminal=terminal))


def spares_of(text: str) -> list[int]:
    """`0,8,16` as numbers; UsageError when they are none."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError:
        raise UsageError(f"--spares {text}: whole numbers with commas between them, as 0,8,16") from None
