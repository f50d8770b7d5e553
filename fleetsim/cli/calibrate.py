"""`fleetsim calibrate SERVICE`: measure the latency table that the fluid model reads."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from fleetsim.cli.console import say, say_json, text_width, warn
from fleetsim.cli.options import AsJson, Overrides, ScenarioName
from fleetsim.errors import UsageError
from fleetsim.rng import MAX_SEED

SUFFIX = ".parquet"
N = TypeVar("N", int, float)


def calibrate(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="Service with a step law.")],
    file: Annotated[Path, typer.Option("--in", metavar="FILE", help="Scenario that has it (YAML).")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="TABLE", help="Parquet file to write.")],
    scenario: ScenarioName = None,
    set_: Overrides = None,
    loads: Annotated[
        str | None, typer.Option("--loads", metavar="L,L", help="Shares of capacity, as 0.2,0.5,0.9.")
    ] = None,
    replicas: Annotated[
        str | None, typer.Option("--replicas", metavar="N,N", help="Numbers of replicas, as 1,4,16,64.")
    ] = None,
    requests: Annotated[
        int | None, typer.Option("--requests", metavar="N", min=100, help="Counted at each point.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, max=MAX_SEED, help="Of arrivals and lengths.")] = 0,
    force: Annotated[bool, typer.Option("--force", help="Replace what is there.")] = False,
    as_json: AsJson = False,
) -> None:
    """Simulate a service request by request at loads from low to full, and store its latencies as a table."""
    from fleetsim.cli.progress import Progress
    from fleetsim.experiments.calibrate import LOADS, REPLICAS, REQUESTS
    from fleetsim.experiments.calibrate import calibrate as calibrated
    from fleetsim.output.export.target import Target
    from fleetsim.report.latency import table_text
    from fleetsim.report.latency_points import as_dict
    from fleetsim.spec import load
    from fleetsim.spec.latency_file import write_latency_table

    if out.suffix != SUFFIX:
        raise UsageError(f"{out}: the name of a latency table ends in {SUFFIX}")
    loaded = load(file, scenario=scenario, overrides=tuple(set_ or ()), latency_tables=False)
    for warning in loaded.warnings:
        warn(str(warning))
    with Target(out, force=force) as target, Progress() as progress:
        table = calibrated(
            loaded.scenario, service, seed=seed, requests=REQUESTS if requests is None else requests,
            loads=LOADS if loads is None else _numbers(loads, "--loads", float, "numbers"),
            replicas=REPLICAS if replicas is None else _numbers(replicas, "--replicas", int, "whole numbers"),
            progress=progress.points)
        write_latency_table(table, target.partial())
        target.publish()
    data = {"path": str(out), **as_dict(table)}
    if as_json:
        say_json(data)
    else:
        width, terminal = text_width()
        say(table_text(data, width=width, terminal=terminal))


def _numbers(text: str, option: str, kind: Callable[[str], N], what: str) -> tuple[N, ...]:
    """The numbers of a list; UsageError when one is none."""
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError:
        raise UsageError(f"{option} takes {what} with commas between them, not {text!r}") from None
