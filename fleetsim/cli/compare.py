"""`fleetsim compare FILE...`: alternatives side by side, with differences to the first."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from fleetsim.cli.console import say, say_json, text_width, warn
from fleetsim.cli.find import find_run
from fleetsim.cli.options import RESULTS, AsJson, Overrides, ResultsDir
from fleetsim.errors import UsageError
from fleetsim.rng import MAX_SEED


def compare(
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Scenario files, contract files or runs.")
    ],
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", metavar="NAME", help="Only this named scenario; repeatable."),
    ] = None,
    figure: Annotated[
        list[str] | None,
        typer.Option("--figure", metavar="NAME", help="Show this figure, * for any part; repeatable."),
    ] = None,
    set_: Overrides = None,
    seed: Annotated[
        int | None,
        typer.Option("--seed", min=0, max=MAX_SEED, help="Seed of every random stream; 0 by default."),
    ] = None,
    actuals: Annotated[
        Path | None,
        typer.Option("--actuals", metavar="FILE", help="What one run really cost (FOCUS, CSV, Parquet)."),
    ] = None,
    results: ResultsDir = RESULTS,
    format_: Annotated[
        Literal["table", "md", "csv"], typer.Option("--format", help="How to print the comparison.")
    ] = "table",
    as_json: AsJson = False,
) -> None:
    """Compare alternatives: a scenario file stands for itself and each of its named scenarios.

    The first alternative is the baseline. Alternatives that differ in contracts only are billed on one run.
    Contract files are billed on the first run. With --actuals, one run's monthly bill stands beside what
    was really paid.
    """
    if as_json and format_ != "table":
        raise UsageError(f"--json and --format {format_}: choose one")
    if actuals is not None:
        if scenario or figure or set_ or seed is not None or format_ != "table":
            raise UsageError("--actuals stand beside one run as it is: leave out --scenario, --figure, "
                             "--set, --seed and --format")
        plan_and_actual(files, actuals, results, as_json=as_json)
        return
    from fleetsim.experiments.comparison import compare as compared

    things = [name if Path(name).is_file() else find_run(name, results) for name in files]
    show(compared(things, results=results, seed=seed, figures=tuple(figure or ()),
                  scenarios=tuple(scenario or ()), overrides=tuple(set_ or ())).as_dict(),
         "json" if as_json else format_)


def show(data: dict[str, Any], form: Literal["table", "json", "md", "csv"]) -> None:
    """Print a comparison, and warn of what its totals leave out."""
    from fleetsim.report.comparison import comparison_csv, comparison_markdown, comparison_text

    for each in data["alternatives"]:
        if each["uncovered_gpu_hours"]:
            warn(f"warning: {each['name']}: {each['uncovered_gpu_hours']:,.0f} GPU-hours without a contract; "
                 "they cost nothing in its total")
    if form == "json":
        say_json(data)
    elif form == "md":
        say(comparison_markdown(data))
    elif form == "csv":
        say(comparison_csv(data))
    else:
        width, terminal = text_width()
        say(comparison_text(data, width=width, terminal=terminal))


def plan_and_actual(files: list[str], actuals: Path, results: Path, *, as_json: bool) -> None:
    """Print the variance of one run."""
    from fleetsim.experiments.variance import variance
    from fleetsim.output import Run
    from fleetsim.report.variance import variance_text

    if len(files) != 1:
        raise UsageError("--actuals stand beside one run: name one")
    data = variance(Run(find_run(files[0], results)), actuals).as_dict()
    if as_json:
        say_json(data)
    else:
        width, terminal = text_width()
        say(variance_text(data, width=width, terminal=terminal))
