"""`fleetsim run FILE`: simulate a scenario and print what follows from it."""

from typing import Annotated, Literal

import typer

from fleetsim.cli.console import say, say_json, text_width, warn
from fleetsim.cli.options import RESULTS, AsJson, Overrides, ResultsDir, ScenarioFile, ScenarioName
from fleetsim.errors import ObjectivesMissed
from fleetsim.rng import MAX_SEED


def run(
    file: ScenarioFile,
    scenario: ScenarioName = None,
    set_: Overrides = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, max=MAX_SEED, help="Seed of every random stream.")
    ] = 0,
    results: ResultsDir = RESULTS,
    resolution: Annotated[
        Literal["hour", "step"], typer.Option("--resolution", help="step: keep the step series too.")
    ] = "hour",
    workers: Annotated[
        int | None, typer.Option("--workers", metavar="N", min=1,
                                 help="Processes for windows at request level; all cores by default.")
    ] = None,
    strict_objectives: Annotated[
        bool, typer.Option("--strict-objectives", help="Exit with 1 when an objective is missed.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Simulate a scenario, write its run directory and print the summary."""
    from fleetsim.cli.progress import Progress
    from fleetsim.report.text import summary_text
    from fleetsim.runner import simulate
    from fleetsim.spec import load

    loaded = load(file, scenario=scenario, overrides=tuple(set_ or ()))
    for warning in loaded.warnings:
        warn(str(warning))
    with Progress(loaded.scenario.horizon.start) as progress:
        finished = simulate(loaded.scenario, seed=seed, results=results, resolution=resolution,
                            progress=progress.advance, workers=workers)
    if finished.reused:
        warn(f"{finished.path} holds this run already; nothing was simulated")
    if as_json:
        say_json({**finished.summary, "path": str(finished.path)})
    else:
        width, terminal = text_width()
        say(summary_text(finished.summary, finished.path, width=width, terminal=terminal))
    missed = [row["objective"] for row in finished.summary["objectives"] if not row["met"]]
    if strict_objectives and missed:
        raise ObjectivesMissed(f"{len(missed)} of {len(finished.summary['objectives'])} objectives missed: "
                               + "; ".join(missed))
