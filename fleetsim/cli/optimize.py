"""`fleetsim optimize RUN --offers FILE`: the cheapest mix of offered contracts for a run's required GPUs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetsim.cli.console import say, say_json, text_width, warn
from fleetsim.cli.find import find_run
from fleetsim.cli.options import RESULTS, AsJson, ResultsDir, RunRef
from fleetsim.errors import UsageError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from fleetsim.output.export.target import Target


def optimize(
    run: RunRef,
    offers: Annotated[Path, typer.Option("--offers", metavar="FILE", help="Offer file: what can be signed.")],
    fleet: Annotated[
        str | None,
        typer.Option("--fleet", metavar="NAME", help="Whose GPUs; the only serving fleet by default."),
    ] = None,
    budget: Annotated[
        float | None,
        typer.Option("--budget-upfront-usd", metavar="USD", help="Most that is paid upfront, all together."),
    ] = None,
    discount: Annotated[
        float,
        typer.Option("--discount-frac-per-year", metavar="I", help="Yearly discount rate; 0.1 is 10 %."),
    ] = 0.0,
    spot: Annotated[
        float,
        typer.Option("--spot-max-frac", metavar="F", help="Share of each hour's GPUs that spot may have."),
    ] = 0.2,
    every: Annotated[
        int | None,
        typer.Option("--order-every-months", metavar="N",
                     help="Orders at the start, then every N months; 3 or the shortest term by default."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write the contracts as a contract file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Let --out replace a file.")] = False,
    results: ResultsDir = RESULTS,
    as_json: AsJson = False,
) -> None:
    """Find the cheapest mix of offered contracts for the GPUs that a run's fleet required, hour by hour.

    A linear program chooses, the ledger bills its answer and the search goes on where the two differ. The
    objective is the effective cost of the run's horizon: of longer terms the part inside it.
    """
    from fleetsim.experiments.optimize import optimize as optimized
    from fleetsim.output import Run
    from fleetsim.report.portfolio import portfolio_text

    with contract_file(out, force) as target:
        portfolio = optimized(
            Run(find_run(run, results)), offers, fleet=fleet, budget_upfront_usd=budget,
            discount_frac_per_year=discount, spot_max_frac=spot, order_every_months=every)
        if target is not None:
            portfolio.write(target.partial())
            target.publish()
    if as_json:
        say_json(portfolio.as_dict())
    else:
        width, terminal = text_width()
        say(portfolio_text(portfolio.as_dict(), width=width, terminal=terminal))
    if out is not None:
        warn(f"wrote {out}; next: fleetsim rebill {run} --contracts {out}")


def contract_file(out: Path | None, force: bool) -> "AbstractContextManager[Target | None]":
    """Where the contracts go, looked at before the search begins: UsageError when they cannot."""
    from contextlib import nullcontext

    from fleetsim.output.export.target import Target

    if out is None:
        return nullcontext()
    if out.is_dir():
        raise UsageError(f"{out} is a directory; --out names a file")
    return Target(out, force=force)
