"""Which run is meant: a run directory, a scenario directory or the start of a run id."""

from pathlib import Path

from fleetsim.cli.options import RESULTS
from fleetsim.errors import UsageError, did_you_mean
from fleetsim.output.layout import MANIFEST, is_run


def find_run(reference: str, results: Path) -> Path:
    """The directory of the run that `reference` names; UsageError when none or several.

    A path wins over a run id, and a results directory that was asked for over the current one. A
    scenario's directory (`results/openai-2024`, or the bare name) stands for its newest run.
    """
    places = (Path(reference), results / reference)
    for path in places if results == RESULTS else reversed(places):
        if is_run(path):
            return path
        if path.is_dir() and (runs := complete_runs(path)):
            return max(runs, key=when_finished)
    matches = [run for run in complete_runs(results, depth=2) if run.name.startswith(reference)]
    if len(matches) == 1:
        return matches[0]
    if matches:
        listed = ", ".join(str(run) for run in sorted(matches)[:5])
        raise UsageError(f"{reference!r} is the start of {len(matches)} run ids: {listed}")
    raise UsageError(not_found(reference, results))


def complete_runs(directory: Path, depth: int = 1) -> list[Path]:
    """The run directories `depth` levels below `directory`."""
    return [path.parent for path in directory.glob("*/" * depth + MANIFEST)]


def when_finished(run: Path) -> tuple[int, str]:
    """Sorts runs by the time at which their manifest was written."""
    return (run / MANIFEST).stat().st_mtime_ns, run.name


def not_found(reference: str, results: Path) -> str:
    """Why there is no such run, and what there is instead."""
    path = Path(reference)
    if path.is_dir() and ((path / "tables").exists() or (path / "scenario.yaml").exists()):
        return f"{reference} has no {MANIFEST}: that run was not completed; run it again"
    known = sorted({run.parent.name for run in complete_runs(results, depth=2)})
    nothing = f"{results}/ holds no runs; make one with: fleetsim run FILE"
    hint = did_you_mean(reference, known) if known else nothing
    return f"no run {reference!r} ({hint})"
